"""What tells of the row, or of the class, and what only looks as if."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from nnctl.data.telltale import names_rows, numbers_rows, one_to_one
from nnctl.engine.parameters import Array

N = 100
ROWS = np.arange(N)
LINES = np.arange(2, N + 2)
#: A column's name, its values, and whether they number the rows.
NUMBERED: dict[str, tuple[str, Array, bool]] = {
    "rows": ("a", ROWS, True),
    "rows from another": ("a", ROWS + 1000, True),
    "rows, shuffled": ("a", ROWS * 37 % N, True),
    "squares": ("a", ROWS**2, False),
    "squares called so": ("customer_id", ROWS**2, True),
    "the same, in one word": ("customerId", ROWS**2, True),
    "a word that ends so": ("paid", ROWS**2, False),
    "called so, but one comes twice": ("id", np.maximum(1, ROWS), False),
    "called so, but not whole": ("id", ROWS**2 / 7, False),
    "called so, but one is missing": ("id", np.where(ROWS == 3, np.nan, ROWS), False),
    "constant": ("id", np.zeros(N), False),
}


@pytest.mark.parametrize("case", NUMBERED)
def test_numbers_given_to_rows(case: str) -> None:
    name, values, expected = NUMBERED[case]
    assert numbers_rows(name, values.astype(float), LINES) == expected


def test_rows_left_out_in_between_leave_a_number_of_rows() -> None:
    kept = np.flatnonzero(ROWS % 3)
    assert numbers_rows("a", 7.0 + kept, LINES[kept])
    assert not numbers_rows("a", 7.0 + np.where(kept == 50, 1000, kept), LINES[kept])


def test_a_few_rows_say_nothing() -> None:
    assert not numbers_rows("id", ROWS[:20].astype(float), LINES[:20])
    assert numbers_rows("id", ROWS[:21].astype(float), LINES[:21])
    assert not names_rows(20, 20)
    assert names_rows(21, 21)


def test_names_are_as_many_as_half_the_rows() -> None:
    assert names_rows(51, 100)
    assert not names_rows(50, 100)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["x", "y", "z", "x"], True),
        ([1.5, None, 2.5, 1.5], True),
        (["x", "y", "y", "x"], False),  # coarser
        (["x", "y", "z", "w"], False),  # finer
        (["x", "y", "z", "y"], False),  # as many, but crossed
    ],
)
def test_the_class_in_other_words(values: Sequence[object], expected: bool) -> None:
    assert one_to_one(pl.Series("v", values), pl.Series("v", ["a", "b", "c", "a"])) == expected
