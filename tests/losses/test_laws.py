"""What the losses compute, written out in plain loops, and the laws that connect them."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy, Logistic
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.focal import Focal
from nnctl.losses.kl_divergence import KLDivergence
from nnctl.losses.margin import Perceptron
from nnctl.losses.poisson import Poisson
from nnctl.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Quantile,
    SmoothL1,
    SquaredError,
)
from tests.losses.cases import (
    WEIGHTS,
    K,
    mean,
    outputs,
    run,
    softmax,
    targets,
)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_cross_entropy_by_its_definition(
    smoothing: float, weights: tuple[float, float, float, float] | None, temperature: float
) -> None:
    loss = CrossEntropy(class_weights=weights, label_smoothing=smoothing, temperature=temperature)
    y, t = outputs(loss, (6, K)), targets(loss, (6, K))
    w = weights or (1.0,) * K
    total = mass = 0.0
    for z, target in zip(y.tolist(), t.tolist(), strict=True):
        normaliser = sum(math.exp(v / temperature) for v in z)
        for c in range(K):
            q = (1 - smoothing) * (c == target) + smoothing / K
            total -= w[c] * q * math.log(math.exp(z[c] / temperature) / normaliser)
        mass += w[target]
    assert mean(loss, y, t)[0] == pytest.approx(total / mass, rel=1e-13)


def test_binary_cross_entropy_by_its_definition() -> None:
    loss = BinaryCrossEntropy(positive_weight=WEIGHTS, label_smoothing=0.2)
    y, t = outputs(loss, (5, K)), targets(loss, (5, K))
    expected = np.zeros(5)
    for i, j in np.ndindex(5, K):
        p, q = 1 / (1 + math.exp(-y[i, j])), 0.8 * t[i, j] + 0.1
        expected[i] -= (WEIGHTS[j] * q * math.log(p) + (1 - q) * math.log(1 - p)) / K
    np.testing.assert_allclose(run(loss, y, t)[0], expected, rtol=1e-13)


def test_index_and_one_hot_targets_agree() -> None:
    loss = CrossEntropy(class_weights=WEIGHTS, label_smoothing=0.1)
    y, t = outputs(loss, (6, K)), targets(loss, (6, K))
    for a, b in zip(run(loss, y, t), run(loss, y, np.eye(K)[t]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    assert loss.mass(np.eye(K)[t]) is None
    np.testing.assert_array_equal(loss.mass(t), np.array(WEIGHTS)[t])


@pytest.mark.parametrize("options", [{}, {"class_weights": WEIGHTS}, {"label_smoothing": 0.1}])
@pytest.mark.parametrize("member", [CrossEntropy, BinaryCrossEntropy, Logistic])
def test_logits_and_probabilities_agree(member: type[Any], options: dict[str, Any]) -> None:
    from_logits, from_p = member(**options), member(**options, input="probabilities")
    y, t = outputs(from_logits, (6, K)), targets(from_logits, (6, K))
    p = from_logits.predict(y)
    np.testing.assert_allclose(run(from_logits, y, t)[0], run(from_p, p, t)[0], rtol=1e-12)
    np.testing.assert_array_equal(from_p.predict(p), p)


def test_laws() -> None:
    """Losses that are multiples, sums or special cases of one another."""
    y, t, z = (outputs(SquaredError(), (6, K), seed) for seed in range(3))
    one_hot = np.eye(K)[[0, 3, 1, 1, 2, 0]]
    q, p = softmax(t), softmax(y)
    label = one_hot.argmax(axis=-1) % 2
    two = np.concatenate([np.zeros((6, 1)), y[:, :1]], axis=-1)
    entropy = -(q * np.log(q)).sum(axis=-1)
    for left, right, factor, shift in [
        (run(Logistic(), y, one_hot), run(BinaryCrossEntropy(), y, one_hot), K, 0),
        (run(SquaredError(), y, t), run(MeanSquaredError(), y, t), K / 2, 0),
        (run(Huber(delta=0.3), y, t), run(SmoothL1(beta=0.3), y, t), 0.3, 0),
        (run(Huber(delta=1e6), y, t), run(MeanSquaredError(), y, t), 0.5, 0),
        (run(SmoothL1(beta=1e-9), y, t), run(MeanAbsoluteError(), y, t), 1, 0),
        (run(KLDivergence(), y, q), run(CrossEntropy(), y, q), 1, -entropy),
        (run(Focal(gamma=0.0, alpha=None), y, one_hot), run(BinaryCrossEntropy(), y, one_hot), 1, 0),
        (run(Focal(gamma=0.0, alpha=0.5), y, q), run(BinaryCrossEntropy(), y, q), 0.5, 0),
        (run(Quantile(), y, t), run(MeanAbsoluteError(), y, t), 0.5, 0),
        (run(LogCosh(), 1e-5 * y, 1e-5 * t), run(MeanSquaredError(), 1e-5 * y, 1e-5 * t), 0.5, 0),
        (run(LogCosh(), 1e5 * y, 1e5 * t), run(MeanAbsoluteError(), 1e5 * y, 1e5 * t), 1, -math.log(2)),
        (run(CrossEntropy(), y, q), run(CrossEntropy(), y + z[:, :1], q), 1, 0),
        (run(CrossEntropy(temperature=2.0), 2 * y, q), run(CrossEntropy(), y, q), 1, 0),
    ]:
        np.testing.assert_allclose(left[0], factor * right[0] + shift, rtol=1e-8, atol=1e-8)
    assert run(KLDivergence(), y, p)[0] == pytest.approx(0, abs=1e-14)
    single = run(BinaryCrossEntropy(), y[:, :1], label[:, None].astype(float))
    double = run(CrossEntropy(), two, label)
    np.testing.assert_allclose(single[0], double[0], rtol=1e-12)
    np.testing.assert_allclose(single[1][:, 0], double[1][:, 1], rtol=1e-12)


def test_focal_by_its_definition() -> None:
    loss = Focal(gamma=1.5, alpha=0.3)
    y, t = outputs(loss, (5, K)), targets(loss, (5, K))
    expected = np.zeros(5)
    for i, j in np.ndindex(5, K):
        p = 1 / (1 + math.exp(-y[i, j]))
        right, alpha = (p, 0.3) if t[i, j] else (1 - p, 0.7)  # p_t and alpha_t of the paper
        expected[i] -= alpha * (1 - right) ** 1.5 * math.log(right) / K
    np.testing.assert_allclose(run(loss, y, t)[0], expected, rtol=1e-13)


def test_log_cosh_by_its_definition() -> None:
    r = np.array([[-3.0, 1e-9, 0.999999, 1.000001]])
    expected = np.mean([math.log(math.cosh(r[0, 0])), 1e-18 / 2, *(math.log(math.cosh(x)) for x in r[0, 2:])])
    assert run(LogCosh(), r, np.zeros((1, 4)))[0] == pytest.approx(expected, rel=1e-14)
    tiny = run(LogCosh(), np.array([[1e-9]]), np.zeros((1, 1)))[0]
    assert tiny == pytest.approx(0.5e-18, rel=1e-14, abs=0)  # log(cosh(1e-9)) is 0


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12), st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_the_best_single_answer_to_the_quantile_loss_is_a_quantile(t: list[float], level: float) -> None:
    loss = Quantile(level=level)

    def total(answer: float) -> float:
        return float(run(loss, np.full((len(t), 1), answer), np.array(t)[:, None])[0].sum())

    best = float(np.quantile(t, level, method="inverted_cdf"))
    assert total(best) <= min(map(total, t)) + 1e-9


def test_the_best_single_answer_to_counts_is_the_logarithm_of_their_mean() -> None:
    t = np.array([[0.0], [3.0], [5.0], [1.0]])
    value, slope = mean(Poisson(), np.full((4, 1), math.log(t.mean())), t)
    assert slope.sum() == pytest.approx(0, abs=1e-15)
    likelihood = [t_i * math.log(t.mean()) - t.mean() - math.lgamma(t_i + 1) for t_i in t.ravel()]
    constant = sum(math.lgamma(t_i + 1) for t_i in t.ravel())
    assert value == pytest.approx(-(sum(likelihood) + constant) / 4, rel=1e-14)


def test_kl_divergence_of_impossible_classes() -> None:
    """0 log 0 = 0."""
    value, gradient = run(KLDivergence(), np.zeros((1, 2)), np.array([[0.0, 1.0]]))
    assert value == pytest.approx(math.log(2))
    np.testing.assert_allclose(gradient, [[0.5, -0.5]])


def test_published_squared_error() -> None:
    """The classic 2-2-2 worked example: outputs 0.75136507 and 0.772928465 against 0.01 and 0.99."""
    value, _ = run(SquaredError(), np.array([[0.75136507, 0.772928465]]), np.array([[0.01, 0.99]]))
    assert value == pytest.approx(0.298371109, abs=1e-9)


def test_perceptron_is_the_perceptron_rule() -> None:
    """One SGD step of batch size 1 is w += learning_rate (t - y) x."""
    random = np.random.default_rng(4)
    for _ in range(20):
        w, x, t = random.normal(size=3), random.normal(size=3), float(random.integers(2))
        fires = float(w @ x >= 0)
        value, slope = run(Perceptron(), np.array([[w @ x]]), np.array([[t]]))
        assert value >= 0
        np.testing.assert_allclose(w - 0.1 * slope[0, 0] * x, w + 0.1 * (t - fires) * x, rtol=1e-14)


def test_impossible_probabilities_cost_as_much_as_1e_12() -> None:
    cost = 12 * math.log(10)
    certain = np.array([[1.0, 0.0]])
    assert run(CrossEntropy(input="probabilities"), certain, np.array([1]))[0] == pytest.approx(cost)
    assert run(Logistic(input="probabilities"), certain, 1 - certain)[0] == pytest.approx(2 * cost)
