"""YAML with reasons says the same as without, to any reader of YAML."""

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnctl.config.yaml12 import parse
from nnctl.suggest.commented import WIDTH, Because, Off, comment, commented, plain

SCALARS = (
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
TREES = st.recursive(
    SCALARS | st.builds(Because, SCALARS, st.text()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1), inner, max_size=4)
        | st.builds(Because, st.lists(inner, max_size=3), st.text())
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1), TREES, min_size=1, max_size=5))
def test_reads_back_as_the_values_without_their_reasons(tree: dict[str, Any]) -> None:
    text = commented(tree)
    assert parse(text, "text").data == plain(tree)


def test_readers_of_yaml_1_1_agree() -> None:
    tree = {"a": Because("no", "why # not"), "b": [Because(1e-5, "small"), "12"], "c": {"on": Because([], "none")}}
    assert yaml.safe_load(commented(tree)) == plain(tree)


def test_a_reason_stands_beside_its_value_or_above_it() -> None:
    long = "word " * 40
    assert commented({"a": Because(1, "why")}) == "a: 1  # why\n"
    assert commented({"a": [Because("x", "why")]}) == "a:\n  - x  # why\n"
    assert commented({"a": {"b": 2}}) == "a:\n  b: 2\n"
    lines = commented({"a": {"b": Because(1, long)}}).splitlines()
    assert lines[-1] == "  b: 1"
    assert all(line.startswith("  # ") and len(line) <= WIDTH for line in lines[1:-1])


def test_a_reason_that_would_make_the_line_long_stands_above() -> None:
    assert commented({"a": Because("x" * 90, "twenty or more letters")}) == f"# twenty or more letters\na: {'x' * 90}\n"


def test_a_key_may_be_longer_than_yaml_likes() -> None:
    tree = {"k" * 1100: Because(1, "why"), "b": {"k" * 1100: [1]}}
    assert yaml.safe_load(commented(tree)) == plain(tree)


def test_comments_hold_nothing_that_yaml_forbids() -> None:
    assert comment("a\x07b\n\tc") == ["# a?b c"]


def test_what_is_off_is_there_without_its_marks() -> None:
    tree = {"a": 1, "b": {"c": Off([{"x": [1, "no"]}, {"y": 2, "z": "q r"}], "why"), "d": {"e": 2}}}
    text = commented(tree)
    assert yaml.safe_load(text) == plain(tree) == {"a": 1, "b": {"d": {"e": 2}}}
    assert "  # why\n" in text
    on = yaml.safe_load(text.replace("  # why\n", "").replace("  # ", "  "))
    assert on["b"]["c"] == [{"x": [1, "no"]}, {"y": 2, "z": "q r"}]


def test_a_mapping_in_a_list_is_one_line_where_nothing_is_said_within() -> None:
    tree = {"a": [{"conv": 3}, Because({"dense": 4, "activation": "no"}, "why"), {"b": Because(1, "inner")}, {}]}
    assert commented(tree).splitlines()[1:] == [
        "  - conv: 3",
        '  - {dense: 4, activation: "no"}  # why',
        "  -",
        "    b: 1  # inner",
        "  - {}",
    ]
