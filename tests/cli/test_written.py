"""Tables whose numbers are written otherwise are the same tables: the same weights, predictions and figures."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nnctl.cli.main import main
from nnctl.runs.trained import open_trained
from tests.process import nnctl

RANDOM = np.random.default_rng(4)
ROWS = 120
PRICE = RANDOM.integers(-9_999_999, 9_999_999, ROWS) / 100
WEIGHT = RANDOM.integers(0, 500, ROWS)
AREA = [None if i % 9 == 0 else x for i, x in enumerate(np.round(RANDOM.normal(size=ROWS), 3).tolist())]
COST = np.round(3 * PRICE + 50 * WEIGHT + 1000, 2)
PLAIN = [["price", "weight", "area", "cost"]] + [
    [f"{p:.2f}", str(w), "" if a is None else str(a), f"{c:.2f}"]
    for p, w, a, c in zip(PRICE, WEIGHT, AREA, COST, strict=True)
]
CONFIG = """\
name: {name}
seed: 3
data: {{source: {{type: csv, path: {name}.csv{settings}}}, target: cost, split: {{validation: 0.2, test: 0.2}}}}
model: {{hidden: [4]}}
training: {{epochs: 3}}
"""
#: Settings by the name of the file, whose rows the function of that name writes.
WRITTEN = {
    "german": ', separator: ";", decimal: ",", thousands: ".", missing: ["-"], units: {price: €, weight: kg}',
    "english": ', thousands: ",", accounting: true, units: {price: $, weight: lb, cost: $}',
}


def german(row: list[str]) -> str:
    price, weight, area, cost = (f"{float(x):,}" if x else "" for x in row)
    swapped = str.maketrans(",.", ".,")
    return f"{price.translate(swapped)} €;{weight[:-2]} kg;{area.translate(swapped) or '-'};{cost.translate(swapped)}"


def english(row: list[str]) -> str:
    price, weight, area, cost = row
    negative = price.startswith("-")
    amount = f"${float(price.lstrip('-')):,.2f}"
    amount = f"({amount})" if negative else amount
    cost = f"${float(cost):,.2f}" if float(cost) >= 0 else f"${-float(cost):,.2f}-"
    return f'"{amount}",{weight}lb,{area},"{cost}"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    (folder / "plain.csv").write_text("\n".join(map(",".join, PLAIN)) + "\n")
    for name, row in {"german": german, "english": english}.items():
        header = ("," if name == "english" else ";").join(PLAIN[0])
        (folder / f"{name}.csv").write_text("\n".join([header, *map(row, PLAIN[1:])]) + "\n", encoding="utf8")
    for name in ("plain", *WRITTEN):
        (folder / f"{name}.yaml").write_text(CONFIG.format(name=name, settings=WRITTEN.get(name, "")))
        nnctl("train", f"{name}.yaml", "--quiet", cwd=folder)
    return folder


def run(folder: Path, name: str) -> str:
    (path,) = (folder / "runs").glob(f"{name}-*")
    return str(path)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_weights_to_the_byte(folder: Path, name: str) -> None:
    model, plain = (open_trained(Path(run(folder, each))) for each in (name, "plain"))
    assert model.fitted == plain.fitted
    assert model.theta.tobytes() == plain.theta.tobytes()


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_predictions_and_figures_of_new_files(folder: Path, name: str) -> None:
    def out(*arguments: str) -> str:
        return nnctl(*arguments, cwd=folder).stdout

    predictions = out("predict", run(folder, "plain"), "--data", "plain.csv")
    (folder / f"{name}.txt").write_bytes((folder / f"{name}.csv").read_bytes())
    assert out("predict", run(folder, name), "--data", f"{name}.txt") == predictions
    assert out("predict", run(folder, name), "--data", f"{name}.csv", "--batch", "7") == predictions
    figures = json.loads(out("eval", run(folder, "plain"), "--data", "plain.csv", "--json"))
    own = json.loads(out("eval", run(folder, name), "--data", f"{name}.csv", "--json"))
    assert own["metrics"] == figures["metrics"]


def test_columns_to_keep_are_copied_as_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["predict", run(folder, "german"), "--data", str(folder / "german.csv"), "--keep", "price", "--keep", "cost"])
    kept = pl.read_csv(capsys.readouterr().out.encode())
    assert kept["price"].to_list() == [german(row).split(";")[0] for row in PLAIN[1:]]
    assert kept["cost"].to_list() == [german(row).split(";")[3] for row in PLAIN[1:]]


def test_a_number_in_another_notation_is_none(folder: Path) -> None:
    (folder / "new.csv").write_text("price;weight;area\n1.234,5 €;1 kg;0,5\n1234.5 €;1 kg;0,5\n")
    said = nnctl("predict", run(folder, "german"), "--data", "new.csv", cwd=folder, code=3).stderr
    assert "new.csv, line 3: column 'price' is numeric and holds '1234.5 €'" in said
