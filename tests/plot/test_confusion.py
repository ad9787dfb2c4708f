"""The heat map says what the matrix says."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes._axes import Axes
from matplotlib.figure import Figure

from nnctl.engine.parameters import Array
from nnctl.plot.canvas import styled
from nnctl.plot.confusion import LONGEST_NAME, draw, short_names


def drawn(names: Sequence[str], matrix: Array | Sequence[Sequence[float]], width: float = 8.0) -> Figure:
    with styled():
        figure = draw(names, np.array(matrix), "title", width)
        figure.draw_without_rendering()
    return figure


def texts(axes: Axes, size: int) -> list[list[str]]:
    grid = np.full((size, size), "", object)
    for text in axes.texts:
        column, row = map(int, text.get_position())
        grid[row, column] = text.get_text()
    return grid.tolist()


def test_counts_stand_in_the_squares_and_shares_are_the_colours() -> None:
    matrix = np.array([[8, 2, 0], [0, 0, 0], [1000, 0, 3000]])
    figure = drawn(["a", "b", "c"], matrix)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert texts(axes, 3) == [["8", "2", "0"], ["0", "0", "0"], ["1,000", "0", "3,000"]]
    shares: list[list[float]] = [[0.8, 0.2, 0], [0, 0, 0], [0.25, 0, 0.75]]
    np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), shares)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


def test_a_text_can_be_read_on_its_square() -> None:
    axes = drawn(["a", "b"], [[100, 0], [45, 55]]).axes[0]
    colours = {(t.get_text(), t.get_color()) for t in axes.texts}
    assert colours == {("100", "white"), ("0", "#b0b0b0"), ("45", "black"), ("55", "black")}


def test_sums_of_weights() -> None:
    assert texts(drawn(["a", "b"], [[0.5, 1234.5], [2.0, 0.0]]).axes[0], 2) == [["0.5", "1.23e+03"], ["2", "0"]]


def test_labels_have_a_matrix_each() -> None:
    matrix = np.arange(12).reshape(3, 2, 2)
    *axes, _bar = drawn(["x", "y", "z"], matrix).axes
    assert [a.get_title() for a in axes] == ["x", "y", "z"]
    assert [texts(a, 2) for a in axes] == matrix.astype(str).tolist()


@pytest.mark.parametrize(
    ("classes", "width", "counts"), [(10, 8, True), (100, 8, False), (100, 30, True), (2, 3, True)]
)
def test_small_squares_go_without_counts_and_some_names(classes: int, width: int, counts: bool) -> None:
    axes = drawn([f"class {i}" for i in range(classes)], np.eye(classes, dtype=int) * 7, width).axes[0]
    assert bool(axes.texts) == counts
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in pairwise(boxes))


def test_long_names_are_cut() -> None:
    labels = drawn(["a" * 50, "b"], [[1, 0], [0, 1]]).axes[0].get_yticklabels()
    assert labels[0].get_text() == "a" * 17 + "…"


LONG = "a photograph of one "
NAMES = {
    "short ones stay": (["cat", "x" * 18], ["cat", "x" * 18]),
    "the beginning tells": (["cat and dog and more", "dog and cat and more"],
                            ["cat and dog and m…", "dog and cat and m…"]),
    "the end tells": (["class with a long name 07", "class with a long name 17"],
                      ["class wi…g name 07", "class wi…g name 17"]),
    "the middle tells": ([f"{LONG}red house in a street", f"{LONG}tin house in a street", f"{LONG}a", "owl"],
                         ["…red house in a s…", "…tin house in a s…", "…a", "owl"]),
    "one begins another": ([f"{LONG}a{LONG}", f"{LONG}a{LONG}more"],
                           ["a photog…h of one ", "a photog… one more"]),
    "nothing tells": ([f"{LONG}a{LONG}", f"{LONG}b{LONG}", "q" * 40],
                      ["1 a phot…h of one ", "2 a phot…h of one ", "3 qqqqqq…qqqqqqqqq"]),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_long_names_are_told_apart(case: str) -> None:
    names, shown = NAMES[case]
    assert short_names(names) == shown
    assert max(map(len, shown)) <= LONGEST_NAME


def test_thirty_classes_that_begin_alike_have_thirty_names() -> None:
    names = [f"class with a long name {i:02d}" for i in range(30)]
    axes = drawn(names, np.eye(30)).axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        texts = [label.get_text() for label in labels]
        assert len(set(texts)) == len(texts) > 10
    *panels, _bar = drawn(names[:3], np.ones((3, 2, 2), int)).axes
    assert len({a.get_title() for a in panels}) == 3
