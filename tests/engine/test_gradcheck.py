"""The gradient check against functions whose derivatives are known, right and wrong."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.engine.gradcheck import GradientCheck, Point, Settings, TensorCheck
from nnctl.engine.parameters import Array

WAVES = np.array([0.3, -1.2, 0.7, 2.0, -0.1, 1e-2, 1e-3, 1e-4])


def smooth(v: Array, scale: float = 1.0, offset: float = 0.0) -> tuple[Callable[..., Any], Array]:
    """J = offset + scale sum a sin(v), a known slope each."""
    return lambda: Point(offset + scale * float(WAVES @ np.sin(v)), []), scale * WAVES * np.cos(v)


def check(
    function: Callable[..., Any], v: Array, gradient: Array, *, name: str = "v", seed: int = 0, **chosen: Any
) -> TensorCheck:
    return GradientCheck(function, [v], np.random.default_rng(seed), Settings(**chosen)).tensor(name, v, gradient)


def test_a_right_gradient_passes_with_room() -> None:
    v = np.linspace(-1, 1, 8)
    function, gradient = smooth(v)
    result = check(function, v, gradient)
    assert result.worst < 1e-7
    assert (result.checked, result.kinks, result.unresolved, result.zero) == (8, 0, 0, False)
    assert result.numeric == pytest.approx(result.analytic, rel=1e-7)


@pytest.mark.parametrize("entry", range(8))
@pytest.mark.parametrize("factor", [1.001, 0.0, -1.0, 2.0])
def test_one_wrong_entry_is_found_and_shown(entry: int, factor: float) -> None:
    v = np.linspace(-1, 1, 8).reshape(2, 4)
    function, gradient = smooth(v.reshape(-1))
    gradient = gradient.reshape(2, 4).copy()
    right = gradient.flat[entry]
    gradient.flat[entry] *= factor
    result = check(function, v, gradient)
    assert result.error > 0.9e-3
    assert result.index == divmod(entry, 4)
    assert result.numeric == pytest.approx(right, rel=1e-6)
    assert result.analytic == pytest.approx(right * factor)


@settings(max_examples=40)
@given(
    st.lists(st.floats(-3, 3), min_size=8, max_size=8),
    st.sampled_from([1e-12, 1e-6, 1.0, 1e6, 1e12]),
    st.sampled_from([0.0, 1.0, 1e6]),
)
def test_no_false_alarm_at_any_size_of_j(values: Sequence[float], scale: float, offset: float) -> None:
    v = np.array(values)
    function, gradient = smooth(v, scale, offset)
    assert check(function, v, gradient).worst < 1e-6


@settings(max_examples=40)
@given(st.lists(st.floats(-3, 3), min_size=8, max_size=8), st.integers(0, 7), st.sampled_from([1e-6, 1.0, 1e6]))
def test_a_thousandth_too_much_in_an_entry_that_matters_is_found(
    values: Sequence[float], entry: int, scale: float
) -> None:
    v = np.array(values)
    function, gradient = smooth(v, scale)
    matters = abs(gradient[entry]) > 1e-4 * np.abs(gradient).max()
    gradient[entry] *= 1.001
    assert not matters or check(function, v, gradient).worst > 1e-6


def test_an_error_in_an_entry_that_was_not_drawn_is_found_by_projection() -> None:
    v = np.random.default_rng(1).normal(size=500)
    gradient = v.copy()
    gradient[137] *= 1.01
    results = [check(lambda: Point(float(v @ v) / 2, []), v, gradient, samples=4, seed=seed) for seed in range(5)]
    assert all(r.projection_error and r.projection_error > 1e-6 for r in results)


@pytest.mark.parametrize(
    ("at", "kinks"), [(0.0, 1), (1e-12, 1), (-1e-9, 1), (1e-6, 0), (-1e-4, 0), (0.5, 0)]
)  # fmt: skip
def test_kinks_are_recognised_and_counted(at: float, kinks: int) -> None:
    v = np.array([at, 2.0])
    function = lambda: Point(float(np.abs(v).sum()), [v > 0])  # noqa: E731
    result = check(function, v, np.sign(v))
    assert (result.checked, result.kinks) == (2 - kinks, kinks)
    assert result.worst < 1e-6
    assert (result.projection_error is None) == bool(kinks)


def test_a_corner_touched_from_both_sides_is_a_kink() -> None:
    """-|v| is lower on both sides and lies on one piece there; the point itself lies on another."""
    v = np.zeros(1)
    result = check(lambda: Point(-abs(float(v[0])), [np.sign(np.abs(v))]), v, np.ones(1))
    assert (result.checked, result.kinks) == (0, 1)


def test_a_corner_that_is_not_declared_is_an_error() -> None:
    v = np.zeros(1)
    assert check(lambda: Point(max(0.0, float(v[0])), []), v, np.zeros(1)).error > 0.1


def test_strong_curvature_makes_the_step_smaller() -> None:
    v = np.array([0.3, -0.2])
    function = lambda: Point(float(np.sin(3e4 * v).sum()), [])  # noqa: E731
    gradient = 3e4 * np.cos(3e4 * v)
    assert check(function, v, gradient).worst < 1e-6
    assert check(function, v, gradient * 1.001).worst > 1e-6


def test_extrapolation_is_exact_for_a_cubic_at_any_step() -> None:
    v = np.ones(1)
    result = check(lambda: Point(float(v[0] ** 3), []), v, np.array([3.0]), epsilon=0.1, tolerance=1.0)
    assert result.numeric == pytest.approx(3, rel=1e-13)


@pytest.mark.parametrize(("size", "unresolved"), [(1e-12, True), (1e-16, True), (1e-5, False)])
def test_vanishing_gradients_are_told_from_right_ones(size: float, unresolved: bool) -> None:
    v = np.array([0.3, 0.4, 0.5])
    result = check(lambda: Point(1 + size * float(v @ v) / 2, []), v, size * v)
    assert result.worst < 1e-6
    assert result.unresolved == 3 * unresolved
    assert not result.zero


@pytest.mark.parametrize(("size", "resolved"), [(1.0, True), (1e-9, True), (1e-15, False), (0.0, False)])
def test_a_direction_is_resolved_where_its_derivative_can_be_told_from_zero(size: float, resolved: bool) -> None:
    v = np.array([0.3, 0.4, 0.5])
    result = check(lambda: Point(1 + size * float(v @ v) / 2, []), v, size * v)
    assert (result.resolved, result.worst < 1e-6) == (resolved, True)


def test_directions_over_a_kink_are_not_resolved() -> None:
    v = np.zeros(2)
    result = check(lambda: Point(float(np.abs(v).sum()), [v > 0]), v, np.ones(2))
    assert (result.resolved, result.compared) == (False, False)


@settings(max_examples=60)
@given(st.floats(0, 17), st.sampled_from([-3.0, 0.0, 0.5, 2.0]), st.integers(0, 100))
def test_a_wrong_gradient_is_found_or_not_resolved(digits: float, factor: float, seed: int) -> None:
    """However far J itself is above what depends on v, nothing resolved agrees with a gradient that is far off."""
    v = np.random.default_rng(seed).normal(size=8)
    function, gradient = smooth(v, 1.0, 10**digits)
    result = check(function, v, factor * gradient, seed=seed)
    assert result.worst > 1e-6 or not result.resolved
    assert check(function, v, gradient, seed=seed).worst < 1e-6


def test_larger_steps_look_for_a_derivative_that_the_first_does_not_see() -> None:
    """A step of 1e-5 moves J by 1e-6, less than the last bit of 1e12; one of 1e-3 shows that the slope is not 100."""
    v = np.array([0.3, 0.4])
    result = check(lambda: Point(1e12 + 0.1 * float(v.sum()), []), v, np.array([100.0, 0.1]))
    assert result.error > 1e-6


def test_a_constant_has_a_zero_gradient() -> None:
    v = np.array([0.3, 0.4])
    result = check(lambda: Point(3.25, []), v, np.zeros(2))
    assert result.zero
    assert (result.error, result.projection_error, result.unresolved) == (0, 0, 0)


def test_a_gradient_that_is_wrongly_zero_is_found() -> None:
    v = np.array([0.3, 0.4])
    assert check(lambda: Point(float(v @ v), []), v, np.zeros(2)).worst == 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_an_error(wrong: float) -> None:
    v = np.array([0.3, 0.4])
    assert check(lambda: Point(float(v @ v), []), v, np.array([0.6, wrong])).error == np.inf
    assert check(lambda: Point(np.nan if v[1] > 0.4 else 1.0, []), v, np.zeros(2)).error == np.inf


@pytest.mark.parametrize(("samples", "checked"), [(10, 10), (None, 100), (1000, 100)])
def test_how_many_entries_are_compared(samples: int | None, checked: int) -> None:
    v = np.arange(100.0)
    assert check(lambda: Point(float(v @ v) / 2, []), v, v.copy(), samples=samples).checked == checked


def test_the_largest_entries_are_among_the_sampled() -> None:
    v = np.ones(100)
    weights = np.where(np.arange(100) == 42, 5.0, 1.0)
    gradient = weights.copy()
    gradient[42] = 5.1
    assert check(lambda: Point(float(weights @ v), []), v, gradient, samples=4).index == (42,)


def test_tensors_are_put_back_to_the_bit() -> None:
    v = np.random.default_rng(3).normal(size=(3, 4))
    held = v.copy()
    check(lambda: Point(float(np.sum(v**3)), []), v, 3 * v**2)
    np.testing.assert_array_equal(v, held)

    calls = []

    def fails() -> Point:
        calls.append(1)
        if len(calls) == 15:
            raise KeyboardInterrupt
        return Point(1.0, [])

    with pytest.raises(KeyboardInterrupt):
        check(fails, v, v)
    np.testing.assert_array_equal(v, held)


def test_empty_and_strided_tensors() -> None:
    empty = np.zeros((0, 3))
    assert check(lambda: Point(1.0, []), empty, empty).checked == 0
    strided = np.ones((4, 3)).T
    with pytest.raises(ValueError, match="contiguous"):
        check(lambda: Point(1.0, []), strided, strided)


def test_the_same_seed_gives_the_same_result() -> None:
    v = np.random.default_rng(1).normal(size=50)
    function, gradient = lambda: Point(float(np.sum(v**4)), []), 4 * v**3
    assert check(function, v, gradient, samples=5) == check(function, v, gradient, samples=5)
