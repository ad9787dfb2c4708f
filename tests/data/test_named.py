"""Named inputs and outputs: what they are made of, what is masked, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.data.loading import LoadedData, deal, encode, fit, load
from nnctl.data.reading import read
from nnctl.data.spec import DataSpec
from nnctl.errors import ConfigError, DataError
from nnctl.losses import CrossEntropy, Huber
from nnctl.training.assemble import job_of

ROWS = 60
CSV = "a,b,c,price,sold,w\n" + "".join(
    f"{i},{(i * 7) % 11},{'xyz'[i % 3]},{'' if i % 4 == 0 else i / 2},{'' if i % 5 == 0 else 'ny'[i % 2]},{i % 3 + 1}\n"
    for i in range(ROWS)
)
INPUTS = {"facts": {"columns": ["b", "a"]}, "kind": {"columns": ["c"]}}
OUTPUTS = {"price": {"target": "price", "loss": "huber", "weight": 2.0}, "sold": {"target": "sold"}}
SECTION = {"source": {"type": "csv", "path": "t.csv"}, "inputs": INPUTS, "outputs": OUTPUTS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(CSV)
    return tmp_path


def loaded(folder: Path, **section: Any) -> LoadedData:
    data = load(DataSpec.model_validate({**SECTION, **section}), folder, 1, np.float64)
    return data.for_losses({"price": Huber(), "sold": CrossEntropy()})


def test_names_in_the_order_of_the_file(folder: Path) -> None:
    data = loaded(folder)
    assert list(data.inputs) == ["facts", "kind"]
    assert {name: each.names for name, each in data.inputs.items()} == {
        "facts": ("b", "a"), "kind": ("c=x", "c=y", "c=z"),
    }  # fmt: skip
    assert {name: target.task for name, target in data.targets.items()} == {
        "price": "regression", "sold": "classification",
    }  # fmt: skip
    batch = data.train.take(np.array([4, 0]), np.float32)
    assert {name: x.shape for name, x in batch.inputs.items()} == {"facts": (2, 2), "kind": (2, 3)}
    assert {name: t.shape for name, t in batch.targets.items()} == {"price": (2, 1), "sold": (2,)}


def test_an_empty_cell_has_no_weight_and_a_harmless_target(folder: Path) -> None:
    for section in ({}, {"weight": "w"}):
        train = loaded(folder, **section).train
        rows = train.numbers - 1
        batch = train.take(slice(None), np.float64)
        w = (rows % 3 + 1.0) if section else np.ones(len(rows))
        for name, every in (("price", 4), ("sold", 5)):
            weights = batch.weights[name]
            assert weights is not None
            np.testing.assert_array_equal(weights, np.where(rows % every == 0, 0, w))
            assert np.isfinite(batch.targets[name]).all()


def test_what_is_fitted_knows_only_the_cells_that_are_there(folder: Path) -> None:
    data = loaded(folder)
    rows = data.train.numbers - 1
    prices = (rows / 2)[rows % 4 != 0]
    price: Any = data.targets["price"]
    assert price.centre == pytest.approx((prices.mean(),), rel=1e-12)
    assert price.scale == pytest.approx((prices.std(),), rel=1e-12)
    p = data.train.predictions("price", data.train.targets(slice(None), np.float64)["price"])
    np.testing.assert_allclose(p.truth[:, 0], prices)
    np.testing.assert_allclose(p.outputs[:, 0], prices, rtol=1e-12)
    assert data.report.known["price"]["train"] == len(prices)
    assert sum(data.report.classes["sold"]["train"].values()) == (rows % 5 != 0).sum()


def test_rows_that_say_nothing_at_all_are_left_out_and_counted(folder: Path) -> None:
    data = loaded(folder)
    nothing = {i + 1 for i in range(ROWS) if i % 20 == 0}
    numbers = {int(n) for _, each in (("", data.train), ("", data.validation), ("", data.test)) for n in each.numbers}
    assert numbers == set(range(1, ROWS + 1)) - nothing
    assert data.report.dropped == len(nothing) == 3


def test_read_once_and_dealt_out_fitted_and_encoded_many_times(folder: Path) -> None:
    """As folds do; what is fitted depends on the training rows alone."""
    spec = DataSpec.model_validate(SECTION)
    raw = read(spec, folder)
    whole = load(spec, folder, 1, np.float64)
    parts, _ = deal(raw, spec, 1)
    assert fit(raw, spec, parts["train"].rows) == whole.fitted
    again = encode(whole.fitted, raw.opened["train"], parts["test"].rows, np.float64, "other")
    assert whole.test is not None
    np.testing.assert_array_equal(again.numbers, whole.test.numbers)
    for name in INPUTS:
        mine, theirs = (each.inputs[name].take(slice(None), np.float64) for each in (again, whole.test))
        np.testing.assert_array_equal(mine, theirs)
    first, second = (fit(raw, spec, rows) for rows in (np.arange(20), np.arange(20, 40)))
    assert first != second
    assert fit(raw, spec, np.arange(20)) == first


def test_the_resolved_section_loads_the_same_bits(folder: Path) -> None:
    data = load(DataSpec.model_validate(SECTION), folder, 1, np.float64)
    again = load(DataSpec.model_validate(data.resolved.model_dump(mode="json")), folder, 1, np.float64)
    assert again.fitted == data.fitted
    assert again.resolved == data.resolved
    np.testing.assert_array_equal(again.train.numbers, data.train.numbers)


def test_arrays_of_one_file_by_name(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    left, right = random.normal(3, 2, (40, 2)), random.integers(0, 256, (40, 4, 4), np.uint8)
    np.savez(tmp_path / "t.npz", left=left, right=right, y=np.arange(40) % 3, short=left[:9])
    source: dict[str, Any] = {"type": "npz", "path": "t.npz", "inputs": ["left", "right"]}
    inputs = {"r": {"type": "array", "array": "right"}, "l": {"type": "array", "array": "left"}}
    spec = DataSpec.model_validate({"source": source, "inputs": inputs})
    data = load(spec, tmp_path, 0, np.float64, CrossEntropy())
    rows = data.train.numbers - 1
    batch = data.train.take(slice(None), np.float64)
    np.testing.assert_allclose(batch.inputs["r"], right[rows] / 255)
    np.testing.assert_allclose(batch.inputs["l"], (left[rows] - left[rows].mean(0)) / left[rows].std(0), rtol=1e-12)
    assert batch.targets["output"].tolist() == (rows % 3).tolist()
    for wrong, message in (
        (
            {"inputs": {"r": {"type": "array", "array": "rihgt"}}},
            r"has no array 'rihgt'; did you mean 'right'\? There are left, right",
        ),
        ({"source": {**source, "labels": None}}, "and no targets"),
        ({"source": {**source, "inputs": ["left", "short"]}}, "different numbers of examples: left 40, short 9"),
    ):
        with pytest.raises(DataError, match=message):
            load(DataSpec.model_validate({"source": source, "inputs": inputs, **wrong}), tmp_path, 0, np.float64)


FORMS: dict[str, dict[str, Any]] = {
    "`features` is for one input without a name; write `inputs.facts.columns` instead": {"features": ["a"]},
    "`exclude` is for one input without a name; write `inputs.facts.columns` instead": {"exclude": ["a"]},
    "`augment` is for one input without a name; write `inputs.facts.augment` instead": {"augment": ["flip"]},
    "`target` is for one output without a name; write `outputs.price.target` instead": {"target": "price"},
    "`task` is for one output without a name; write `outputs.price.task` instead": {"task": "regression"},
    "facts is the name of an input and of an output": {"outputs": {"facts": {"target": "price"}}},
    "outputs.price.target": {"outputs": {"price": {"loss": "huber"}}},
    "should match pattern": {"inputs": {"a.b": {"columns": ["a"]}}},
    "mixup mixes the examples of one input with one output": {
        "inputs": {"facts": {"columns": ["a"]}, "p": {"type": "image", "column": "c", "augment": ["mixup"]}}
    },
}


@pytest.mark.parametrize("message", FORMS)
def test_forms_that_do_not_go_together(message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        DataSpec.model_validate({**SECTION, **FORMS[message]})
    assert message in str(raised.value)


PLACES: dict[str, dict[str, Any]] = {
    "data.inputs.facts.columns: t.csv has no column 'aa'; did you mean 'a'?": {
        "inputs": {"facts": {"columns": ["aa"]}}
    },
    "data.outputs.price.target: t.csv has no column 'prize'; did you mean 'price'?": {
        "outputs": {"price": {"target": "prize"}}
    },
    "data.inputs.kind.columns: 'a' is named here and by data.inputs.facts.columns; a column has one part to play": {
        "inputs": {"facts": {"columns": ["a"]}, "kind": {"columns": ["a"]}}
    },
    "data.inputs.facts.columns: 'a' is named here twice; a column": {"inputs": {"facts": {"columns": ["a", "a"]}}},
    "data.inputs.facts.columns: 'price' is named here and by data.outputs.price.target; a column": {
        "inputs": {"facts": {"columns": ["price"]}}
    },
    "data.inputs.facts.columns: 'w' is named here and by data.weight; a column": {
        "weight": "w", "inputs": {"facts": {"columns": ["w"]}}
    },
    "data.outputs.sold.order: names n twice": {"outputs": {"sold": {"target": "sold", "order": ["y", "n", "n"]}}},
    "data.inputs.x: is an array, and t.csv is a table": {"inputs": {"x": {"type": "array"}}},
}  # fmt: skip


@pytest.mark.parametrize("message", PLACES)
def test_what_is_wrong_is_told_with_its_key(folder: Path, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(DataSpec.model_validate({**SECTION, **PLACES[message]}), folder, 0, np.float64)
    assert str(raised.value).startswith(message)


def test_classes_of_an_output_stand_in_the_order_given(folder: Path) -> None:
    outputs = {"sold": {"target": "sold", "order": ["y", "n"]}}
    data = loaded(folder, outputs=outputs)
    assert data.targets["sold"].names == ("y", "n")
    assert data.resolved.outputs["sold"].model_dump(mode="json")["order"] == ["y", "n"]
    assert "order" not in loaded(folder).resolved.outputs["sold"].model_dump(mode="json")


def test_a_target_that_no_training_row_has(folder: Path) -> None:
    lines = CSV.splitlines()
    (folder / "b.csv").write_text(
        "\n".join([lines[0], *(line.replace("n", "").replace("y", "") for line in lines[1:])])
    )
    with pytest.raises(DataError, match="b.csv: the target of sold is missing in every row"):
        loaded(folder, source={"type": "csv", "path": "b.csv"})


EXPERIMENT = """\
data:
  source: {type: csv, path: t.csv}
  inputs:
    facts: {columns: [a, b]}
  outputs:
    price: {target: price}
    sold: {target: sold}
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "loss: huber",
            "experiment.yaml:8: loss: is for one output without a name; write data.outputs.price.loss instead",
        ),
        (
            "metrics: [mae]",
            "experiment.yaml:8: metrics: is for one output without a name; write data.outputs.price.metrics",
        ),
    ],
)
def test_loss_and_metrics_belong_to_their_output(folder: Path, line: str, message: str) -> None:
    (folder / "experiment.yaml").write_text(EXPERIMENT + line + "\n")
    with pytest.raises(ConfigError) as raised:
        job_of(load_experiment(folder / "experiment.yaml", (), Experiment))
    assert message in str(raised.value)


def test_class_weights_belong_to_the_loss_of_their_output(folder: Path) -> None:
    text = EXPERIMENT.replace("{target: sold}", "{target: sold, loss: {type: cross_entropy, class_weights: balanced}}")
    (folder / "experiment.yaml").write_text(text)
    job = job_of(load_experiment(folder / "experiment.yaml", (), Experiment))
    loss: Any = job.heads["sold"].loss
    counts = np.array(list(job.data.report.classes["sold"]["train"].values()))
    np.testing.assert_allclose(loss.class_weights, counts.sum() / (2 * counts))
    written = job.experiment.data.outputs["sold"].loss
    assert written == loss
