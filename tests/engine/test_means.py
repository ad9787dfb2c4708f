"""Weighted sums and means, and examples that do not count."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnctl.engine.means import counted, mean_of_defined, ratio, weighted_mean, weighted_sum

UNKNOWN = [math.nan, math.inf, -math.inf]


@given(st.data(), st.sampled_from([(), (1,), (3,), (2, 2)]))
def test_an_example_of_weight_zero_does_not_exist(data: st.DataObject, shape: tuple[int, ...]) -> None:
    n = data.draw(st.integers(1, 8))
    weights = data.draw(arrays(np.float64, n, elements=st.sampled_from([0.0, 0.5, 1.0, 3.0])))
    values = data.draw(arrays(np.float64, (n, *shape), elements=st.floats(-9, 9)))
    spoilt = values.copy()
    spoilt[weights == 0] = data.draw(st.sampled_from(UNKNOWN))
    kept = weights != 0
    np.testing.assert_allclose(
        weighted_sum(spoilt, weights), sum(w * v for w, v in zip(weights[kept], values[kept], strict=True))
        if kept.any() else np.zeros(shape), rtol=1e-12, atol=1e-12,
    )  # fmt: skip
    np.testing.assert_allclose(
        weighted_mean(spoilt, weights),
        np.average(values[kept], axis=0, weights=weights[kept]) if kept.any() else np.full(shape, np.nan),
        rtol=1e-12, atol=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_an_unknown_value_that_counts_is_not_hidden(unknown: float) -> None:
    values, weights = np.array([1.0, unknown]), np.array([0.0, 1e-300])
    assert weighted_sum(values, weights) == pytest.approx(unknown, nan_ok=True)
    assert weighted_sum(values, None) == pytest.approx(unknown, nan_ok=True)


def test_values_that_all_count_are_the_same_array_and_keep_their_type() -> None:
    values = np.array([1.0, 2.0], np.float32)
    assert counted(values, np.array([1, 2])) is values
    assert counted(values, np.array([0, 2])).dtype == np.float32
    assert counted(values, np.array([0, 2])).tolist() == [0, 2]


def test_counts_of_truths_are_integers() -> None:
    total = weighted_sum(np.array([[True, False], [True, True]]), None)
    assert total.tolist() == [2, 1]
    assert total.dtype == np.int64


def test_undefined() -> None:
    assert math.isnan(weighted_mean(np.zeros(0), None))
    assert ratio(np.array([1, 2]), np.array([0, 4]), -1.0).tolist() == [-1, 0.5]
    assert mean_of_defined(np.array([1.0, math.nan, 3.0])) == 2
    assert math.isnan(mean_of_defined(np.array([math.nan])))
