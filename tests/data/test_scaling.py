"""Centre and scale, against NumPy and published definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.scaling import centre_and_scale, spread
from nnctl.engine.parameters import Array

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


@given(VALUES)
def test_spread_is_mean_and_standard_deviation(x: Array) -> None:
    mean, deviation = spread(x)
    assert mean == pytest.approx(np.mean(x), rel=1e-12, abs=1e-9)
    assert deviation == pytest.approx(np.std(x), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("method", "centre", "scale"),
    [("standardize", 5, 2), ("min_max", 2, 7), ("robust", 4.5, 1.5), ("none", 0, 1), ("scale", 0, 255)],
)
def test_methods_on_a_textbook_sample(method: str, centre: float, scale: float) -> None:
    """2 4 4 4 5 5 7 9: mean 5, standard deviation 2, median 4.5; quartiles 4 and 5.5 by interpolation."""
    assert centre_and_scale(np.array([2.0, 4, 4, 4, 5, 5, 7, 9]), method) == (centre, scale)


@pytest.mark.parametrize("method", ["standardize", "min_max", "robust"])
def test_a_constant_has_scale_one(method: str) -> None:
    assert centre_and_scale(np.full(7, 0.1), method) == (0.1, 1.0)
    assert centre_and_scale(np.zeros(0), method) == (0.0, 1.0)


def test_equal_quartiles_fall_back_on_the_standard_deviation() -> None:
    x = np.array([0.0] * 9 + [1000])
    assert centre_and_scale(x, "robust") == pytest.approx((0, np.std(x)))


@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_squares_neither_overflow_nor_vanish(unit: float) -> None:
    mean, deviation = spread(np.array([1.0, 3.0]) * unit)
    assert mean == pytest.approx(2 * unit)
    assert deviation == pytest.approx(unit)
