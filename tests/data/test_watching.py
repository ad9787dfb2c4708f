"""What new data are held against: counts that do not depend on how rows come, and thresholds on either side."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnctl.data.tables import Table
from nnctl.data.watching import ClassWatch, NumberWatch, Seen, TokenWatch, missing_differs


def table(values: list[Any]) -> Table:
    import polars as pl

    return Table(pl.DataFrame({"x": values}), "t", np.arange(len(values)))


def place_from(start: int) -> Callable[[int], str]:
    return lambda row: f"row {start + row}"


@pytest.mark.parametrize("cut", [1, 3, 10])
def test_a_number_is_counted_alike_in_any_batches(cut: int) -> None:
    values = [1.0, 2.5, None, 30.0, -9.0, 2.0, 31.0, None, 1.5, 1.0]
    watch = NumberWatch("x", Seen(rows=50, missing=10, low=1.0, high=3.0))
    for start in range(0, len(values), cut):
        part = values[start : start + cut]
        watch.add(table(part), place_from(start))
    assert (watch.rows, watch.missing, watch.outside, watch.far, watch.farthest) == (10, 2, 3, 3, (28.0, 31.0, "row 6"))


@pytest.mark.parametrize(
    ("rows", "missing", "seen", "told"),
    [
        (100, 0, (1000, 0), False),
        (100, 2, (1000, 0), False),  # two in a hundred, at most
        (100, 8, (1000, 0), True),
        (10, 1, (1000, 0), True),
        (10, 1, (1000, 90), False),  # as often as in training
        (1000, 0, (1000, 300), True),  # none where there were many
        (20, 4, (30, 5), False),  # chance
        (0, 0, (30, 5), False),
    ],
)
def test_missing_values_more_often_than_by_chance(rows: int, missing: int, seen: tuple[int, int], told: bool) -> None:
    assert bool(missing_differs("x", rows, missing, Seen(rows=seen[0], missing=seen[1]))) == told


def test_unknown_tokens() -> None:
    watch = TokenWatch("text", 0.1)
    watch.add([np.array([1, 2, 0, 3]), np.array([], int), np.array([4])])
    assert watch.findings() == []  # a fifth
    watch.add([np.array([0, 0, 0])])
    (finding,) = watch.findings()
    assert (finding.rows, finding.share, finding.training) == (4, 0.5, 0.1)


def test_shares_of_classes() -> None:
    shares = np.array([0.3, 0.7])
    watch = ClassWatch("prediction", ("no", "yes"), shares)
    assert watch.findings() == []
    random = np.random.default_rng(0)
    p = random.beta(3, 7, size=(500, 1))
    for part in np.array_split(np.concatenate([p, 1 - p], axis=1), 7):
        watch.add(part)
    assert watch.findings() == []
    few = ClassWatch("prediction", ("no", "yes"), shares)
    few.add(np.array([[1.0, 0.0]] * 3))  # what chance may give
    assert few.findings() == []
    few.add(np.array([[1.0, 0.0]] * 30))
    (finding,) = few.findings()
    assert (finding.kind, finding.share, finding.training) == ("classes", 1.0, 0.3)
