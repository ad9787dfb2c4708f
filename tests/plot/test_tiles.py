"""Tiles fill their width and do not lie on each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nnctl.plot.canvas import new_figure, styled
from nnctl.plot.tiles import Tiles, fitting_columns


@given(
    count=st.integers(1, 80),
    columns=st.integers(1, 20),
    width=st.floats(3, 40),
    aspect=st.floats(0.1, 5),
    lines=st.integers(0, 3),
)
def test_tiles_lie_side_by_side(count: int, columns: int, width: float, aspect: float, lines: int) -> None:
    tiles = Tiles(count, columns, width, aspect, lines)
    corners = [tiles.corner(i) for i in range(count)]
    assert len({(round(x, 6), round(y, 6)) for x, y in corners}) == count
    for x, y in corners:
        assert 0 <= x <= x + tiles.side <= width
        assert 0 <= y <= y + tiles.side * aspect <= tiles.height
    if count > 1 and columns > 1:
        assert corners[1][0] - corners[0][0] > tiles.side
    if count > columns:
        assert corners[columns][1] - corners[0][1] >= tiles.side * aspect + lines * tiles.font / 72


@given(count=st.integers(1, 200), aspect=st.floats(0.01, 100))
def test_columns(count: int, aspect: float) -> None:
    assert 1 <= fitting_columns(count, aspect) <= count


def test_pictures_and_captions_keep_their_order() -> None:
    pictures = np.arange(12.0).reshape(3, 2, 2)
    with styled():
        axes = new_figure(4, 3, "").add_subplot()
        Tiles(3, 2, 4.0, lines=1).draw(axes, pictures, ["a", "b", "c"])
    np.testing.assert_array_equal([image.get_array() for image in axes.images], pictures)
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c"]
    (left, top), (right, _), (_, lower) = (text.get_position() for text in axes.texts)
    assert left < right
    assert top < lower
