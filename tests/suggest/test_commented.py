"""YAML with reasons says the same as without, to any reader of YAML."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnctl.config.yaml12 import parse
from nnctl.suggest.commented import WIDTH, Because, comment, commented, plain

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
def test_reads_back_as_the_values_without_their_reasons(tree):
    text = commented(tree)
    assert parse(text, "text").data == plain(tree)


def test_readers_of_yaml_1_1_agree():
    tree = {"a": Because("no", "why # not"), "b": [Because(1e-5, "small"), "12"], "c": {"on": Because([], "none")}}
    assert yaml.safe_load(commented(tree)) == plain(tree)


def test_a_reason_stands_beside_its_value_or_above_it():
    long = "word " * 40
    assert commented({"a": Because(1, "why")}) == "a: 1  # why\n"
    assert commented({"a": [Because("x", "why")]}) == "a:\n  - x  # why\n"
    assert commented({"a": {"b": 2}}) == "a:\n  b: 2\n"
    lines = commented({"a": {"b": Because(1, long)}}).splitlines()
    assert lines[-1] == "  b: 1"
    assert all(line.startswith("  # ") and len(line) <= WIDTH for line in lines[1:-1])


def test_a_reason_that_would_make_the_line_long_stands_above():
    assert commented({"a": Because("x" * 90, "twenty or more letters")}) == f"# twenty or more letters\na: {'x' * 90}\n"


def test_a_key_may_be_longer_than_yaml_likes():
    tree = {"k" * 1100: Because(1, "why"), "b": {"k" * 1100: [1]}}
    assert yaml.safe_load(commented(tree)) == plain(tree)


def test_comments_hold_nothing_that_yaml_forbids():
    assert comment("a\x07b\n\tc") == ["# a?b c"]
