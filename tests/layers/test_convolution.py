"""Convolutions against their definition, by the law of the adjoint, and what they refuse."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import LeCunNormal
from nnctl.layers import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from nnctl.layers.convolution import Filters
from tests.layers import plain

CLOSE: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-12}
small = st.integers(0, 2)
axis_padding = st.one_of(st.sampled_from(["same", "valid"]), small, st.tuples(small, small))
axes = st.fixed_dictionaries(
    {
        "length": st.integers(1, 7),
        "kernel": st.integers(1, 4),
        "stride": st.integers(1, 3),
        "padding": axis_padding,
        "dilation": st.integers(1, 2),
    }
)
#: (channels, filters, groups)
widths = st.sampled_from(
    [(1, 1, 1), (1, 3, 1), (3, 2, 1), (4, 6, 2), (2, 4, "channels"), (3, 3, "channels"), (9, 2, 1), (16, 2, 2)]
)


def run(layer: Layer, x: Array, seed: int = 0) -> tuple[dict[str, Array], Array, Array, Array, dict[str, Array]]:
    """p, y, and for a random dy: dy, dx and g."""
    random = np.random.default_rng(seed)
    p = {name: random.normal(size=d.shape) for name, d in layer.parameters(x.shape[1:]).items()}
    g = {name: np.full_like(value, np.nan) for name, value in p.items()}
    slot = Slot("float64")
    y = layer.forward(p, x, slot).copy()
    dy = random.normal(size=y.shape)
    return p, y, dy, layer.backward(p, g, dy, slot), g


def margins_of(axis: dict[str, Any]) -> tuple[int, int]:
    return plain.amounts(*(axis[key] for key in ("padding", "length", "kernel", "stride", "dilation")))


def pair(height: dict[str, Any], width: dict[str, Any], key: str) -> tuple[Any, Any]:
    return height[key], width[key]


def geometry_of(height: dict[str, Any], width: dict[str, Any]) -> plain.Geometry:
    kernel, stride, dilation = (pair(height, width, key) for key in ("kernel", "stride", "dilation"))
    return kernel, stride, dilation, (margins_of(height), margins_of(width))


@settings(max_examples=150)
@given(height=axes, width=axes, channels=widths, batch=st.integers(1, 2))
def test_conv2d_is_its_definition(
    height: dict[str, Any], width: dict[str, Any], channels: tuple[int, int, Any], batch: int
) -> None:
    inputs, filters, groups = channels
    lengths = pair(height, width, "length")
    kernel, stride, dilation, margins = geometry = geometry_of(height, width)
    counts = [plain.count(*axis) for axis in zip(lengths, *geometry, strict=True)]
    same = "same" in pair(height, width, "padding")
    layer = Conv2d(
        filters=filters,
        groups=groups,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        padding="same" if same else margins,
    )
    if same:
        top, left = (plain.amounts("same", *axis) for axis in zip(lengths, kernel, stride, dilation, strict=True))
        margins = (top, left)
        counts = [-(-length // step) for length, step in zip(lengths, stride, strict=True)]
    x = np.random.default_rng(1).normal(size=(batch, *lengths, inputs))
    if min(counts) < 1:
        with pytest.raises(ConfigError, match="a window of .* does not fit"):
            layer.output_shape(x.shape[1:])
        return
    assert layer.output_shape(x.shape[1:]) == (*counts, filters)
    p, y, dy, dx, g = run(layer, x)
    groups = inputs if groups == "channels" else groups
    expected = plain.convolution(x, p["weight"], p["bias"], dy, groups, (kernel, stride, dilation, margins))
    for found, value in zip((y, dx, g["weight"], g["bias"]), expected, strict=True):
        np.testing.assert_allclose(found, value, **CLOSE)


@settings(max_examples=60)
@given(axis=axes, channels=widths)
def test_conv1d_is_its_definition(axis: dict[str, Any], channels: tuple[int, int, Any]) -> None:
    inputs, filters, groups = channels
    margins = margins_of(axis)
    assume(plain.count(axis["length"], axis["kernel"], axis["stride"], axis["dilation"], margins) > 0)
    settings_ = {key: axis[key] for key in ("kernel", "stride", "padding", "dilation")}
    x = np.random.default_rng(1).normal(size=(2, axis["length"], inputs))
    p, y, dy, dx, g = run(Conv1d(filters=filters, groups=groups, **settings_), x)
    groups = inputs if groups == "channels" else groups
    geometry = (1, axis["kernel"]), (1, axis["stride"]), (1, axis["dilation"]), ((0, 0), margins)
    expected = plain.convolution(x[:, None], p["weight"][None], p["bias"], dy[:, None], groups, geometry)
    for found, value in zip((y[:, None], dx[:, None], g["weight"][None], g["bias"]), expected, strict=True):
        np.testing.assert_allclose(found, value, **CLOSE)


@settings(max_examples=80)
@given(data=st.data(), channels=st.sampled_from([(1, 1, 1), (3, 2, 1), (4, 2, 2), (6, 6, "channels")]))
def test_transposed_convolution_is_the_adjoint(data: st.DataObject, channels: tuple[int, int, Any]) -> None:
    """<conv(x), z> = <x, conv^T(z)>: the forward pass of one is the backward pass of the other, and back."""
    inputs, filters, groups = channels
    same = data.draw(st.booleans())
    numbers = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, stride, dilation = (data.draw(numbers) for _ in range(3))
    padding: Any = "same" if same else data.draw(st.integers(0, 1))
    extra = (0, 0) if same else tuple(data.draw(st.integers(0, step - 1)) for step in stride)
    conv = Conv2d(
        filters=filters, groups=groups, kernel=kernel, stride=stride, dilation=dilation, padding=padding, bias=False
    )
    transposed = ConvTranspose2d(
        **{**conv.model_dump(exclude={"type", "filters", "padding_mode"}), "filters": inputs, "output_padding": extra}
    )
    z = np.random.default_rng(2).normal(size=(2, *data.draw(numbers), filters))
    try:
        shape = transposed.output_shape(z.shape[1:])
    except ConfigError:
        assume(False)
    x = np.random.default_rng(3).normal(size=(2, *shape))
    assert conv.output_shape(shape) == z.shape[1:]
    weight = np.random.default_rng(4).normal(size=conv.parameters(shape)["weight"].shape)
    # The same weights: (kh, kw, inputs of a group, filters) and (kh, kw, filters of a group, inputs).
    g = inputs if groups == "channels" else groups
    grouped = weight.reshape(*kernel, inputs // g, g, filters // g)
    changed_over = np.ascontiguousarray(grouped.transpose(0, 1, 4, 3, 2)).reshape(*kernel, filters // g, inputs)
    there, back = Slot("float64"), Slot("float64")
    y = conv.forward({"weight": weight}, x, there).copy()
    x_of_z = transposed.forward({"weight": changed_over}, z, back).copy()
    np.testing.assert_allclose(np.sum(y * z), np.sum(x * x_of_z), rtol=1e-10, atol=1e-10)
    dw, dw_changed_over = np.empty_like(weight), np.empty_like(changed_over)
    np.testing.assert_allclose(conv.backward({"weight": weight}, {"weight": dw}, z, there), x_of_z, **CLOSE)
    dz = transposed.backward({"weight": changed_over}, {"weight": dw_changed_over}, x, back)
    np.testing.assert_allclose(dz, y, **CLOSE)
    same_gradient = dw_changed_over.reshape(*kernel, filters // g, g, inputs // g).transpose(0, 1, 4, 3, 2)
    np.testing.assert_allclose(same_gradient.reshape(dw.shape), dw, **CLOSE)


def test_transposed_convolution_of_a_sequence_is_that_of_an_image_of_height_one() -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    keys: dict[str, Any] = {"filters": 2, "bias": True}
    flat = ConvTranspose1d(kernel=3, stride=2, padding=1, output_padding=1, **keys)
    image = ConvTranspose2d(kernel=(1, 3), stride=(1, 2), padding=(0, 1), output_padding=(0, 1), **keys)
    p, y, dy, dx, g = run(flat, x)
    slot, g2 = Slot("float64"), {"weight": np.empty((1, 3, 3, 2)), "bias": np.empty(2)}
    p2 = {"weight": p["weight"][None], "bias": p["bias"]}
    np.testing.assert_allclose(image.forward(p2, x[:, None], slot)[:, 0], y, **CLOSE)
    np.testing.assert_allclose(image.backward(p2, g2, dy[:, None], slot)[:, 0], dx, **CLOSE)
    np.testing.assert_allclose(g2["weight"][0], g["weight"], **CLOSE)


def test_a_known_image() -> None:
    """A vertical edge under Sobel's filter, by hand."""
    x = np.tile([0.0, 0, 1, 1], (3, 1))[None, :, :, None]
    sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[:, :, None, None]
    y = Conv2d(filters=1, padding="valid", bias=False).forward({"weight": sobel}, x, Slot("float64"))
    np.testing.assert_array_equal(y[0, :, :, 0], [[4, 4]])


