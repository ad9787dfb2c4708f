"""Penalties against brute force and difference quotients; the max-norm constraint against its definition."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl import regularization as module
from nnctl.engine.parameters import Array, Layout, Parameter
from nnctl.initializers import Zeros
from nnctl.regularization import Penalty, Regularization


def layout(own: dict[str, tuple[float | None, float | None]] | None = None) -> Layout:
    """Some tensors have penalties of their own."""

    def tensor(name: str, *shape: int, decays: bool = True, trainable: bool = True) -> Parameter:
        l1, l2 = (own or {}).get(name, (None, None))
        return Parameter(shape, Zeros(), l1=l1, l2=l2, decays=decays, trainable=trainable)

    return Layout(
        {
            "first": {"W": tensor("first.W", 3, 2, 4), "b": tensor("first.b", 4, decays=False)},
            "second": {
                "W": tensor("second.W", 4, 2),
                "slope": tensor("second.slope", 2),
                "mean": tensor("second.mean", 2, trainable=False),
            },
        }
    )


LAYOUT = layout()
strengths = st.sampled_from([0.0, 0.01, 0.5])


def theta(seed: int = 0, dtype: type[Any] = np.float64) -> Array:
    return np.random.default_rng(seed).normal(size=LAYOUT.size).astype(dtype)


def brute_force(vector: Array, strengths_by_name: dict[str, tuple[float, float]]) -> float:
    total = 0.0
    for name, (l1, l2) in strengths_by_name.items():
        for w in LAYOUT.view(vector, name).ravel():
            total += l1 * abs(float(w)) + l2 / 2 * float(w) ** 2
    return total


@given(
    strengths,
    strengths,
    st.dictionaries(
        st.sampled_from(list(LAYOUT.parameters)), st.tuples(st.none() | strengths, st.none() | strengths), max_size=2
    ),
    st.sampled_from([3, 32_768]),
)
def test_value_and_gradient(
    l1: float, l2: float, own: dict[str, tuple[float | None, float | None]], block: int
) -> None:
    """What a tensor says of itself beats the global penalty, also that of one that does not decay."""
    by_name = {**dict.fromkeys(["first.W", "second.W", "second.slope"], (l1, l2)), "first.b": (0.0, 0.0)}
    for name, strong in by_name.items():
        first, second = own.get(name, (None, None))
        by_name[name] = (strong[0] if first is None else first, strong[1] if second is None else second)
    vector = theta()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        penalty = Penalty(Regularization(l1=l1, l2=l2), layout(own))
        assert penalty.value(vector) == pytest.approx(brute_force(vector, by_name), rel=1e-13)
        g = np.ones(LAYOUT.size)
        penalty.add_gradient(vector, g)
    for i in range(LAYOUT.size):
        above, below = vector.copy(), vector.copy()
        above[i] += 1e-5
        below[i] -= 1e-5
        slope = (brute_force(above, by_name) - brute_force(below, by_name)) / 2e-5
        assert g[i] - 1 == pytest.approx(slope, rel=1e-7, abs=1e-9)


def test_worked_by_hand() -> None:
    small = Layout({"w": Parameter((3,), Zeros()), "b": Parameter((1,), Zeros(), decays=False)})
    penalty, w, g = Penalty(Regularization(l1=0.1, l2=0.5), small), np.array([2.0, 0.0, -4.0, 9.0]), np.zeros(4)
    assert penalty.value(w) == pytest.approx(0.1 * 6 + 0.25 * 20)
    penalty.add_gradient(w, g)
    np.testing.assert_allclose(g, [1.1, 0.0, -2.1, 0.0], rtol=1e-15)  # the slope of |w| at 0 is taken as 0


def test_one_slice_without_own_penalties_and_nothing_for_zero() -> None:
    assert [term.span for term in Penalty(Regularization(l2=0.1), LAYOUT).terms] == [LAYOUT.decayed]
    assert Penalty(Regularization(), LAYOUT).terms == []
    none = layout(dict.fromkeys(["first.W", "second.W", "second.slope"], (0.0, 0.0)))
    assert Penalty(Regularization(l2=0.1), none).terms == []


def test_single_precision() -> None:
    vector, penalty = theta(dtype=np.float32), Penalty(Regularization(l1=0.1, l2=0.2), LAYOUT)
    single, double = np.zeros(LAYOUT.size, np.float32), np.zeros(LAYOUT.size)
    penalty.add_gradient(vector, single)
    penalty.add_gradient(vector.astype(np.float64), double)
    np.testing.assert_allclose(single, double, rtol=1e-6)
    assert penalty.value(vector) == pytest.approx(penalty.value(vector.astype(np.float64)), rel=1e-14)


@given(st.floats(0.1, 5.0), st.sampled_from([np.float32, np.float64]))
def test_max_norm(limit: float, dtype: type[Any]) -> None:
    vector, penalty = theta(dtype=dtype), Penalty(Regularization(max_norm=limit), LAYOUT)
    before = vector.copy()
    penalty.constrain(vector)
    for name, parameter in LAYOUT.parameters.items():
        old, new = LAYOUT.view(before, name), LAYOUT.view(vector, name)
        if not name.endswith("W"):
            np.testing.assert_array_equal(new, old)
            continue
        for unit in range(parameter.shape[-1]):
            w, length = old[..., unit], np.sqrt(np.sum(old[..., unit].astype(np.float64) ** 2))
            expected = w if length <= limit else w * (limit / length)
            np.testing.assert_allclose(new[..., unit], expected, rtol=1e-6 if dtype is np.float32 else 1e-14)


def test_without_max_norm_nothing_is_constrained() -> None:
    vector = theta() * 1e6
    Penalty(Regularization(), LAYOUT).constrain(vector)
    np.testing.assert_array_equal(vector, theta() * 1e6)
