"""How values are read as numbers and as labels."""

import datetime as dt
from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from nnctl.data.tables import as_labels, as_numbers, column_of, in_order, numeric_columns
from nnctl.errors import DataError
from tests.data.tables import table

NUMBERS = {
    "1e-3": 0.001,
    "-.5e+3": -500.0,
    "+5": 5.0,
    "1.": 1.0,
    "007": 7.0,
    "1" * 30: float("1" * 30),
    "inf": float("inf"),
}
NOT_NUMBERS = ["1,000", "1_000", "0x10", "1d3", "١", "1 2", "-", "true", "abc", "1e"]


def test_numbers() -> None:
    assert as_numbers(pl.Series(list(NUMBERS))).to_list() == list(NUMBERS.values())
    assert as_numbers(pl.Series(NOT_NUMBERS)).to_list() == [None] * len(NOT_NUMBERS)
    assert as_numbers(pl.Series([1.5, float("nan"), None])).to_list() == [1.5, None, None]
    assert as_numbers(pl.Series([True, False])).to_list() == [1, 0]
    assert as_numbers(pl.Series(["1", "x"], dtype=pl.Categorical)).to_list() == [1, None]
    assert as_numbers(pl.Series([dt.date(2024, 1, 2)])).to_list() == [None]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["1", "1.0", "01", "-2.00", "1.10"], ["1", "1", "01", "-2", "1.10"]),
        (["0", "-0", "-0.0", "-0.5", "-00"], ["0", "0", "0", "-0.5", "00"]),
        ([0.0, -0.0], ["0", "0"]),
        ([1, 2], ["1", "2"]),
        ([1.0, 1.5, float("nan"), None], ["1", "1.5", None, None]),
        ([True, False], ["true", "false"]),
        (["True", "FALSE", "yes", " x "], ["true", "false", "yes", "x"]),
        ([dt.date(2024, 1, 2)], ["2024-01-02"]),
    ],
)
def test_a_label_has_one_spelling(values: Sequence[str | float | date | None], labels: Sequence[str | None]) -> None:
    assert as_labels(pl.Series(values)).to_list() == labels


def test_which_columns_are_numeric() -> None:
    frame = pl.DataFrame(
        {
            "text": ["a", "1"],
            "number": ["1", None],
            "none": pl.Series([None, None], dtype=pl.String),
            "flag": [True, False],
            "nan": [float("nan"), float("nan")],
            "float": [1.0, float("nan")],
            "day": [dt.date(2024, 1, 2)] * 2,
        }
    )
    assert numeric_columns(frame) == {"number", "float"}


def test_order_of_classes() -> None:
    assert in_order(["10", "9", "-1", "9"]) == ["-1", "9", "10"]
    assert in_order(["b", "10", "a"]) == ["10", "a", "b"]


def test_nested_values_are_refused() -> None:
    with pytest.raises(DataError, match="column 'a' holds list"):
        as_numbers(pl.Series("a", [[1], [2]]))
    with pytest.raises(DataError, match="column 'a' holds"):
        column_of([{"x": 1}], "a")


def test_all_missing_columns_are_named_with_the_nearest() -> None:
    with pytest.raises(DataError, match=r"has no columns 'agee' \(did you mean 'age'\?\), 'zzz'; there are age, sex"):
        table(age=[1], sex=["f"]).require(["agee", "age", "zzz"])
