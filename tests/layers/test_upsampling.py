"""Upsampling against values worked by hand, and the law of the adjoint (the contract has the gradient)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest

from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers import Upsample

# One row of values, and what PyTorch (`align_corners=False`) and TensorFlow 2 make of it.
ROWS = [
    ("nearest", 2, [1, 3], [1, 1, 3, 3]),
    ("bilinear", 2, [1, 3], [1, 1.5, 2.5, 3]),
    ("bilinear", 3, [0, 3, 0], [0, 0, 1, 2, 3, 2, 1, 0, 0]),
    ("bilinear", 2, [5], [5, 5]),
]


@pytest.mark.parametrize(("mode", "factor", "x", "y"), ROWS)
def test_a_row(mode: Literal["nearest", "bilinear"], factor: int, x: Sequence[int], y: Sequence[float]) -> None:
    layer = Upsample(factor=factor, mode=mode)
    np.testing.assert_allclose(layer.forward({}, np.array(x, float)[None, :, None], Slot("f8"))[0, :, 0], y, rtol=1e-15)


def test_axes_have_factors_of_their_own() -> None:
    x = np.arange(6.0).reshape(1, 2, 3, 1)
    y = Upsample(factor=(1, 2)).forward({}, x, Slot("f8"))
    np.testing.assert_array_equal(y[0, :, :, 0], [[0, 0, 1, 1, 2, 2], [3, 3, 4, 4, 5, 5]])


def test_a_constant_stays_a_constant() -> None:
    y = Upsample(factor=5, mode="bilinear").forward({}, np.full((1, 3, 4, 2), 7.0), Slot("f8"))
    np.testing.assert_allclose(y, 7, rtol=1e-15)


@pytest.mark.parametrize(("factor", "shape"), [(2, (3,)), ((2, 2), (3, 1)), (2, (2, 2, 2, 2))])
def test_what_does_not_fit_is_told(factor: int | tuple[int, int], shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"takes \(height, width, channels\)"):
        Upsample(factor=factor).output_shape(shape)