REFUSED = [
    (Conv2d(filters=2), (4, 4), r"\(height, width, channels\), and finds \(4, 4\)"),
    (Conv1d(filters=2), (4, 4, 1), r"\(length, channels\), and finds \(4, 4, 1\)"),
    (Conv2d(filters=3, groups=2), (4, 4, 4), "4 channels, 3 filters and 2 groups"),
    (Conv2d(filters=2, groups=2), (4, 4, 3), "3 channels, 2 filters and 2 groups"),
    (Conv2d(filters=2, kernel=(3, 6), padding="valid"), (4, 5, 1), "a window of 6 does not fit the width .* 5;"),
    (Conv1d(filters=2, dilation=4, padding=1), (4, 1), "a window of 9 does not fit .* 4 with 2 of padding"),
    (
        Conv2d(filters=2, padding=2, padding_mode="reflect"),
        (4, 2, 1),
        "padding 2 cannot mirror an input of 2; use less",
    ),
    (ConvTranspose2d(filters=2, kernel=1, padding=2), (2, 4, 1), "leaves nothing of the height"),
]


@pytest.mark.parametrize(("layer", "shape", "words"), REFUSED)
def test_what_does_not_fit_is_told(layer: Layer, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        layer.output_shape(shape)


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"output_padding": 2}, "output_padding is 2; it must be smaller than the stride, 2"),
        ({"output_padding": 1}, "`padding: same` already says"),
    ],
)
def test_output_padding_has_bounds(settings_: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ConvTranspose1d(filters=1, **settings_)


@settings(max_examples=40, deadline=None)
@given(
    mode=st.sampled_from(["reflect", "replicate"]),
    margins=st.tuples(st.tuples(small, small), st.tuples(small, small)),
    lengths=st.tuples(st.integers(3, 5), st.integers(3, 5)),
    channels=widths,
)
def test_padding_with_the_inputs_own_values(
    mode: Any, margins: Any, lengths: tuple[int, int], channels: tuple[int, int, Any]
) -> None:
    """The same as convolution of an input that NumPy has padded; backward is the adjoint of its padding."""
    inputs, filters, groups = channels
    x = np.random.default_rng(1).normal(size=(2, *lengths, inputs))
    layer = Conv2d(filters=filters, groups=groups, padding=margins, padding_mode=mode)
    p, y, dy, dx, g = run(layer, x)
    pad: Any = {"pad_width": ((0, 0), *margins, (0, 0)), "mode": {"reflect": "reflect", "replicate": "edge"}[mode]}
    plainly, slot = Conv2d(filters=filters, groups=groups, padding="valid"), Slot("float64")
    g2 = {name: np.empty_like(value) for name, value in g.items()}
    np.testing.assert_allclose(plainly.forward(p, np.pad(x, **pad), slot), y, **CLOSE)
    dx_padded = plainly.backward(p, g2, dy, slot)
    for name in g:
        np.testing.assert_allclose(g[name], g2[name], **CLOSE)
    other = np.random.default_rng(2).normal(size=x.shape)
    np.testing.assert_allclose(np.sum(dx * other), np.sum(dx_padded * np.pad(other, **pad)), **CLOSE)


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (3, 1), (6, 3), ((4, 2), (1, 2))])
def test_transposed_convolution_keeps_the_variance(kernel: Any, stride: Any) -> None:
    layer = ConvTranspose2d(filters=16, kernel=kernel, stride=stride, init=LeCunNormal())
    x = np.random.default_rng(3).normal(size=(8, 12, 12, 64))
    start = layer.parameters(x.shape[1:])["weight"]
    weight = start.init.sample(start.shape, start.fan_in, start.fan_out, np.random.default_rng(4))
    y = layer.forward({"weight": weight, "bias": np.zeros(16)}, x, Slot("float64"))
    assert y[:, 4:-4, 4:-4].var() == pytest.approx(1, rel=0.1)  # not at the borders, where windows hang over


