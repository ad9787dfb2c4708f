"""Why a column is left out, one table of cases."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from nnctl.data.tables import table_of
from nnctl.suggest.columns import gives_away, left_out, more_missing

N = 100
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
    "decimal commas": ([f"{i},5" for i in range(N)], "decimal comma, such as '0,5'"),
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


def test_more_fields_that_mean_missing() -> None:
    columns = {
        "mostly numbers": [*map(str, range(N - 1)), "-"],
        "only dashes": ["-"] * N,
        "words": ["unknown", "known"] * (N // 2),
        "a few numbers": ["1", "-"] * (N // 2),
        "with another word": [*map(str, range(N - 2)), "none", "oops"],
        "floats": [float(i) for i in range(N)],
    }
    assert more_missing(table_of(pl.DataFrame(columns), "t")) == ["-"]


def test_the_class_in_other_words() -> None:
    classes = ["a", "b", "c", "a"] * 25
    columns = {
        "label": classes,
        "code": [str("abc".index(c)) for c in classes],
        "coarse": [c == "a" for c in classes],
        "close": [*classes[:-1], "b"],
    }
    table = table_of(pl.DataFrame(columns), "t")
    assert [because.value for because in gives_away(table, ["code", "coarse", "close"], "label")] == ["code"]
    assert gives_away(table.take(np.arange(9)), ["code"], "label") == []
