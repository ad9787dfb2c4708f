"""Differences of nested values, and of runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.runs.compare import Difference, compare, differences
from nnctl.runs.directory import RunDirectory

VALUES = st.recursive(
    st.none() | st.integers(0, 2) | st.text("ab", max_size=1),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TREES = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)

CASES = [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
    ({"a": 1, "b": 0}, {"b": 0, "c": 2}, [("a", 1, None), ("c", None, 2)]),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
    ({"a": {"b": 1}}, {"a": {"c": 1}}, [("a", {"b": 1}, {"c": 1})]),
    ({"a": [1, 2]}, {"a": [1, 3]}, [("a", [1, 2], [1, 3])]),
    ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}]}, [("a.1", {"b": 2}, None)]),
    ({"a": None}, {"a": {"b": 1}}, [("a", None, {"b": 1})]),
    ({"a": 1}, {"b": 1}, [("a", 1, None), ("b", None, 1)]),
]


@pytest.mark.parametrize(("a", "b", "expected"), CASES)
def test_differences(a: dict[str, Any], b: dict[str, Any], expected: Sequence[tuple[str, Any, Any]]) -> None:
    assert list(differences(a, b)) == [Difference(*each) for each in expected]


@given(TREES)
def test_nothing_differs_from_itself(tree: dict[str, Any]) -> None:
    assert list(differences(tree, tree)) == []


@given(TREES, TREES)
def test_swapping_the_sides_swaps_the_values(a: dict[str, Any], b: dict[str, Any]) -> None:
    swapped = {(d.key, str(d.b), str(d.a)) for d in differences(b, a)}
    assert {(d.key, str(d.a), str(d.b)) for d in differences(a, b)} == swapped


@given(TREES, TREES)
def test_everything_includes_what_differs(a: dict[str, Any], b: dict[str, Any]) -> None:
    everything = list(differences(a, b, everything=True))
    assert [d for d in everything if d.a != d.b] == [d for d in differences(a, b) if d.a != d.b]


def run_at(path: Path, config: str = "seed: 1\n", **facts: Any) -> RunDirectory:
    """A run directory as another program might have left it."""
    path.mkdir()
    run = RunDirectory(path)
    run.write_config(config)
    run.update(**facts)
    return run


def test_times_are_left_out(tmp_path: Path) -> None:
    a = run_at(tmp_path / "a", seconds=1.0, created="today", pid=1, epochs=3)
    b = run_at(tmp_path / "b", seconds=2.0, created="tomorrow", pid=2, epochs=3)
    assert not any(compare(a, b).values())
    assert [d.key for d in compare(a, b, everything=True)["metrics"]] == ["epochs"]


def test_sections(tmp_path: Path) -> None:
    a = run_at(tmp_path / "a", data={"d.csv": "1"}, versions={"numpy": "1"}, evaluation={"test": {"loss": 0.5}})
    b = run_at(
        tmp_path / "b",
        "seed: 2\n",
        data={"../d.csv": "2"},
        versions={"numpy": "2"},
        evaluation={"test": {"loss": 0.25}},
    )
    assert compare(a, b) == {
        "configuration": [("seed", 1, 2)],
        "data": [("data.d.csv", "1", "2")],
        "environment": [("versions.numpy", "1", "2")],
        "metrics": [("evaluation.test.loss", 0.5, 0.25)],
    }


def test_files_of_one_name_keep_their_paths(tmp_path: Path) -> None:
    a = run_at(tmp_path / "a", data={"x/d.csv": "1", "y/d.csv": "2"})
    b = run_at(tmp_path / "b", data={"x/d.csv": "1", "y/d.csv": "3"})
    assert compare(a, b)["data"] == [("data.y/d.csv", "2", "3")]
