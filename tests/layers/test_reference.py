"""Layers against values an independent implementation computed (see tests/reference/README.md)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.activations import Gelu
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.layers import (
    AveragePool1d,
    AveragePool2d,
    BatchNormalization,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dense,
    GlobalAveragePool,
    Glu,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    MaxPool1d,
    MaxPool2d,
    PRelu,
    RmsNormalization,
    SwiGlu,
)

REFERENCE = Path(__file__).parents[1] / "reference"
CLOSE: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-13}
NORM = {"weight": "gain", "bias": "shift"}


WEIGHTED = {"weight": "weight", "bias": "bias"}


def channels_last(a: Array, file: str) -> Array:
    """From (batch, channels, positions...), in the groups whose data are like that."""
    return np.moveaxis(a, 1, -1) if a.ndim == 4 or file.startswith(("conv", "pool", "norm/instancenorm")) else a


def turned(a: Array, layer: Layer) -> Array:
    """Weights from PyTorch's axes to ours, where they differ; the same call turns gradients."""
    if a.ndim == 1:
        return a
    if isinstance(layer, ConvTranspose2d):
        return a.transpose(2, 3, 0, 1)
    return a.transpose(*range(2, a.ndim), 1, 0)


CASES = [
    ("linear/linear", Dense(units=3), {"weight": "weight", "bias": "bias"}, True),
    ("linear/linear_nobias", Dense(units=6, bias=False), {"weight": "weight"}, True),
    ("linear/linear_3d", Dense(units=3), {"weight": "weight", "bias": "bias"}, True),
    ("linear/prelu", PRelu(), {"weight": "slope"}, True),
    ("norm/batchnorm1d_train", BatchNormalization(momentum=0.1), NORM, True),
    ("norm/batchnorm1d_eval", BatchNormalization(momentum=0.1), NORM, False),
    ("norm/batchnorm2d_train", BatchNormalization(momentum=0.1), NORM, True),
    ("norm/layernorm_last", LayerNormalization(), NORM, True),
    ("norm/groupnorm", GroupNormalization(groups=2), NORM, True),
    ("conv/conv1d_basic", Conv1d(filters=4, padding="valid"), WEIGHTED, True),
    ("conv/conv2d_basic", Conv2d(filters=4, padding="valid"), WEIGHTED, True),
    ("conv/conv2d_stride2", Conv2d(filters=4, stride=2, padding="valid"), WEIGHTED, True),
    ("conv/conv2d_pad1", Conv2d(filters=3, padding=1), WEIGHTED, True),
    ("conv/conv2d_same_even_kernel", Conv2d(filters=3, kernel=4), WEIGHTED, True),
    ("conv/conv2d_dilation2", Conv2d(filters=3, dilation=2, padding="valid"), WEIGHTED, True),
    ("conv/conv2d_depthwise", Conv2d(filters=4, groups="channels", stride=2, padding=1), WEIGHTED, True),
    ("conv/convT2d_stride2", ConvTranspose2d(filters=2, stride=2, padding=1, output_padding=1), WEIGHTED, True),
    ("pool/maxpool1d", MaxPool1d(size=3, stride=2), {}, True),
    ("pool/maxpool2d_2", MaxPool2d(), {}, True),
    ("pool/maxpool2d_overlap", MaxPool2d(size=3, stride=2), {}, True),
    ("pool/maxpool2d_pad", MaxPool2d(size=3, stride=2, padding=1), {}, True),
    ("pool/avgpool1d", AveragePool1d(), {}, True),
    ("pool/avgpool2d_2", AveragePool2d(), {}, True),
    ("pool/avgpool2d_pad_exclude", AveragePool2d(size=3, stride=2, padding=1), {}, True),
    ("conv/conv1d_reflect", Conv1d(filters=3, padding=2, padding_mode="reflect"), WEIGHTED, True),
    ("conv/conv2d_reflect", Conv2d(filters=3, stride=2, padding=1, padding_mode="reflect"), WEIGHTED, True),
    ("conv/conv2d_replicate",
     Conv2d(filters=4, kernel=(3, 5), padding=(1, 3), padding_mode="replicate", groups=2), WEIGHTED, True),
    ("pool/maxpool1d_dilation_ceil", MaxPool1d(size=3, stride=2, dilation=2, ceil_mode=True), {}, True),
    ("pool/maxpool2d_dilation", MaxPool2d(size=(3, 2), stride=2, padding=1, dilation=(1, 2)), {}, True),
    ("pool/maxpool2d_ceil", MaxPool2d(size=3, stride=2, padding=1, ceil_mode=True), {}, True),
    ("pool/avgpool2d_ceil_count",
     AveragePool2d(size=3, stride=2, padding=1, ceil_mode=True, count_padding=True), {}, True),
    ("pool/avgpool2d_ceil_exclude", AveragePool2d(size=3, stride=2, padding=1, ceil_mode=True), {}, True),
    ("pool/avgpool1d_ceil_dropped",
     AveragePool1d(size=2, stride=3, padding=1, ceil_mode=True, count_padding=True), {}, True),
    ("norm/rmsnorm", RmsNormalization(), {"weight": "gain"}, True),
    ("norm/instancenorm1d", InstanceNormalization(), NORM, True),
    ("norm/instancenorm2d", InstanceNormalization(), NORM, True),
    ("gated/glu", Glu(), {}, True),
    ("gated/swiglu", SwiGlu(), {}, True),
    ("gated/geglu", Glu(gate=Gelu()), {}, True),
    ("pool/global_avgpool2d", GlobalAveragePool(), {}, True),
]  # fmt: skip


@pytest.mark.parametrize(("file", "layer", "names", "training"), CASES, ids=[c[0] for c in CASES])
def test_forward_and_backward(file: str, layer: Layer, names: dict[str, str], training: bool) -> None:
    reference = np.load(REFERENCE / f"{file}.npz")
    arrays = {key: channels_last(reference[key], file) for key in ("in.x", "grad_in.x", "out.out", "upstream.out")}
    p = {ours: turned(reference[f"param.{theirs}"], layer).copy() for theirs, ours in names.items()}
    if isinstance(layer, BatchNormalization):
        p["running_mean"] = reference["buffer_before.running_mean"].copy()
        p["running_variance"] = reference["buffer_before.running_var"].copy()
    g = {name: np.full_like(value, np.nan) for name, value in p.items()}
    slot = Slot("float64")
    slot.training = training
    out = arrays["out.out"].reshape(len(arrays["in.x"]), *layer.output_shape(arrays["in.x"].shape[1:]))

    np.testing.assert_allclose(layer.forward(p, arrays["in.x"], slot), out, **CLOSE)
    dx = layer.backward(p, g, arrays["upstream.out"].reshape(out.shape), slot)
    np.testing.assert_allclose(dx, arrays["grad_in.x"], **CLOSE)
    for theirs, ours in names.items():
        np.testing.assert_allclose(g[ours], turned(reference[f"grad_param.{theirs}"], layer), **CLOSE)
    if isinstance(layer, BatchNormalization) and training:
        layer.track(p, slot)
        np.testing.assert_allclose(p["running_mean"], reference["buffer_after.running_mean"], **CLOSE)
        np.testing.assert_allclose(p["running_variance"], reference["buffer_after.running_var"], **CLOSE)
