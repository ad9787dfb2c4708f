"""How `init` tells the way numbers and missing values are written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nnctl.config.experiment import Experiment
from nnctl.data.appearance import numbers_equal
from nnctl.data.loading import load
from nnctl.data.notation import Notation
from nnctl.data.spec import DataSpec
from nnctl.suggest.experiment import suggest

N = 60
Row = Callable[[int], str]


def written(folder: Path, header: str, row: Row, target: str = "y") -> tuple[dict[str, Any], str]:
    """The data section that `init` writes, and the whole text; the file is one that trains."""
    (folder / "a.csv").write_text("\n".join([header, *map(row, range(N))]) + "\n", encoding="utf8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        text = suggest("a.csv", [target], folder).text
    tree = yaml.safe_load(text)
    Experiment.model_validate(tree)
    load(DataSpec.model_validate(tree["data"]), folder, 0, "float32")
    return tree["data"], text


def pq(i: int) -> str:
    return "pq"[i % 7 % 2]


def x(i: int) -> int:
    return (37 * i) % 61 + 3


CASES: dict[str, tuple[str, Row, dict[str, Any], str]] = {
    "decimal comma": ("x;y", lambda i: f"{x(i)},5;{pq(i)}", {"separator": ";", "decimal": ","}, "x holds '3,5'"),
    "thousands": ("x;z;y", lambda i: f"{x(i)},113;{x(i)}.5;{pq(i)}", {"separator": ";", "thousands": ","}, "'3,113'"),
    "either of the two": (
        "x;y",
        lambda i: f"{x(i)},113;{pq(i)}",
        {"separator": ";", "thousands": ",", "decimal": "."},
        "a guess: '3,113' may be 3113 or 3.113; for the second, write",
    ),
    "either, with points": (
        "x;y",
        lambda i: f"{x(i)}.113;{pq(i)}",
        {"separator": ";", "decimal": "."},
        "a guess: '3.113' may be 3.113 or 3113; for the second, write",
    ),
    "units": (
        "x;z;y",
        lambda i: f"{x(i)} kg;€ {x(i + 5)};{pq(i)}",
        {"separator": ";", "units": {"x": "kg", "z": "€"}},
        "x holds '3 kg', z holds '€ 5'",
    ),
    "books": (
        "x;y",
        lambda i: f"({x(i)});{pq(i)}" if i % 3 else f"{x(i)};{pq(i)}",
        {"separator": ";", "accounting": True},
        "x holds '(40)'",
    ),
    "single quotes": (
        "x,c,y",
        lambda i: f"'{x(i)}','{'u, v' if i % 2 else 'w'}','{pq(i)}'",
        {"quote": "'"},
        "single quotes",
    ),
    "single quotes around words only": (
        "x,c,y",
        lambda i: f"{x(i)},'{'u' if i % 5 % 2 else 'w'}',{pq(i)}",
        {"quote": "'"},
        "",
    ),
    "a known word": ("x,y", lambda i: f"{x(i) if i % 9 else 'Unknown'},{pq(i)}", {"missing": ["Unknown"]}, "line 2, x"),
    "a rare word": ("x,y", lambda i: f"{x(i) if i != 4 else 'n/k'},{pq(i)}", {"missing": ["n/k"]}, "line 6, x"),
    "a mark among classes": ("x,y", lambda i: f"{x(i)},{pq(i) if i != 4 else '.'}", {"missing": ["."]}, "line 6, y"),
    "a value among numbers": ("x,y", lambda i: f"{i % 3 if i % 11 else '3+'},{pq(i)}", {}, "4 categories"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cells_call_for_is_written_with_the_reason(tmp_path: Path, case: str) -> None:
    header, row, settings, reason = CASES[case]
    data, text = written(tmp_path, header, row)
    source = data["source"]
    assert [word for word in source.pop("missing", ()) if word not in ("", "NA", "N/A", "nan", "NaN", "null", "?")] == (
        settings.get("missing", [])
    )
    assert source == {"type": "csv", "path": "a.csv"} | {key: v for key, v in settings.items() if key != "missing"}
    assert reason in " ".join(line.strip(" #") for line in text.splitlines())
    if case != "a value among numbers":
        assert data["types"]["x"] == "numeric"


def test_a_target_of_numbers_with_a_word_is_a_regression(tmp_path: Path) -> None:
    data, text = written(tmp_path, "x,y", lambda i: f"{x(i)},{'n/k' if i == 4 else x(i + 9) / 8}")
    assert data["task"] == "regression"
    assert data["missing_target"] == "drop"
    assert "n/k" in data["source"]["missing"]
    assert "'n/k' in a.csv, line 6, y" in text


def test_a_target_in_another_notation_is_a_regression(tmp_path: Path) -> None:
    data, _ = written(tmp_path, "x;y", lambda i: f"{x(i)};{x(i + 9)}.000,5 €")
    assert data["task"] == "regression"
    assert data["source"]["units"] == {"y": "€"}
    assert (data["source"]["decimal"], data["source"]["thousands"]) == (",", ".")


def test_only_cells_that_are_numbers_either_way_make_two_notations_rivals() -> None:
    import polars as pl

    point, comma = Notation(".", ",", False, {}), Notation(",", None, False, {})
    assert numbers_equal(pl.Series(["2.5", "1,5"]), point, comma)  # none is read twice
    assert not numbers_equal(pl.Series(["2.5", "2,113"]), point, comma)


def test_a_table_with_a_column_in_two_notations_can_be_learned_from(tmp_path: Path) -> None:
    data, _ = written(tmp_path, "a,b,y", lambda i: f'"{1 + i % 9}{",."[i % 2]}{i % 7}",{x(i)},{pq(i)}')
    assert "b" in data["types"]
