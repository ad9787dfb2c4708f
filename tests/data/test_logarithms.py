"""Logarithms of targets and columns: what the network sees, what is said in the target's own units, what is refused."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data.columns import NumericColumn
from nnctl.data.inputs.columns import FittedColumns
from nnctl.data.preprocess import Logarithm
from nnctl.data.scaling import LARGEST
from nnctl.data.targets import Numbers
from nnctl.errors import ConfigError, DataError
from nnctl.losses import MeanSquaredError
from tests.data.tables import encoded, fitted, table
from tests.process import nnctl

AMOUNTS = [0.5, 3.0, 20.0, 1000.0, 1e6]
EXPERIMENT = """
name: prices
data:
  source: {type: csv, path: prices.csv}
  target: price
  preprocess: {target: log, columns: {income: {numeric: log1p}}}
model: {hidden: [6]}
training: {epochs: 3}
"""


def by_hand(values: list[float], kind: str) -> list[float]:
    """Standardized logarithms, value by value."""
    logs = [math.log(x if kind == "log" else 1 + x) for x in values]
    mean = sum(logs) / len(logs)
    deviation = math.sqrt(sum((y - mean) ** 2 for y in logs) / len(logs))
    return [(y - mean) / deviation for y in logs]


@pytest.mark.parametrize("kind", ["log", "log1p"])
def test_a_column_is_its_standardized_logarithms_and_can_be_undone(kind: Logarithm) -> None:
    data = table(income=AMOUNTS)
    column = fitted(data, "income", columns={"income": {"numeric": kind}})
    assert isinstance(column, NumericColumn)
    z = encoded(column, data)
    np.testing.assert_allclose(z[:, 0], by_hand(AMOUNTS, kind), rtol=1e-12)
    np.testing.assert_allclose(FittedColumns(columns=(column,)).undone(z)[:, 0], AMOUNTS, rtol=1e-12)


def test_a_missing_value_is_filled_with_the_mean_logarithm() -> None:
    data = table(income=[1.0, None, 100.0])
    column = fitted(data, "income", missing="indicator", columns={"income": {"numeric": "log"}})
    z = encoded(column, data)
    assert z[1].tolist() == [0.0, 1.0]  # the mean of ln 1 and ln 100, which is ln 10
    assert z[0, 0] == pytest.approx(-z[2, 0])


@pytest.mark.parametrize("kind", ["log", "log1p"])
def test_a_target_is_learned_as_logarithms_and_said_in_its_own_units(kind: Logarithm) -> None:
    data, loss = table(price=AMOUNTS), MeanSquaredError()
    target = Numbers.fit(data, ["price"], kind, np.arange(len(AMOUNTS)))
    truth = target.read_all(data)
    np.testing.assert_array_equal(truth[:, 0], AMOUNTS)
    z = target.encode(truth, loss, np.float64)
    np.testing.assert_allclose(z[:, 0], by_hand(AMOUNTS, kind), rtol=1e-12)
    np.testing.assert_allclose(target.decode(z), truth, rtol=1e-12)
    assert target.as_mean(target.trivial(truth), loss) == pytest.approx(0.0, abs=1e-12)
    assert target.decode(np.array([[1e9]])) == pytest.approx(LARGEST)  # and no overflow


def test_what_says_nothing_of_logarithms_is_written_as_before() -> None:
    target = Numbers(columns=("price",), centre=(0.0,), scale=(1.0,))
    column = NumericColumn(name="x", centre=0.0, scale=1.0, fill=None, indicator=False)
    assert "logarithm" not in target.model_dump() | column.model_dump()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("log", 0.0, r"row 2: .*'a' is 0\.0, and 0 has no logarithm .*or write log1p"),
        ("log", -1.5, r"row 2: .*'a' is -1\.5, and a negative number has no logarithm .*or write standardize"),
        ("log1p", -0.5, r"row 2: .*'a' is -0\.5, and a negative number has no logarithm .*or write standardize"),
    ],
)
def test_what_has_no_logarithm_is_refused_with_its_row(kind: Any, value: float, said: str) -> None:
    data = table(a=[1.0, value, 3.0])
    with pytest.raises(DataError, match=said) as of_column:
        fitted(data, "a", columns={"a": {"numeric": kind}})
    assert f"data.preprocess.columns.a.numeric is {kind}" in str(of_column.value)
    with pytest.raises(DataError, match=said) as of_target:
        Numbers.fit(data, ["a"], kind, np.array([0, 2]))
    assert f"data.preprocess.target is {kind}" in str(of_target.value)


def test_categories_have_no_logarithm() -> None:
    with pytest.raises(ConfigError, match=r"data\.preprocess\.columns\.a\.numeric: is log, and the column is categ"):
        fitted(table(a=["x", "y"]), "a", columns={"a": {"numeric": "log"}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices that are a power of incomes, both skewed; a run on their logarithms."""
    folder = tmp_path_factory.mktemp("prices")
    random = np.random.default_rng(0)
    income = np.exp(random.normal(3, 1.5, 120)).round(2)
    price = (50 * income**0.8 * np.exp(random.normal(0, 0.2, 120))).round(2)
    rows = "\n".join(f"{a},{b}" for a, b in zip(income, price, strict=True))
    (folder / "prices.csv").write_text(f"income,price\n{rows}\n")
    (folder / "prices.yaml").write_text(EXPERIMENT)
    nnctl("train", "prices.yaml", "--quiet", "--set", "training.epochs=60", cwd=folder)
    return folder


