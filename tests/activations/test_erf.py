import math

import numpy as np
import pytest

from nnctl.activations.erf import erf

POINTS = np.concatenate([np.linspace(-8, 8, 20001), [0.0, -0.0, 0.46875, 4.0, 6.0, 1e4, -1e4, 1e-300, 27.3]])


def test_agrees_with_the_c_library() -> None:
    expected = [math.erf(x) for x in POINTS]
    np.testing.assert_allclose(erf(POINTS), expected, rtol=1e-15, atol=0)


def test_is_odd() -> None:
    np.testing.assert_array_equal(erf(-POINTS), -erf(POINTS))


def test_float32_stays_float32() -> None:
    x = POINTS.astype(np.float32)
    y = erf(x)
    assert y.dtype == np.float32
    assert y == pytest.approx([math.erf(v) for v in x], abs=5e-7)
