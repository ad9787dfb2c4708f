"""What columns of text would be but for a few cells, or for how their numbers are written."""

from collections.abc import Sequence
from typing import Any

import pytest

from nnctl.data.appearance import guessed, no_words, strays
from nnctl.data.notation import PLAIN, Notation
from tests.data.tables import table

N = range(40)
TEXT = [f"name {i}" for i in N]
NUMBERS = [str(i) for i in N]

GUESSES: dict[str, tuple[dict[str, Any], Notation, set[str], Notation | None]] = {
    "plain": ({"a": [f"{i}.25" for i in N], "b": NUMBERS, "c": TEXT}, PLAIN, set(), None),
    "decimal comma": ({"a": [f"0,{i}25" for i in N], "b": NUMBERS}, Notation(","), {"a"}, None),
    "thousands": ({"a": [f"{i},113" for i in N], "b": [f"0.{i}" for i in N]}, Notation(".", ","), {"a"}, None),
    "either": ({"a": [f"{i + 1},113" for i in N], "b": NUMBERS}, Notation(".", ","), {"a"}, Notation(",")),
    "settled by another column": (
        {"a": [f"{i + 1},113" for i in N], "b": [f"{i},5" for i in N]},
        Notation(","),
        {"a", "b"},
        None,
    ),
    "points that may separate thousands": (
        {"a": [f"{i + 1}.113" for i in N]},
        PLAIN,
        set(),
        Notation(",", "."),
    ),
    "points that do": ({"a": [f"{i + 1}.113" for i in N], "b": [f"{i},5" for i in N]}, Notation(",", "."), {"b"}, None),
    "both": ({"a": [f"{i + 1}.113,5" for i in N]}, Notation(",", "."), {"a"}, None),
    "spaces": ({"a": [f"{i + 1} 113,5" for i in N]}, Notation(",", " "), {"a"}, None),
    "apostrophes": ({"a": [f"{i + 1}'113.5" for i in N]}, Notation(".", "'"), {"a"}, None),
    "books": ({"a": [f"({i})" if i % 3 else str(i) for i in N]}, Notation(accounting=True), {"a"}, None),
    "units": (
        {
            "a": [f"{i} kg" for i in N],
            "b": [f"${i}.5" for i in N],
            "c": [f"{i}%" for i in N],
            "d": [f"{i} m2" for i in N],
        },
        Notation(units={"a": "kg", "b": "$", "c": "%", "d": "m2"}),
        {"a", "b", "c", "d"},
        None,
    ),
    "different units": ({"a": [f"{i} {'kg' if i % 2 else 'g'}" for i in N]}, PLAIN, set(), None),
    "no numbers": (
        {
            "code": [f"A{i}" for i in N],
            "day": [f"2020-01-{i}" for i in N],
            "time": [f"{i}:00" for i in N],
            "range": [f"{i}-{i + 1}" for i in N],
            "ratio": [f"{i}/2" for i in N],
            "version": [f"1.2.{i}" for i in N],
            "empty": [None for i in N],
        },
        PLAIN,
        set(),
        None,
    ),
}


@pytest.mark.parametrize("case", GUESSES)
def test_the_notation_is_that_which_makes_most_cells_numbers(case: str) -> None:
    columns, notation, gained, rival = GUESSES[case]
    assert guessed(table(**columns)) == (notation, gained, rival)


STRAYS: list[tuple[Sequence[str | None], tuple[str, ...] | None]] = [
    ([*NUMBERS, "unknown"], ("unknown",)),
    ([*NUMBERS, None, "n/k", "n/k", "x"], ("n/k", "x")),
    ([*NUMBERS, *["unknown"] * 40], ("unknown",)),  # many cells, but one value of forty-one
    (["0", "1", "2"] * 20 + ["3+"] * 5, ("3+",)),  # few values, but nearly all cells
    (["0", "1", "2"] * 20 + ["3+"] * 15, None),
    (NUMBERS, None),
    (TEXT, None),
    ([*NUMBERS, "a", "b", "c", "d", "e", "f"], None),
    (["1", "x"], None),
]


@pytest.mark.parametrize(("cells", "words"), STRAYS)
def test_a_few_words_among_numbers(cells: Sequence[str | None], words: tuple[str, ...] | None) -> None:
    odd = strays(table(x=cells), "x")
    assert (odd and odd.words) == words
    if odd and words:
        assert cells[odd.first] in words
        assert not set(cells[: odd.first]) & set(words)
        assert odd.count == sum(cell in words for cell in cells)


def test_marks_among_words() -> None:
    odd = no_words(table(x=["a", "b", ".", "a", "."]), "x")
    assert odd is not None
    assert (odd.words, odd.count, odd.first) == ((".",), 2, 2)
    assert no_words(table(x=["+", "-", "+"]), "x") is None
    assert no_words(table(x=["a", "b", "c"]), "x") is None
    assert no_words(table(x=[1, 2]), "x") is None
