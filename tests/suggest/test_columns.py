"""Why a column is left out, one table of cases."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.data.tables import table_of
from nnctl.suggest.columns import gives_away, left_out

N = 100
RANDOM = np.random.default_rng(5)
A, B, X = (RANDOM.normal(size=N).round(2) for _ in range(3))
DICE = RANDOM.integers(1, 7, N)
LABELS = ["a", "b", "c", "a"] * 25
STATUS = pl.Series(["active", "fired", "quit", "active"] * 25)
CASES = {
    "nothing": ([None] * N, "no value"),
    "constant": (["a"] * N, "'a' in every row"),
    "constant with gaps": (["a", None] * (N // 2), None),
    "numbers": ([str(i % 7 / 2) for i in range(N)], None),
    "categories": (["red", "green"] * (N // 2), None),
    "booleans": ([True, False] * (N // 2), None),
    "lists": ([[1], [2]] * (N // 2), "a table's values are"),
    "days of either order": (
        [f"{i % 12 + 1}/3/2020" for i in range(N)],
        "dates with the day or the month first: write",
    ),
    "days of several forms": ([f"{i % 28 + 1}.3.2020" for i in range(N - 1)] + ["2020-01-01"], "dates or times"),
    "times": ([f"{i % 24}:30" for i in range(N)], "dates or times"),
    "decimal commas": ([f"{i},5" for i in range(N)], "another notation than the file's, such as '0,5'"),
    "numbers and a word": ([*map(str, range(1000, 1000 + N - 1)), "oops"], "numbers, but also 'oops'"),
    "row numbers": ([str(i) for i in range(N)], "names the row"),
    "row numbers, shuffled": ([str(i * 37 % N + 1) for i in range(N)], "names the row"),
    "customer_id": ([str(i * i) for i in range(N)], "names the row"),
    "userID": ([str(i * i) for i in range(N)], "names the row"),
    "zip": ([f"{i * i:05d}" for i in range(N)], "a code with 100 different values"),
    "hospital number": ([str(5000 + i * 7 % 90) for i in range(N)], "a code with 90 different values"),
    "squares": ([str(i * i) for i in range(N)], None),
    "paid": ([str(i * i) for i in range(N)], None),
    "names": ([f"name {i}" for i in range(N)], "text with 100 different values"),
    "many categories": ([f"street {i % 40}" for i in range(N)], "40 categories, too many for 100 rows"),
    "some categories": ([f"street {i % 10}" for i in range(N)], None),
}


@pytest.mark.parametrize("name", CASES)
def test_reasons(name: str) -> None:
    values, reason = CASES[name]
    found = left_out(table_of(pl.DataFrame({name: values}), "t"), [name])
    if reason is None:
        assert found == []
    else:
        assert found[0].value == name
        assert reason in found[0].reason


@pytest.mark.parametrize("values", [[str(i) for i in range(10)], [f"name {i}" for i in range(10)]])
def test_a_few_rows_say_nothing(values: Sequence[str]) -> None:
    assert left_out(table_of(pl.DataFrame({"a": values}), "t"), ["a"]) == []


#: Columns beside a target, whether it is of classes, and those that say it in other words, with how.
AWAY: dict[str, tuple[dict[str, Any], bool, dict[str, str]]] = {
    "one to one": ({"t": LABELS, "code": ["abc".index(c) for c in LABELS]}, True, {"code": "t in other words"}),
    "many to one": (
        {"t": STATUS.str.contains("active").cast(int), "status": STATUS},
        True,
        {"status": "t in other words"},
    ),
    "coarser": ({"t": LABELS, "coarse": [c == "a" for c in LABELS]}, True, {}),
    "one exception": ({"t": LABELS, "close": [*LABELS[:-1], "b"]}, True, {}),
    "by chance": ({"t": LABELS[:24], "few": [f"c{i // 2}" for i in range(24)]}, True, {}),
    "each its own": ({"t": LABELS, "name": [f"n{i}" for i in range(N)]}, True, {}),
    "a range of amounts": ({"t": [x > 3 for x in DICE], "points": DICE}, True, {}),
    "sum": ({"t": A + B, "a": A, "b": B, "x": X}, False, {"a": "t is a + b", "b": "t is a + b"}),
    "difference": ({"t": A - B, "a": A, "b": B, "x": X}, False, {"a": "t is a - b", "b": "t is a - b"}),
    "part of a sum": (
        {"t": A, "all": A + B + X, "b": B, "x": X},
        False,
        dict.fromkeys(["all", "b", "x"], "t is all -"),
    ),
    "sum with gaps": (
        {"t": A + B, "a": [None, *A[1:].tolist()], "b": B, "x": X},
        False,
        {"a": "t is a + b", "b": "t is a + b"},
    ),
    "sum of classes": (
        {"t": DICE + 1 - DICE % 2, "a": DICE, "b": 1 - DICE % 2},
        True,
        {"a": "t is a + b", "b": "t is"},
    ),
    "not quite": ({"t": A + B + 0.01 * X, "a": A, "b": B}, False, {}),
    "other weights": ({"t": 2 * A + B, "a": A, "b": B}, False, {}),
    "other unit": ({"t": A, "cents": 100 * A, "b": B}, False, {"cents": "t in other words"}),
}


@pytest.mark.parametrize("case", AWAY)
def test_the_target_in_other_words(case: str) -> None:
    columns, classes, expected = AWAY[case]
    table = table_of(pl.DataFrame(columns, strict=False), "t")
    names = [name for name in columns if name != "t"]
    found = {because.value: because.reason for because in gives_away(table, names, "t", classes=classes)}
    assert found.keys() == expected.keys()
    assert all(found[name].startswith(how) for name, how in expected.items())
    assert gives_away(table.take(np.arange(9)), names, "t", classes=classes) == []
