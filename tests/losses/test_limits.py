"""Infinite outputs, examples that do not count, and targets that have no meaning. Warnings are errors here."""

import math

import numpy as np
import pytest

from nnctl.engine.loss import Loss
from nnctl.errors import DataError
from nnctl.losses.base import OneHotLoss
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.kl_divergence import KLDivergence
from nnctl.losses.margin import Hinge
from nnctl.losses.ordinal import Ordinal
from nnctl.losses.poisson import Poisson
from nnctl.losses.regression import ResidualLoss
from tests.losses.cases import ALL, K, named, outputs, run, targets

LOGITS = [loss for loss in ALL if getattr(loss, "input", "logits") == "logits" and not isinstance(loss, ResidualLoss)]
WHOLE = [loss for loss in LOGITS if not getattr(loss, "label_smoothing", 0)]


def costs_nothing(loss: Loss) -> np.ndarray:
    """Targets that have nothing of class 1."""
    if loss.encoding == "index":
        return np.array([0, 2, 3])
    if isinstance(loss, KLDivergence):
        return np.array([[0.5, 0, 0.25, 0.25], [1, 0, 0, 0], [0, 0, 0, 1]])
    return np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("loss", WHOLE, ids=named)
def test_minus_infinity_is_the_limit_of_large_negative_logits(loss: Loss) -> None:
    y, t = outputs(loss, (3, K)), costs_nothing(loss)
    far, infinite = y.copy(), y.copy()
    far[:, 1], infinite[:, 1] = -800.0, -math.inf
    for expected, limit in zip(run(loss, far, t), run(loss, infinite, t), strict=True):
        assert np.isfinite(limit).all()
        np.testing.assert_allclose(limit, expected, rtol=1e-12, atol=1e-130)


@pytest.mark.parametrize("loss", [CrossEntropy(), CrossEntropy(label_smoothing=0.1), KLDivergence()], ids=named)
def test_a_target_that_cannot_be_costs_infinitely_much_and_has_a_gradient(loss: Loss) -> None:
    t = np.array([1]) if loss.encoding == "index" else np.array([[0.0, 1, 0]])
    value, gradient = run(loss, np.array([[0.0, -math.inf, 0.0]]), t)
    assert value == math.inf
    smoothing = getattr(loss, "label_smoothing", 0.0)
    q = np.array([[0, 1, 0]]) * (1 - smoothing) + smoothing / 3
    np.testing.assert_allclose(gradient, np.array([[0.5, 0, 0.5]]) - q, rtol=1e-14)


@pytest.mark.parametrize("loss", [loss for loss in WHOLE if isinstance(loss, OneHotLoss)], ids=named)
def test_certain_and_right_costs_nothing(loss: OneHotLoss) -> None:
    y = np.where(np.eye(K) > 0, math.inf, -math.inf)
    if not isinstance(loss, Hinge):  # whose slope is 0 times infinity
        value, gradient = run(loss, y, np.eye(K))
        assert not value.any()
        assert not gradient.any()


@pytest.mark.parametrize("loss", [loss for loss in ALL if getattr(loss, "input", "") != "probabilities"], ids=named)
@pytest.mark.parametrize("spoilt", [math.inf, -math.inf, math.nan])
def test_an_example_of_weight_zero_has_no_gradient(loss: Loss, spoilt: float) -> None:
    y, t = outputs(loss, (4, K)), targets(loss, (4, K))
    y[1] = spoilt
    if t.dtype.kind == "f":
        t = t.copy()
        t[1] = math.nan
    kept = [0, 2, 3]
    with np.errstate(all="ignore"):
        value, gradient = run(loss, y, t, np.array([0.5, 0.0, 2.0, 1.0]))
    expected, slope = run(loss, y[kept], t[kept], np.array([0.5, 2.0, 1.0]))
    np.testing.assert_array_equal(value[kept], expected)
    np.testing.assert_array_equal(gradient[kept], slope)
    assert not gradient[1].any()


@pytest.mark.parametrize("loss", [CrossEntropy(class_weights=(1.0, 0.0, 1.0)), Hinge(class_weights=(1.0, 0.0, 1.0))])
def test_a_class_of_weight_zero_does_not_exist(loss: Loss) -> None:
    y, t = np.array([[0.0, -math.inf, 1.0]]), np.array([1])
    value, gradient = run(loss, y, t if loss.encoding == "index" else np.eye(3)[t])
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("label", [-1, K, 255])
@pytest.mark.parametrize("weights", [None, (1.0,) * K])
@pytest.mark.parametrize("member", [CrossEntropy, Ordinal])
def test_a_label_outside_the_classes_is_refused(
    member: type[CrossEntropy | Ordinal], label: int, weights: tuple[float, ...] | None
) -> None:
    loss = member(class_weights=weights)
    t = np.array([0, label, 1])
    message = f"{loss.type} takes the numbers of classes, from 0 to 3, and a target is {label}$"
    with pytest.raises(DataError, match=message):
        run(loss, np.zeros((3, member.outputs(K))), t)
    if weights:
        with pytest.raises(DataError, match=message):
            loss.mass(t)


SHARES = [*(loss for loss in LOGITS if isinstance(loss, OneHotLoss | KLDivergence)), CrossEntropy(), Ordinal()]


@pytest.mark.parametrize("loss", SHARES, ids=named)
@pytest.mark.parametrize("wrong", [2.0, -1.0, math.inf])
def test_a_target_outside_0_and_1_is_refused(loss: Loss, wrong: float) -> None:
    t = np.eye(K)
    t[2, 1] = wrong
    with pytest.raises(DataError, match=f"from 0 to 1, and a target is {wrong:g}$"):
        run(loss, np.zeros((K, loss.outputs(K) if loss.ordered else K)), t)


def test_counts_are_not_negative() -> None:
    with pytest.raises(DataError, match="poisson takes counts, from 0 to inf, and a target is -2$"):
        run(Poisson(), np.zeros((1, 2)), np.array([[3.0, -2.0]]))


def test_rounding_does_not_lead_out_of_0_and_1() -> None:
    mixed = np.array([[np.nextafter(np.float32(1), np.float32(2)), 0]], np.float32)
    assert np.isfinite(run(Hinge(), np.zeros((1, 2), np.float32), mixed)[0]).all()