def test_weights_start_by_their_fans() -> None:
    weight = Conv2d(filters=8, kernel=(3, 5), groups=2).parameters((9, 9, 4))["weight"]
    assert (weight.shape, weight.fan_in, weight.fan_out) == ((3, 5, 2, 8), 30, 60)


MULTIPLICATIONS = [
    (Conv2d(filters=5, padding="valid"), (6, 5, 2)),
    (Conv2d(filters=4, groups=2, stride=2, padding="valid"), (7, 7, 2)),
    (Conv1d(filters=3, kernel=2, padding="valid", dilation=2), (6, 2)),
    (ConvTranspose2d(filters=4, groups=2, kernel=(2, 3), padding="valid"), (3, 2, 2)),
]


@pytest.mark.parametrize(("layer", "shape"), MULTIPLICATIONS)
def test_multiplications_are_counted(layer: Filters, shape: tuple[int, ...]) -> None:
    """With everything 1 and no padding, the outputs add up to the number of multiplications."""
    p = {name: np.full(d.shape, float(name == "weight")) for name, d in layer.parameters(shape).items()}
    assert layer.multiply_adds(shape) == layer.forward(p, np.ones((1, *shape)), Slot("float64")).sum()


@pytest.mark.parametrize("layer", [Conv2d(filters=3), ConvTranspose2d(filters=3)], ids=["conv", "transposed"])
def test_the_input_gradient_is_spared(layer: Filters) -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 2))
    p, _, dy, _, g = run(layer, x)
    again = {name: np.full_like(value, np.nan) for name, value in p.items()}
    slot = Slot("float64")
    slot.input_gradient = False
    layer.forward(p, x, slot)
    layer.backward(p, again, dy, slot)
    for name in g:
        np.testing.assert_array_equal(again[name], g[name])
    assert "dx" not in slot._buffers


@pytest.mark.parametrize("channels", [1, 16])
def test_a_step_allocates_nothing_that_stays(channels: int) -> None:
    layer, slot, random = Conv2d(filters=4), Slot("float32"), np.random.default_rng(0)
    p = {n: random.normal(size=d.shape).astype("f4") for n, d in layer.parameters((6, 6, channels)).items()}
    g = {name: np.empty_like(value) for name, value in p.items()}
    x = random.normal(size=(3, 6, 6, channels)).astype("f4")
    held = None
    for _ in range(3):
        y = layer.forward(p, x, slot)
        layer.backward(p, g, y, slot)
        buffers = {name: id(buffer) for name, buffer in slot._buffers.items()}
        assert held in (None, buffers)
        held = buffers
