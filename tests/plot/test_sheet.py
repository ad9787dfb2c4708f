"""The contact sheet."""

from itertools import pairwise

import numpy as np
import pytest

from nnctl.plot.canvas import styled
from nnctl.plot.sheet import draw


@pytest.mark.parametrize("shape", [(1, 8, 6), (13, 8, 8), (7, 4, 9, 3)])
def test_every_example_with_its_captions(shape: tuple[int, ...]) -> None:
    pictures = np.random.default_rng(0).random(shape)
    captions = [(f"row {i}", "true: " + "long" * i) for i in range(len(pictures))]
    with styled():
        figure = draw(pictures, captions, "title")
        figure.draw_without_rendering()
    (axes,) = figure.axes
    np.testing.assert_array_equal([image.get_array() for image in axes.images], pictures)
    assert [text.get_text().splitlines()[0] for text in axes.texts] == [row for row, _ in captions]
    boxes = [text.get_window_extent() for text in axes.texts]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes[:6]))


def test_names_that_end_differently_stay_apart() -> None:
    captions = [(f"a long file name {i}.png", "true: class with a long name 07") for i in range(2)]
    with styled():
        (axes,) = draw(np.zeros((2, 3, 3)), captions, "title").axes
    assert [text.get_text() for text in axes.texts] == [
        "a long f…me 0.png\ntrue: cl… name 07",
        "a long f…me 1.png\ntrue: cl… name 07",
    ]
