"""New data that are not like those of training: what predict says of it, writes of it, and how it ends."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from nnctl.files import STDOUT
from tests.process import ROOT, nnctl

CONFIG = """
name: shop
data:
  source: {type: csv, path: train.csv}
  target: bought
  preprocess: {unseen: other, missing: mean}
model: {hidden: [8]}
optimizer: {type: adam, learning_rate: 0.02}
training: {epochs: 15}
"""
HEADER = ["age", "colour", "constant", "bought"]


def rows(count: int, seed: int) -> list[list[Any]]:
    made, r = [], random.Random(seed)
    for _ in range(count):
        age, colour = r.randrange(18, 90), r.choice(["red", "green"])
        made.append([age, colour, 7, "yes" if age + 20 * (colour == "red") + r.gauss(0, 5) > 70 else "no"])
    return made


def write(path: Path, table: list[list[Any]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *table])
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drift")
    write(folder / "train.csv", rows(400, 1))
    (folder / "shop.yaml").write_text(CONFIG)
    nnctl("train", "shop.yaml", "--quiet", cwd=folder)
    return folder


def told(folder: Path, table: list[list[Any]], *arguments: str, code: int = 0) -> tuple[str, list[dict[str, Any]]]:
    """What is said on standard error, and the findings of the report."""
    write(folder / "new.csv", table)
    done = nnctl(
        "predict", "runs/shop-0001", "--data", "new.csv", "--output", "out.csv", "--report", "report.json", *arguments,
        cwd=folder, code=code,
    )  # fmt: skip
    assert len((folder / "out.csv").read_text().splitlines()) == len(table) + 1
    document = json.loads((folder / "report.json").read_text())
    assert document["rows"] == len(table)
    return done.stderr, document["findings"]


def test_data_like_those_of_training_are_not_remarked_on(folder: Path) -> None:
    for seed in (1, 2, 3):
        assert told(folder, rows(200, seed), "--fail-on-drift") == ("", [])


def test_a_category_that_is_new(folder: Path) -> None:
    table = rows(200, 4)
    for row in table[:30]:
        row[1] = "Red"
    for row in table[30:33]:
        row[1] = "blue"
    said, (finding,) = told(folder, table, "--fail-on-drift", code=4)
    message = (
        "column 'colour': 33 of 200 rows (16.5%) with a category that training did not have: 'Red' 30 times (training "
        "has 'red'), 'blue' 3 times"
    )
    assert said == (f"warning: new.csv: {message}\nerror: new.csv: differs from the training data in 1 way\n")
    assert finding == {
        "kind": "unseen", "column": "colour", "rows": 33, "share": 33 / 200, "training": None,
        "examples": ["Red", "blue"], "message": message,
    }  # fmt: skip


def test_numbers_out_of_range(folder: Path) -> None:
    table = rows(200, 5)
    table[17][0] = 1800
    for row in table[:3]:
        row[2] = 8
    _, findings = told(folder, table)
    assert [(f["column"], f["rows"], f["examples"]) for f in findings] == [("age", 1, ["1800"]), ("constant", 3, ["8"])]
    assert findings[0]["training"] == [18, 89]
    assert findings[0]["message"].endswith("the farthest is 1800 (new.csv, line 19)")
    a_little = rows(200, 6)
    for row in a_little[:9]:
        row[0] = 95
    assert told(folder, a_little)[1] == []
    for row in a_little[:11]:
        row[0] = 95
    assert [f["rows"] for f in told(folder, a_little)[1]] == [11]


def test_values_that_are_missing(folder: Path) -> None:
    table = rows(200, 7)
    for row in table[:40]:
        row[0] = ""
    for row in table[:2]:
        row[1] = ""  # as often by chance
    _, (finding,) = told(folder, table)
    assert (finding["kind"], finding["column"], finding["rows"], finding["training"]) == ("missing", "age", 40, 0.0)


def test_another_share_of_classes(folder: Path) -> None:
    _, (finding,) = told(folder, [[random.Random(i).randrange(18, 35), "green", 7, "no"] for i in range(300)])
    assert (finding["kind"], finding["column"]) == ("classes", "prediction")
    assert "where" in finding["message"]


def test_batches_change_nothing_and_quiet_silences_no_report(folder: Path) -> None:
    table = rows(300, 8)
    for i, row in enumerate(table):
        row[0] = 5000 if i == 250 else row[0]
        row[1] = "Red" if i % 3 == 0 else row[1]
    said, findings = told(folder, table)
    assert said.count("warning") == 2
    assert told(folder, table, "--batch", "64", "--quiet") == ("", findings)
    assert told(folder, table, "--quiet", "--fail-on-drift", code=4)[1] == findings


def test_from_a_pipe_and_to_standard_output(folder: Path) -> None:
    text = write(folder / "piped.csv", [["300", "Teal", 7, "no"], *rows(99, 9)]).read_text()
    done = nnctl(
        "predict", "runs/shop-0001", "--data", "-", "--output", "out.csv", "--report", STDOUT, cwd=folder, text_in=text
    )
    assert {f["kind"] for f in json.loads(done.stdout)["findings"]} == {"unseen", "range"}


def test_a_model_that_does_not_say_what_training_had(folder: Path) -> None:
    """A file of an earlier version: of its columns nothing can be told, and nothing is."""
    old = ROOT / "tests" / "reference" / "version_1"
    (folder / "old.csv").write_text((old / "new.csv").read_text())
    model = old / "model.safetensors"
    arguments = ["--data", "old.csv", "--report", "old.json", "--output", "o.csv", "--fail-on-drift"]
    nnctl("predict", model, *arguments, cwd=folder)
    assert json.loads((folder / "old.json").read_text())["findings"] == []


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_shipped_data_are_like_themselves(tmp_path: Path, name: str) -> None:
    config = ROOT / "configs" / f"{name.replace('_', '-')}.yaml"
    run = nnctl("train", config, "--quiet", "--set", "training.epochs=20", cwd=tmp_path).stdout.strip()
    nnctl(
        "predict", run, "--data", ROOT / "datasets" / f"{name}.csv", "--output", "p.csv", "--fail-on-drift",
        cwd=tmp_path,
    )  # fmt: skip
