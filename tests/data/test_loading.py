"""From the `data` section to parts."""

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from nnctl.data.loading import LoadedData, load, load_for_evaluation, scaling_for
from nnctl.data.preprocess import TargetScaling
from nnctl.data.sources import Csv, Idx, Npy
from nnctl.data.spec import DataSpec
from nnctl.data.targets import Numbers
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.losses.base import LossSpec
from nnctl.losses.poisson import Poisson
from nnctl.losses.regression import MeanSquaredError
from tests.networks import arrays

RANDOM = np.random.default_rng(0)
ROWS = 100
FRAME = pl.DataFrame(
    {
        "x": RANDOM.normal(5, 2, ROWS),
        "city": RANDOM.choice(["Bern", "Oslo", "Rome"], ROWS),
        "weight": RANDOM.uniform(0.5, 2, ROWS),
        "kind": RANDOM.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1]),
    }
)


class CrossEntropy(Loss):
    type: str = "cross_entropy"
    tasks: ClassVar = ("classification",)
    encoding: ClassVar = "index"


class Squares(Loss):
    type: str = "squares"
    tasks: ClassVar = ("regression",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    FRAME.write_csv(tmp_path / "a.csv")
    FRAME[:20].write_csv(tmp_path / "b.csv")
    FRAME[20:50].write_parquet(tmp_path / "c.parquet")
    return tmp_path


A, B, C = {"type": "csv", "path": "a.csv"}, {"type": "csv", "path": "b.csv"}, {"type": "parquet", "path": "c.parquet"}


def loaded(
    folder: Path, seed: int = 0, dtype: type[Any] = np.float64, loss: Loss | None = None, **section: Any
) -> LoadedData:
    section = {"source": A, "target": "kind", **section}
    return load(DataSpec.model_validate({k: v for k, v in section.items() if v != ...}), folder, seed, dtype, loss)


COMBINATIONS: dict[str, Any] = {
    "one file, split": ({}, (70, 15, 15)),
    "other shares": ({"split": {"validation": 0.2, "test": 0.0}}, (80, 20, None)),
    "a test file": ({"test": B}, (85, 15, 20)),
    "a validation file": ({"validation": B, "split": {"test": 0.25}}, (75, 20, 25)),
    "all files": ({"validation": B, "test": C}, (100, 20, 30)),
    "train is used whole": ({"source": ..., "train": A}, (100, None, None)),
    "train and test": ({"source": ..., "train": A, "test": B}, (100, None, 20)),
}


@pytest.mark.parametrize("case", COMBINATIONS)
def test_parts(folder: Path, case: str) -> None:
    section, sizes = COMBINATIONS[case]
    data = loaded(folder, **section)
    assert tuple(None if p is None else len(p) for p in (data.train, data.validation, data.test)) == sizes


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "write `source`"),
        ({"source": A, "train": B}, "one of them"),
        ({"source": A, "test": B, "split": {"test": 0.1}}, r"split\.test is 0\.1, but `test` has examples"),
        (
            {"train": A, "split": {"validation": 0.1}},
            "`train` is used whole; leave split.validation out, or write `source:` instead of `train:` .type=",
        ),
        ({"train": A, "test": B, "split": {"test": 0.1}}, "examples of its own; leave split.test out .type="),
        ({"source": A, "split": {"validation": 0.5, "test": 0.5}}, "less than 1"),
        ({"source": A, "target": "kind", "weight": "kind"}, "kind named twice"),
        ({"source": A, "target": "kind", "exclude": ["kind"]}, "kind is excluded and used"),
    ],
)
def test_combinations_that_cannot_be(section: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataSpec.model_validate(section)


def test_everything_is_fitted_on_the_training_rows(folder: Path) -> None:
    data = loaded(folder, exclude=["city", "weight"])
    x = np.sort(FRAME["x"].to_numpy())
    column: Any = data.fitted.inputs["input"].columns[0]
    rows = [
        np.flatnonzero(np.isclose(x, z * column.scale + column.centre)) for z in data.train.inputs["input"].values[:, 0]
    ]
    train = x[np.concatenate(rows)]
    assert len(train) == 70
    assert column.centre == pytest.approx(train.mean(), rel=1e-12)
    assert column.scale == pytest.approx(train.std(), rel=1e-12)


def test_other_rows_change_nothing_in_the_encoder(folder: Path) -> None:
    """Wild values in the test file: not one digit of what was fitted moves."""
    before = loaded(folder, test=B, exclude=["weight"])
    wild = FRAME[:20].with_columns(pl.col("x") * 1e6, pl.lit("Rome").alias("city"))
    wild.write_csv(folder / "b.csv")
    after = loaded(folder, test=B, exclude=["weight"])
    assert after.fitted == before.fitted
    assert abs(after.test.inputs["input"].values[:, 0]).max() > 1e5


def test_stratified_by_class(folder: Path) -> None:
    counts = loaded(folder).report.classes["output"]
    whole = dict(FRAME["kind"].value_counts().rows())
    for name, n in whole.items():
        assert abs(counts["validation"][name] - 0.15 * n) <= 1
        assert abs(counts["test"][name] - 0.15 * n) <= 1
        assert sum(part[name] for part in counts.values()) == n


def test_the_seed_decides_the_split(folder: Path) -> None:
    one, same, other = loaded(folder, 1), loaded(folder, 1), loaded(folder, 2)
    np.testing.assert_array_equal(one.train.inputs["input"].values, same.train.inputs["input"].values)
    assert not np.array_equal(one.train.inputs["input"].values, other.train.inputs["input"].values)


def test_take(folder: Path) -> None:
    data = loaded(folder, dtype=np.float32, loss=CrossEntropy(), weight="weight").train
    order = np.array([5, 3, 5])
    x, t, w = arrays(data.take(order, np.float64))
    assert w is not None
    assert (x.dtype, t.dtype, w.dtype) == (np.dtype("f8"), np.dtype("i8"), np.dtype("f8"))
    values = data.inputs["input"].values
    np.testing.assert_array_equal(x, values[order])
    np.testing.assert_array_equal(t, data.truths["output"].values[order])
    assert data.w is not None
    np.testing.assert_array_equal(w, data.w[order])
    np.testing.assert_array_equal(data.take(slice(3, 6), np.float32).inputs["input"], values[3:6])


def test_regression_predictions_come_back_in_the_target_s_units(folder: Path) -> None:
    data = loaded(folder, target="x", loss=Squares(), exclude=["weight"])
    target, truth = data.targets["output"], data.train.truths["output"].values
    assert isinstance(target, Numbers)
    assert target.centre == pytest.approx((truth.mean(),), rel=1e-12)
    assert target.scale == pytest.approx((truth.std(),), rel=1e-12)
    assert data.test is not None
    _, t, _ = arrays(data.test.take(slice(None), np.float64))
    p = data.test.predictions("output", t)
    np.testing.assert_allclose(p.outputs, p.truth, rtol=1e-12)
    assert set(p.truth.ravel()) <= set(FRAME["x"])
    order = np.array([4, 2, 0])
    p = data.train.predictions("output", data.train.targets(order, np.float64)["output"], order)
    np.testing.assert_allclose(p.outputs, p.truth, rtol=1e-12)


def test_resolved_loads_the_same_bits(folder: Path) -> None:
    for section in ({}, {"test": B}, {"target": "x", "exclude": ["weight"]}, {"source": ..., "train": A}):
        data = loaded(folder, **section)
        text = data.resolved.model_dump(mode="json")
        assert text["task"] == data.targets["output"].task
        assert list(text["types"]) == text["features"]
        again = load(DataSpec.model_validate(text), folder, 0, np.float64)
        assert again.fitted == data.fitted
        assert again.resolved == data.resolved
        np.testing.assert_array_equal(again.train.inputs["input"].values, data.train.inputs["input"].values)


def test_evaluation_on_a_file(folder: Path) -> None:
    data = loaded(folder, test=B, loss=CrossEntropy(), weight="weight")
    new = load_for_evaluation(data.fitted, Csv(path="b.csv"), folder, np.float64, {"output": CrossEntropy()})
    assert data.test is not None
    mine_and_theirs = (arrays(each.take(slice(None), np.float64)) for each in (new, data.test))
    for mine, theirs in zip(*mine_and_theirs, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_class_only_the_test_file_has_is_an_error(folder: Path) -> None:
    FRAME[:5].with_columns(kind=pl.lit("d")).write_csv(folder / "b.csv")
    with pytest.raises(DataError, match=r"b\.csv, line 2: column 'kind': training had no class 'd'; there are a, b, c"):
        loaded(folder, test=B)


def test_new_categories_of_a_file_follow_the_section(folder: Path) -> None:
    FRAME[:5].with_columns(city=pl.lit("Wien")).write_csv(folder / "b.csv")
    with pytest.raises(DataError, match=r"b\.csv, line 2: column 'city' holds 'Wien'"):
        loaded(folder, test=B)
    data = loaded(folder, test=B, preprocess={"unseen": "other"}, exclude=["weight"])
    assert data.test.inputs["input"].values[:, 1:].sum() == 0


def test_missing_targets_are_counted(folder: Path) -> None:
    FRAME.with_columns(kind=pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise("kind")).write_csv(
        folder / "a.csv"
    )
    with pytest.raises(DataError, match=r"a\.csv, line 2: the target is missing \(in 7 of 100 rows\)"):
        loaded(folder)
    data = loaded(folder, missing_target="drop")
    assert data.report.dropped == 7
    assert sum(data.report.rows.values()) == 93


def test_rows_of_arrays_without_target_are_refused_or_dropped(tmp_path: Path) -> None:
    x, y = RANDOM.normal(size=(40, 3)), (np.arange(40) % 2).astype(float)
    y[[3, 8]] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=y)
    section = {"train": {"type": "npz", "path": "a.npz"}}
    with pytest.raises(DataError, match=r"a\.npz, row 4: the target is missing \(in 2 of 40 rows\)"):
        load(DataSpec.model_validate(section), tmp_path, 0, np.float64)
    spec = DataSpec.model_validate({**section, "missing_target": "drop", "preprocess": {"numeric": "none"}})
    data, kept = load(spec, tmp_path, 0, np.float64), np.flatnonzero(~np.isnan(y))
    assert data.report.dropped == 2
    np.testing.assert_array_equal(data.train.numbers, kept + 1)
    np.testing.assert_array_equal(data.train.inputs["input"].take(slice(None), np.float64), x[kept])
    np.testing.assert_array_equal(data.train.truths["output"].values, y[kept])


def test_malformed_rows_are_refused_or_named(folder: Path) -> None:
    with (folder / "a.csv").open("a") as file:
        file.write("1,2\n")
    with pytest.raises(DataError, match=r"a\.csv, line 102: 2 fields where the header has 4"):
        loaded(folder)
    data = loaded(folder, malformed="skip")
    assert data.report.malformed == ("a.csv, line 102: 2 fields where the header has 4",)
    assert sum(data.report.rows.values()) == ROWS


def test_hashes_of_the_files(folder: Path) -> None:
    files = loaded(folder, test=C).report.files
    assert files == {p: hashlib.sha256((folder / p).read_bytes()).hexdigest() for p in ("a.csv", "c.parquet")}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"target": "kinds"}, r"data\.target: a\.csv has no column 'kinds'; did you mean 'kind'\?"),
        ({"target": None}, r"data\.target: name the column to predict; a\.csv has x, city, weight, kind"),
        ({"exclude": ["xx"]}, r"data\.exclude: .*'xx'"),
        ({"features": ["x", "cty"]}, r"data\.features: .*'cty'; did you mean 'city'"),
        ({"types": {"y": "numeric"}}, r"data\.types: .*'y'"),
        ({"preprocess": {"columns": {"y": {}}}}, r"data\.preprocess\.columns: .*'y'"),
        ({"exclude": ["x", "city", "weight"]}, "no column left to learn from"),
        ({"target": "x", "split": {"stratify": True}}, "stratify: needs classes, and the task is regression"),
        ({"test": {"type": "npy", "path": "x.npy"}}, "some splits are tables and some arrays"),
    ],
)
def test_mistakes_in_the_section(folder: Path, section: dict[str, Any], message: str) -> None:
    np.save(folder / "x.npy", np.zeros((3, 2)))
    with pytest.raises(ConfigError, match=message):
        loaded(folder, **section)


