"""Pooling against its definition, ties and pieces, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers import (
    AveragePool1d,
    AveragePool2d,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool1d,
    MaxPool2d,
)
from nnctl.layers.pooling import MaxPool
from tests.layers import plain

CLOSE: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-13}
KINDS = {
    "max": (MaxPool1d, MaxPool2d, {}),
    "mean": (AveragePool1d, AveragePool2d, {}),
    "zeros": (AveragePool1d, AveragePool2d, {"count_padding": True}),
}
sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))


def run(layer: MaxPool, x: Array) -> tuple[Array, Array, Array, Slot]:
    slot = Slot("float64")
    y = layer.forward({}, x, slot).copy()
    dy = np.random.default_rng(9).normal(size=y.shape)
    return y, dy, layer.backward({}, {}, dy, slot), slot


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=80)
@given(data=st.data())
def test_pooling_is_its_definition(kind: str, data: st.DataObject) -> None:
    """Integers, so that there are many ties; both axes at once, and one alone."""
    lengths = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    size, stride = data.draw(sizes), data.draw(st.none() | sizes)
    padding = data.draw(st.sampled_from(["same", "valid"]) | st.tuples(sizes, sizes).map(_less_one))
    dilation, ceil_mode = data.draw(st.just((1, 1)) | sizes), data.draw(st.booleans())
    steps = stride or size
    margins: Any = (
        padding if isinstance(padding, tuple)
        else tuple(plain.amounts(padding, *axis) for axis in zip(lengths, size, steps, dilation, strict=True))
    )  # fmt: skip
    geometry: plain.Geometry = (size, steps, dilation, margins)
    axes = list(zip(lengths, *geometry, strict=True))
    assume(all(plain.count(*axis) > 0 for axis in axes))
    counts = [plain.count(*axis, ceil_mode=ceil_mode) for axis in axes]
    one, two, settings_ = KINDS[kind]
    settings_ = {**settings_, "ceil_mode": ceil_mode}
    x = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-2, 3, (2, *lengths, 2)).astype(float)
    layer = two(size=size, stride=stride, padding=padding, dilation=dilation, **settings_)
    places: dict[Any, list[Any]] = {}
    for at, _, place in plain.windows(lengths, *geometry, ceil_mode=ceil_mode):
        places.setdefault(at, []).append(place)
    if not all(any(inside) for inside in places.values()):
        with pytest.raises(ConfigError, match="without inputs"):
            layer.output_shape(x.shape[1:])
        return
    assert layer.output_shape(x.shape[1:]) == (*counts, 2)
    y, dy, dx, _ = run(layer, x)
    for found, value in zip((y, dx), plain.pool(x, dy, geometry, kind, ceil_mode=ceil_mode), strict=True):
        np.testing.assert_allclose(found, value, **CLOSE)

    along = padding if isinstance(padding, str) else padding[1]
    flat = one(size=size[1], stride=steps[1], padding=along, dilation=dilation[1], **settings_)
    y, dy, dx, _ = run(flat, x[:, 0])
    geometry = ((1, size[1]), (1, steps[1]), (1, dilation[1]), ((0, 0), margins[1]))
    expected = plain.pool(x[:, :1], dy[:, None], geometry, kind, ceil_mode=ceil_mode)
    for found, value in zip((y, dx), expected, strict=True):
        np.testing.assert_allclose(found, value[:, 0], **CLOSE)


def _less_one(margins: tuple[tuple[int, int], tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    (top, bottom), (left, right) = margins
    return (top - 1, bottom - 1), (left - 1, right - 1)


@pytest.mark.parametrize("layer", [MaxPool2d(size=3), GlobalMaxPool()], ids=lambda layer: layer.kind)
def test_of_equal_inputs_the_first_wins(layer: Any) -> None:
    x = np.zeros((1, 3, 3, 1))
    x[0, 0, 2] = x[0, 1, 0] = 1  # row by row, (0, 2) comes before (1, 0)
    y, dy, dx, _ = run(layer, x)
    assert y.item() == 1
    assert dx[0, 0, 2, 0] == dy.item()
    assert np.count_nonzero(dx) == 1


@pytest.mark.parametrize("layer", [MaxPool2d(), GlobalMaxPool()], ids=lambda layer: layer.kind)
def test_pieces_tell_which_input_won(layer: Any) -> None:
    x = np.array([[4.0, 1], [2, 3]])[None, :, :, None]
    pieces = [layer.pieces(run(layer, x + change)[3]).copy() for change in (0.0, 0.5)]
    np.testing.assert_array_equal(*pieces)
    moved = x.copy()
    moved[0, 1, 1] = 5
    assert not np.array_equal(layer.pieces(run(layer, moved)[3]), pieces[0])


@pytest.mark.parametrize(
    "layer", [MaxPool1d(padding=1, size=3), MaxPool2d(), GlobalMaxPool()], ids=lambda layer: layer.kind
)
def test_not_a_number_comes_through(layer: Any) -> None:
    x = np.ones((1, 4, 4, 1)[-len(layer.output_shape((4, 4, 1))) - 1 :] if isinstance(layer, MaxPool2d) else (1, 4, 1))
    x[0, 1] = np.nan
    assert np.isnan(run(layer, x)[0]).any()


def test_windows_longer_than_a_byte_counts() -> None:
    x = np.random.default_rng(0).normal(size=(1, 600, 1))
    x[0, 555] = 9
    y, dy, dx, _ = run(MaxPool1d(size=600), x)
    assert (y.item(), dx[0, 555, 0]) == (9, dy.item())


REFUSED = [
    (MaxPool2d(), (4, 4), r"\(height, width, channels\), and finds \(4, 4\)"),
    (MaxPool2d(), (1, 4, 2), "a window of 2 does not fit the height of its input, 1"),
    (AveragePool1d(size=2, padding=2), (4, 1), "padding 2 makes windows of 2 without inputs"),
    (GlobalAveragePool(), (4,), r"positions and channels, and finds \(4,\)"),
]


@pytest.mark.parametrize(("layer", "shape", "words"), REFUSED)
def test_what_does_not_fit_is_told(layer: Layer, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        layer.output_shape(shape)
