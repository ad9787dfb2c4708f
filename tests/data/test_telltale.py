"""What tells of the row, or of the class, and what only looks as if."""

import numpy as np
import polars as pl
import pytest

from nnctl.data.telltale import (
    BY_CHANCE,
    cut,
    determines,
    is_linear,
    names_rows,
    numbers_rows,
    rank_correlation,
    sum_text,
    terms,
)
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
        (["x", "y", "z", "w"], True),  # finer
        (["x", "y", "y", "x"], False),  # coarser
        (["x", "y", "z", "y"], False),  # as many, but crossed
    ],
)
def test_the_class_in_other_words(values: list[object], expected: bool) -> None:
    labels = ["a", "b", "c", "a"]
    assert determines(pl.Series("v", values * 10), pl.Series("v", labels * 10)) == expected
    assert not determines(pl.Series("v", values * 2), pl.Series("v", labels * 2))


def test_by_chance() -> None:
    """Of two labels as frequent, six rows a value all agree with probability (2 / 2^6)^values."""
    values, labels = pl.Series("v", np.repeat(np.arange(4), 6)), pl.Series("l", np.repeat([0, 1, 0, 1], 6))
    assert (2 / 2**6) ** 4 < BY_CHANCE < (2 / 2**6) ** 3
    assert determines(values, labels)
    assert not determines(values[:12], labels[:12])  # (2 / 2^6)^2


def test_cuts_between_classes_by_brute_force() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=60).round(1)
    codes = (x + 0.5 * random.normal(size=60) > 0).astype(int)
    right = [max(np.mean((x > c) == codes), np.mean((x <= c) == codes)) for c in np.unique(x)]
    assert cut(x, codes) == max(right)
    assert cut(x, 2 * (x > 0.3) + (x > 1)) == 1
    assert cut(x, np.arange(60) % 3) < 0.6


def test_rank_correlation() -> None:
    """Of Kendall's textbook example; 1 of what is monotone, 0 of a constant."""
    x = np.array([106, 100, 86, 101, 99, 103, 97, 113, 112, 110.0])
    y = np.array([7, 27, 2, 50, 28, 29, 20, 12, 6, 17.0])
    assert rank_correlation(x, y) == pytest.approx(-29 / 165)
    assert rank_correlation(x, -np.exp(x / 50)) == pytest.approx(-1)
    assert rank_correlation(x, np.ones(10)) == 0


def test_sums_have_their_signs() -> None:
    random = np.random.default_rng(4)
    columns = {name: random.normal(size=50).round(2) for name in "abcd"}
    y = columns["a"] - columns["b"] + columns["d"]
    assert sum_text(terms(y, columns)) == "a + d - b"
    assert sum_text({"a": -1, "b": -1}) == "-a - b"
    assert terms(y + 0.01, columns) == {}
    assert terms(columns["a"], columns) == {}  # no sum
    assert terms(y[:24], {name: x[:24] for name, x in columns.items()}) == {}  # too few rows


def test_numbers_whose_squares_overflow_are_compared_without_a_warning() -> None:
    x = np.arange(1.0, 60) * 1e300
    assert is_linear(x, 3 - 2 * x)
    assert not is_linear(x, np.arange(59.0) % 7)
    far = np.where(np.arange(59) % 2, 1.7e308, -1.7e308)
    assert not numbers_rows("a", far, np.arange(59))
    rest = np.arange(59.0) % 7 * 1e300
    assert terms(x - rest, {"a": x, "b": rest}) == {"a": 1, "b": -1}