def test_weights_that_say_nothing(folder: Path) -> None:
    FRAME.with_columns(weight=pl.lit(0)).write_csv(folder / "a.csv")
    with pytest.raises(DataError, match="weight 0"):
        loaded(folder, weight="weight")


def test_one_row() -> None:
    with pytest.raises(DataError, match="there is nothing to tell apart"):
        load(
            DataSpec.model_validate({"source": {"type": "inline", "rows": [{"x": 1, "t": "a"}]}, "target": "t"}),
            Path(),
            0,
            "f4",
        )
    section = {"source": {"type": "inline", "rows": [{"x": 1, "a": 0.01, "b": 0.99}]}, "target": ["a", "b"]}
    data = load(DataSpec.model_validate(section), Path(), 0, np.float64)
    assert len(data.train) == 1
    assert data.validation is None
    assert [p.kind for p in data.report.problems if p.kind == "split"] == ["split", "split"]


def test_images_stay_on_disk_and_are_encoded_in_batches(tmp_path: Path) -> None:
    images = RANDOM.integers(0, 256, (60, 4, 4), np.uint8)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "t.npy", np.arange(60) % 3)
    source = {"type": "npy", "path": "x.npy", "labels": "t.npy"}
    data = load(DataSpec.model_validate({"source": source}), tmp_path, 0, np.float32, CrossEntropy())
    assert data.validation is not None
    assert data.test is not None
    assert data.train.inputs["input"].values is data.test.inputs["input"].values
    assert isinstance(data.train.inputs["input"].values, np.memmap)
    assert data.inputs["input"].shape == (4, 4)
    together = np.concatenate(
        [p.take(slice(None), np.float32).inputs["input"] for p in (data.train, data.validation, data.test)]
    )
    rows = np.concatenate([p.numbers - 1 for p in (data.train, data.validation, data.test)])
    assert sorted(rows) == list(range(60))
    np.testing.assert_array_equal(together, images[rows].astype(np.float32) / np.float32(255))
    x, t, _ = arrays(data.train.take(np.array([7, 1]), np.float64))
    np.testing.assert_allclose(x, images[data.train.numbers[[7, 1]] - 1] / 255)
    assert t.tolist() == ((data.train.numbers[[7, 1]] - 1) % 3).tolist()
    assert data.report.classes["output"]["train"] == {"0": 14, "1": 14, "2": 14}
    new = load_for_evaluation(
        data.fitted, Npy(path="x.npy", labels="t.npy"), tmp_path, np.float32, {"output": CrossEntropy()}
    )
    np.testing.assert_array_equal(new.take(slice(None), np.float32).targets["output"], np.arange(60) % 3)


