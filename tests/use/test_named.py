"""Models of several inputs and outputs, from their file to evaluation and prediction."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.cli.main import main
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.data.sources import source_of
from nnctl.errors import ConfigError
from nnctl.runs.model import Model
from nnctl.runs.trained import open_trained
from nnctl.training.assemble import job_of
from nnctl.training.evaluate import Evaluator
from nnctl.use.evaluation import file_data, measure, own_data
from nnctl.use.limits import limit_of, metric_of
from nnctl.use.prediction import Prediction
from nnctl.use.worst import worst, worst_frame
from tests.runs.made import make_run

# Not in the order of the alphabet: inputs are joined in the order of the file.
CONFIG = """\
data:
  source: {type: csv, path: t.csv}
  inputs:
    second: {columns: [b, c]}
    first: {columns: [a]}
    words: {type: text, column: text}
  outputs:
    price: {target: price, loss: huber, weight: 0.5, metrics: [mae]}
    kind: {target: kind, metrics: [accuracy]}
model:
  inputs: {words: [{embedding: 3}, global_average_pool]}
  layers: [{dense: 5}, tanh]
"""
CSV = "a,b,c,text,price,kind\n" + "".join(
    f"{i},{(i * 7) % 11},{'xy'[i % 2]},{'red car ' * (i % 3)},{'' if i % 4 == 0 else i / 2},"
    f"{'' if i % 5 == 0 else 'uvw'[i % 3]}\n"
    for i in range(60)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("named")


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    return make_run(folder, CONFIG, t_csv=CSV)


@pytest.fixture
def model(run: Path) -> Model:
    return open_trained(run)


def test_a_model_file_keeps_the_order_of_its_inputs(folder: Path, run: Path, model: Model) -> None:
    job = job_of(load_experiment(folder / "experiment.yaml", (), Experiment))
    assert list(model.fitted.inputs) == list(job.data.inputs) == ["second", "first", "words"]
    assert model.fitted == job.data.fitted
    assert job.data.test is not None
    tally, outputs, _ = Evaluator(job.network, job.heads, model.theta)(job.data.test)
    losses = tally.means()
    found = measure(model, own_data(model, run, "test", pytest.fail)[1])
    assert found.loss == 0.5 * losses["price"] + losses["kind"]
    for name, each in found.outputs.items():
        assert each.figures["loss"] == losses[name]
        known = job.data.test.truths[name].has(slice(None))
        decoded = model.fitted.outputs[name].decode(model.losses[name].predict(outputs[name]))
        np.testing.assert_array_equal(each.predictions.outputs, decoded[known])


def test_the_loss_of_a_split_is_that_of_its_examples(run: Path, model: Model) -> None:
    data = own_data(model, run, "train", pytest.fail)[1]
    found = measure(model, data, model.metrics)
    for name, each in found.outputs.items():
        assert len(each.losses) == data.truths[name].has(slice(None)).sum()
        assert each.losses.mean() == pytest.approx(each.figures["loss"], rel=1e-5)
    weighted = np.zeros(len(data))
    for name, weight in (("price", 0.5), ("kind", 1.0)):
        weighted[data.truths[name].has(slice(None))] += weight * found.outputs[name].losses
    np.testing.assert_array_equal(found.losses, weighted)
    assert list(found.figures) == ["loss", "price.loss", "price.mae", "kind.loss", "kind.accuracy"]


def test_the_worst_examples_say_nothing_of_what_is_not_known(run: Path, model: Model) -> None:
    data = own_data(model, run, "train", pytest.fail)[1]
    found = measure(model, data)
    frame = worst_frame(found, data, worst(found, len(data)))
    source = pl.read_csv(CSV.encode())
    assert frame.columns == [
        "row", "price.truth", "price.prediction", "kind.truth", "kind.prediction", "kind.probability", "loss",
    ]  # fmt: skip
    for line in frame.to_dicts():
        row = source.row(line["row"] - 1, named=True)
        assert (line["price.truth"], line["kind.truth"]) == (row["price"], row["kind"])
        assert (line["price.prediction"] is None, line["kind.probability"] is None) == (
            row["price"] is None, row["kind"] is None,
        )  # fmt: skip
    assert frame["loss"].is_sorted(descending=True)


@pytest.mark.parametrize("rows", [7, 1000])
def test_predictions_have_columns_for_each_output(folder: Path, model: Model, rows: int) -> None:
    prediction = Prediction(model, source_of("t.csv"), folder, keep=["a"])
    prediction.check()
    frame = pl.concat(list(prediction.frames(rows)))
    assert frame.columns == [
        "a", "prediction_price", "prediction_kind", "probability_kind_u", "probability_kind_v", "probability_kind_w",
    ]  # fmt: skip
    assert list(prediction.ignored) == []
    data = file_data(model, str(folder / "t.csv"))
    _, outputs, _ = Evaluator(model.network, model.heads, model.theta)(data)
    price = model.fitted.outputs["price"].decode(outputs["price"])[:, 0]
    np.testing.assert_allclose(frame["prediction_price"].to_numpy(), price, rtol=1e-5)
    with pytest.raises(ConfigError, match="--keep prediction_kind: the predictions have a column of that name"):
        Prediction(model, source_of("t.csv"), folder, keep=["prediction_kind"]).check()


def test_limits_name_the_output(model: Model) -> None:
    targets = model.fitted.outputs
    assert limit_of("price.mae=3", targets).name == "price.mae"
    assert limit_of("kind.loss=1", targets).upper
    assert limit_of("loss=1", targets).upper
    assert metric_of("kind.macro_f1", targets)[0] == "kind"
    with pytest.raises(ConfigError, match="'mae': of which output\\? There are price, kind; write .* price.rmse"):
        metric_of("mae", targets)
    with pytest.raises(ConfigError, match="no metric 'acuracy'; did you mean 'accuracy'"):
        metric_of("kind.acuracy", targets)
    with pytest.raises(ConfigError, match="accuracy is for classification, and the target is regression"):
        metric_of("price.accuracy", targets)


def test_a_file_without_a_column_of_text(folder: Path, model: Model) -> None:
    (folder / "n.jsonl").write_text("\n".join(json.dumps({"a": i, "b": 1, "c": "x"}) for i in range(3)) + "\n")
    frames: Any = Prediction(model, source_of("n.jsonl"), folder).frames()
    with pytest.raises(Exception, match="has no column 'text'"):
        list(frames)


def test_an_output_without_its_column_is_left_out(folder: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures of the others are those of the whole file."""
    pl.read_csv(folder / "t.csv").drop("price").write_csv(folder / "no_price.csv")
    found = []
    for name in ("t.csv", "no_price.csv"):
        assert main(["eval", str(run), "--data", str(folder / name), "--json"]) == 0
        out, err = capsys.readouterr()
        found.append(json.loads(out)["outputs"])
    assert list(found[1]) == ["kind"]
    assert found[1]["kind"] == found[0]["kind"]
    assert "no_price.csv: has not all of price, so the output price is left out" in err
    for option in ("--fail-under=price.mae=1", "--fail-under=loss=9", "--metric=price.rmse"):
        assert main(["eval", str(run), "--data", str(folder / "no_price.csv"), option]) == 2
        assert "no target of" in capsys.readouterr().err
    assert main(["eval", str(run), "--data", str(folder / "no_price.csv"), "--fail-under", "kind.loss=9"]) == 0
    pl.read_csv(folder / "t.csv").drop("price", "kind").write_csv(folder / "neither.csv")
    assert main(["eval", str(run), "--data", str(folder / "neither.csv")]) == 3
