"""Clipping against recorded values of PyTorch, and its laws."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnctl.clipping import BLOCK, clip_by_norm, clip_by_value, clip_each_by_norm, norm
from nnctl.engine.parameters import Array

FOLDER = Path(__file__).parent / "reference" / "clip"
vectors = arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e6, 1e6))


def test_by_norm_as_recorded() -> None:
    case = np.load(FOLDER / "clip_norm_1p0_2p0.npz")
    g = np.concatenate([case["in.g1"].ravel(), case["in.g2"]])
    expected = np.concatenate([case["out.g1"].ravel(), case["out.g2"]])
    assert clip_by_norm(g, 1.0, epsilon=1e-6) == pytest.approx(float(case["out.total_norm"]), rel=1e-14)
    np.testing.assert_allclose(g, expected, rtol=1e-14)


def test_by_value_as_recorded() -> None:
    case = np.load(FOLDER / "clip_value_1.npz")
    g = case["in.g1"].copy()
    clip_by_value(g, 1.0)
    np.testing.assert_array_equal(g, case["out.g1"])


def test_by_norm_by_hand() -> None:
    g = np.array([3.0, -4.0])
    assert clip_by_norm(g, 1.0) == 5
    np.testing.assert_allclose(g, [0.6, -0.8], rtol=1e-15)
    assert clip_by_norm(g, 2.0) == pytest.approx(1)
    np.testing.assert_allclose(g, [0.6, -0.8], rtol=1e-15)


def test_each_tensor_by_its_own_norm_by_hand() -> None:
    """Lengths 5, 1 and 13; the second is short enough, and the last does not shorten the first further."""
    g = np.array([3.0, -4.0, 0.6, 0.8, 5.0, 12.0, 100.0])
    clip_each_by_norm(g, [slice(0, 2), slice(2, 4), slice(4, 6)], 2.0)
    np.testing.assert_allclose(g, [1.2, -1.6, 0.6, 0.8, 10 / 13, 24 / 13, 100], rtol=1e-15)


@given(vectors, st.floats(1e-3, 1e3))
def test_by_norm_keeps_the_direction(g: Array, limit: float) -> None:
    clipped = g.copy()
    length = clip_by_norm(clipped, limit)
    assert length == pytest.approx(math.hypot(*g), rel=1e-12, abs=1e-150)
    assert norm(clipped) <= limit * (1 + 1e-12)
    if length <= limit:
        np.testing.assert_array_equal(clipped, g)
    else:
        np.testing.assert_allclose(clipped * length, g * limit, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("n", [BLOCK - 1, BLOCK, 3 * BLOCK + 5])
def test_the_norm_of_single_precision_loses_no_digit_of_it(n: int) -> None:
    g = np.random.default_rng(n).normal(size=n).astype(np.float32)
    assert norm(g) == pytest.approx(math.sqrt(math.fsum(float(x) ** 2 for x in g)), rel=2e-7)
    assert norm(np.full(4, 1e30, np.float32)) == pytest.approx(2e30, rel=1e-6)  # whose square is beyond float32


@pytest.mark.parametrize("n", [1, 3, BLOCK + 1])
@pytest.mark.parametrize(
    ("dtype", "size"),
    [(np.float32, s) for s in (1e-44, 1e-30, 1e-19, 1e-10, 1e10, 1e30)]
    + [(np.float64, s) for s in (5e-324, 1e-200, 1e-155, 1e155, 1e200, 1e300)],
)
def test_the_norm_where_squares_leave_the_range(n: int, dtype: type[np.floating[Any]], size: float) -> None:
    g = np.full(n, size, dtype)
    g[::2] *= -1
    assert norm(g) == pytest.approx(math.hypot(*g.tolist()), rel=1e-6 if dtype == np.float32 else 1e-13, abs=0)
    clipped = g.copy()
    clip_by_norm(clipped, 1.0)
    if size > 1:
        np.testing.assert_allclose(clipped, np.sign(g) / math.sqrt(n), rtol=1e-6)
    else:
        np.testing.assert_array_equal(clipped, g)


def test_the_norm_of_nothing_and_of_what_has_none() -> None:
    assert norm(np.zeros(3)) == norm(np.zeros(0, np.float32)) == 0
    assert norm(np.full(4, 1.7e308)) == math.inf


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_left_for_the_report(bad: float) -> None:
    g = np.array([1.0, bad, 2.0])
    assert not math.isfinite(clip_by_norm(g, 1.0))
    np.testing.assert_array_equal(g, [1.0, bad, 2.0])


@given(vectors, st.floats(1e-3, 1e3))
def test_by_value_is_entrywise(g: Array, limit: float) -> None:
    clipped = g.copy()
    clip_by_value(clipped, limit)
    assert clipped.tolist() == [max(-limit, min(limit, x)) for x in g.tolist()]