def test_a_matrix_with_the_target_in_its_last_column(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.column_stack([RANDOM.normal(size=(50, 2)), RANDOM.normal(7, 3, 50)]))
    data = load(
        DataSpec.model_validate({"source": {"type": "npy", "path": "x.npy"}}), tmp_path, 0, np.float64, Squares()
    )
    assert data.targets["output"].task == "regression"
    assert data.inputs["input"].shape == (2,)
    np.testing.assert_allclose(data.train.take(slice(None), np.float64).inputs["input"].mean(axis=0), 0, atol=1e-12)


def test_arrays_have_no_columns(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 3)))
    with pytest.raises(ConfigError, match=r"data\.exclude: names columns, and x\.npy is an array"):
        load(DataSpec.model_validate({"source": {"type": "npy", "path": "x.npy"}, "exclude": ["a"]}), tmp_path, 0, "f4")
    np.save(tmp_path / "n.npy", np.array([[1, 2], [np.nan, 1.0]]))
    with pytest.raises(DataError, match=r"n\.npy: example 1"):
        load(DataSpec.model_validate({"source": {"type": "npy", "path": "n.npy"}}), tmp_path, 0, "f4")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Batches of a 64 MB array: Python's own allocations stay far below it."""
    import tracemalloc

    n = 1 << 14
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (n, 64, 64))
    x[:] = 7
    x[::2, 0, 0] = 9
    np.save(tmp_path / "t.npy", np.arange(n) % 2)
    section = {"source": {"type": "npy", "path": "x.npy", "labels": "t.npy"}}
    tracemalloc.start()
    data = load(DataSpec.model_validate(section), tmp_path, 0, np.float32, CrossEntropy())
    for start in range(0, len(data.train), 512):
        data.train.take(np.arange(start, min(start + 512, len(data.train))), np.float32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # 16 MB blocks in float64 and their temporaries, whatever the size of the file


def test_idx(tmp_path: Path) -> None:
    def write(name: str, array: Array) -> None:
        sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
        (tmp_path / name).write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())

    write("x", RANDOM.integers(0, 256, (40, 3, 3), np.uint8))
    write("t", (np.arange(40) % 10).astype(np.uint8))
    source = Idx(path="x", labels="t")
    data = load(DataSpec(source=source), tmp_path, 0, np.float32, CrossEntropy())
    assert data.targets["output"].class_names == tuple("0123456789")
    assert data.report.rows == {"train": 28, "validation": 6, "test": 6}


@pytest.mark.parametrize(
    ("loss", "asked", "scaling"),
    [
        (None, "auto", "auto"),
        (MeanSquaredError(), "standardize", "standardize"),
        (Poisson(), "auto", "none"),
        (Poisson(), "none", "none"),
    ],
)
def test_counts_are_not_standardized(loss: LossSpec | None, asked: TargetScaling, scaling: str) -> None:
    assert scaling_for(loss, asked) == scaling


def test_counts_must_not_be_standardized() -> None:
    with pytest.raises(ConfigError, match="^data.preprocess.target: is standardize, and poisson takes numbers as they"):
        scaling_for(Poisson(), "standardize")
