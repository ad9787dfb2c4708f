"""The data sets that ship are the ones their README describes."""

import csv
import hashlib
import io
import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from nnctl.data.generators import AnyGenerator, write_csv

FOLDER = Path(__file__).parents[1] / "datasets"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
CHECKSUMS = dict(re.findall(r"^\| (\S+\.csv) \| `([0-9a-f]{64})` \|$", README, re.MULTILINE))
SIZES = {
    name: (int(r), int(c)) for name, r, c in re.findall(r"^\| (\S+\.csv) \| (\d+) \| (\d+) \|", README, re.MULTILINE)
}
RECIPES = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0])


def test_readme_lists_every_file() -> None:
    assert set(CHECKSUMS) == set(SIZES) == {path.name for path in FOLDER.glob("*.csv")}


@pytest.mark.parametrize("name", CHECKSUMS)
def test_checksum(name: str) -> None:
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == CHECKSUMS[name]


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_gives_the_file_byte_for_byte(name: str) -> None:
    file = io.StringIO(newline="")
    write_csv(TypeAdapter(AnyGenerator).validate_python(RECIPES[name]).generate(), file)
    assert file.getvalue().encode() == (FOLDER / name).read_bytes()


#: From the data sets' own descriptions: rows a class.
CLASSES = {
    "iris.csv": {"setosa": 50, "versicolor": 50, "virginica": 50},
    "wine.csv": {"barolo": 59, "grignolino": 71, "barbera": 48},
    "breast_cancer.csv": {"benign": 357, "malignant": 212},
    "digits.csv": dict(zip("0123456789", (178, 182, 177, 183, 181, 182, 181, 179, 174, 180), strict=True)),
    "xor.csv": {"even": 2, "odd": 2},
    "moons.csv": {"upper": 200, "lower": 200},
    "imbalance.csv": {"a": 1900, "b": 100},
}


@pytest.mark.parametrize("name", SIZES)
def test_contents(name: str) -> None:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert (len(rows), len(header)) == SIZES[name]
    assert len(set(header)) == len(header)
    assert {len(row) for row in rows} == {len(header)}
    assert all(field for row in rows for field in row)
    if name in CLASSES:
        targets = [row[-1] for row in rows]
        assert {c: targets.count(c) for c in targets} == CLASSES[name]
    if name in ("digits.csv", "diabetes.csv"):
        assert all(re.fullmatch(r"\d+", row[0]) for row in rows)  # integers stay integers
