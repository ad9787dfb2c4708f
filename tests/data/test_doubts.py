"""A stray value or another notation never changes what a column or a target is without a word."""

import random
from pathlib import Path
from typing import Any

import pytest

from nnctl.data.loading import load
from nnctl.data.spec import DataSpec
from nnctl.errors import DataError
from nnctl.losses import CrossEntropy

N = 200
RANDOM = random.Random(3)


def doubts(folder: Path, header: str, rows: list[str], loss: Any = None, **section: Any) -> list[str]:
    (folder / "a.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf8")
    source = {"type": "csv", "path": "a.csv", **section.pop("source", {})}
    spec = DataSpec.model_validate({"source": source, "target": "y", **section})
    data = load(spec, folder, 0, "float64", loss)
    again = load(data.resolved, folder, 0, "float64", loss)
    assert not [each for each in again.report.problems if each.kind == "doubtful"]  # what is written down is meant
    return [each.message for each in data.report.problems if each.kind == "doubtful"]


def with_stray(word: str, place: int = 7) -> list[str]:
    rows = [f"{RANDOM.randint(18, 80)},{'pq'[i % 2]}" for i in range(N)]
    rows[place] = f"{word},p"
    return rows


def test_a_word_among_numbers_is_told_with_its_line_and_the_remedy(tmp_path: Path) -> None:
    (said,) = doubts(tmp_path, "x,y", with_stray("unknown"))
    assert said.startswith("a.csv, line 9: column 'x' holds 'unknown' (in 1 row of 200) beside ")
    assert 'write missing: [NA, "N/A", "nan", "NaN", "null", "?", unknown] in its source' in said
    assert said.endswith("write data.types: {x: categorical}")
    missing = ["NA", "N/A", "nan", "NaN", "null", "?", "unknown"]
    assert not doubts(tmp_path, "x,y", with_stray("unknown"), source={"missing": missing})
    assert not doubts(tmp_path, "x,y", with_stray("unknown"), types={"x": "categorical"})
    assert not doubts(tmp_path, "x,y", with_stray("44"))


def test_a_target_of_numbers_with_a_word_is_refused(tmp_path: Path) -> None:
    rows = [f"{i},{RANDOM.randint(0, 99) / 10}" for i in range(N)]
    rows[4] = "4,n/k"
    with pytest.raises(
        DataError, match=r"a\.csv, line 6: target 'y' holds 'n/k' .*missing_target: drop.*data\.task: class"
    ):
        doubts(tmp_path, "x,y", rows)
    assert doubts(tmp_path, "x,y", rows, task="classification") == []
    (said,) = doubts(tmp_path, "x,y", rows, CrossEntropy())  # which is for classes only
    assert "'n/k'" in said
    few = [f"{i},{i % 3}" for i in range(N)]
    few[4] = "4,n/k"
    (said,) = doubts(tmp_path, "x,y", few)  # classes with it and without
    assert "a.csv, line 6: target 'y' holds 'n/k'" in said


NOTATIONS = {
    'decimal: ","': ("{i},25", ";"),
    'thousands: ","': ("{i},113.5", ";"),
    'units: {x: "$"}': ("${i}", ","),
    "units: {x: kg}": ("{i} kg", ","),
    "accounting: true": ("({i})", ","),
}


@pytest.mark.parametrize("setting", NOTATIONS)
def test_numbers_in_another_notation_are_told_with_what_to_write(tmp_path: Path, setting: str) -> None:
    form, separator = NOTATIONS[setting]
    rows = [f"{form.format(i=i + 1)}{separator}{'pq'[i % 2]}" for i in range(N)]
    (said,) = doubts(tmp_path, f"x{separator}y", rows, source={"separator": separator})
    assert said.startswith(f"a.csv, line 2: column 'x' holds {form.format(i=1)!r}, a number in another notation")
    assert f"write {setting} in its source" in said


def test_a_target_in_another_notation_is_refused(tmp_path: Path) -> None:
    rows = [f"{i};{i},5" for i in range(N)]
    with pytest.raises(DataError, match='line 2: target .y. holds .0,5., a number in another.*write decimal: ","'):
        doubts(tmp_path, "x;y", rows, source={"separator": ";"})


def test_marks_for_nothing_among_classes_are_told(tmp_path: Path) -> None:
    rows = [f"{i},{'pqr'[i % 3]}" for i in range(N)]
    rows[5] = "5,."
    (said,) = doubts(tmp_path, "x,y", rows)
    assert said.startswith("a.csv, line 7: target 'y' holds '.' (in 1 row of 200), and is read as classes")
