"""Layers against values an independent implementation computed (see tests/reference/README.md)."""

from pathlib import Path

import numpy as np
import pytest

from nnctl.engine.slot import Slot
from nnctl.layers import BatchNormalization, Dense, LayerNormalization, PRelu

REFERENCE = Path(__file__).parents[1] / "reference"
CLOSE = {"rtol": 1e-12, "atol": 1e-13}
NORM = {"weight": "gain", "bias": "shift"}


def channels_last(a):
    return np.moveaxis(a, 1, -1) if a.ndim == 4 else a


CASES = [
    ("linear/linear", Dense(units=3), {"weight": "weight", "bias": "bias"}, True),
    ("linear/linear_nobias", Dense(units=6, bias=False), {"weight": "weight"}, True),
    ("linear/linear_3d", Dense(units=3), {"weight": "weight", "bias": "bias"}, True),
    ("linear/prelu", PRelu(), {"weight": "slope"}, True),
    ("norm/batchnorm1d_train", BatchNormalization(momentum=0.1), NORM, True),
    ("norm/batchnorm1d_eval", BatchNormalization(momentum=0.1), NORM, False),
    ("norm/batchnorm2d_train", BatchNormalization(momentum=0.1), NORM, True),
    ("norm/layernorm_last", LayerNormalization(), NORM, True),
]


@pytest.mark.parametrize(("file", "layer", "names", "training"), CASES, ids=[c[0] for c in CASES])
def test_forward_and_backward(file, layer, names, training):
    reference = np.load(REFERENCE / f"{file}.npz")
    x, upstream = channels_last(reference["in.x"]), channels_last(reference["upstream.out"])
    turn = (lambda a: a.T) if isinstance(layer, Dense) else (lambda a: a)
    p = {ours: turn(reference[f"param.{theirs}"]).copy() for theirs, ours in names.items()}
    if isinstance(layer, BatchNormalization):
        p["running_mean"] = reference["buffer_before.running_mean"].copy()
        p["running_variance"] = reference["buffer_before.running_var"].copy()
    g = {name: np.full_like(value, np.nan) for name, value in p.items()}
    slot = Slot("float64")
    slot.training = training

    np.testing.assert_allclose(layer.forward(p, x, slot), channels_last(reference["out.out"]), **CLOSE)
    np.testing.assert_allclose(layer.backward(p, g, upstream, slot), channels_last(reference["grad_in.x"]), **CLOSE)
    for theirs, ours in names.items():
        np.testing.assert_allclose(g[ours], turn(reference[f"grad_param.{theirs}"]), **CLOSE)
    if isinstance(layer, BatchNormalization) and training:
        layer.track(p, slot)
        np.testing.assert_allclose(p["running_mean"], reference["buffer_after.running_mean"], **CLOSE)
        np.testing.assert_allclose(p["running_variance"], reference["buffer_after.running_var"], **CLOSE)