def test_metrics_and_predictions_are_in_the_units_of_the_target(folder: Path) -> None:
    nnctl("predict", "runs/prices-0001", "--data", "prices.csv", "--output", "said.csv", cwd=folder)
    said = np.loadtxt(folder / "said.csv", skiprows=1, delimiter=",")
    price = np.loadtxt(folder / "prices.csv", skiprows=1, delimiter=",")[:, 1]
    shown = nnctl("eval", "runs/prices-0001", "--data", "prices.csv", "--json", cwd=folder)
    metrics = json.loads(shown.stdout)["metrics"]
    assert metrics["mae"] == pytest.approx(np.abs(said - price).mean(), rel=1e-5)
    assert np.abs(np.log(said) - np.log(price)).mean() < 0.5 * np.abs(np.log(price) - np.log(price).mean()).mean()


def test_commands_take_such_runs(folder: Path) -> None:
    nnctl("gradcheck", "prices.yaml", cwd=folder)
    nnctl("explain", "prices.yaml", cwd=folder)
    assert "chance gives 1.0" in nnctl("check", "prices.yaml", cwd=folder).stdout
    nnctl("train", "runs/prices-0001/config.yaml", "--quiet", "--set", "name=again", cwd=folder)
    one, other = (json.loads(nnctl("eval", f"runs/{r}-0001", "--json", cwd=folder).stdout) for r in ("prices", "again"))
    assert one["metrics"] == other["metrics"]


def test_zeros_among_the_prices_are_refused_with_line_in_training_and_eval(folder: Path) -> None:
    (folder / "zero.csv").write_text("income,price\n1.0,5.0\n2.0,0\n")
    said = nnctl("eval", "runs/prices-0001", "--data", "zero.csv", cwd=folder, code=3).stderr
    assert "zero.csv, line 3: target 'price'" in said
    said = nnctl("train", "prices.yaml", "--set", "data.source.path=zero.csv", cwd=folder, code=3).stderr
    assert "zero.csv, line 3: target 'price'" in said
    assert "write log1p" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("loss=poisson", "data.preprocess.target: is log, and poisson takes numbers as they are"),
        ("data.task=classification", "data.preprocess.target: is log, and the task is classification"),
    ],
)
def test_contradictions_are_refused(folder: Path, change: str, said: str) -> None:
    arguments = ["--set", change] if "loss" in change else ["--set", change, "--set", "data.source.path=few.csv"]
    (folder / "few.csv").write_text("income,price\n" + "1,2\n2,3\n3,2\n" * 9)
    assert said in nnctl("train", "prices.yaml", *arguments, cwd=folder, code=2).stderr
