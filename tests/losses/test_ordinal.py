"""Cumulative logits against their definition in many digits, a worked example, and the binary cross-entropy."""

import json
import math
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy
from nnctl.losses.ordinal import Ordinal
from tests.losses.cases import K, mean, outputs, run, softmax, targets
from tests.process import nnctl


def probabilities(y: list[float]) -> list[Decimal]:
    """Differences of the cumulative distribution 1 / (1 + exp(y_1 - theta_c)), in the digits of the context."""
    theta, up_to = Decimal(0), [Decimal(0)]
    for c, output in enumerate(map(Decimal, y)):
        theta += (1 + output.exp()).ln() if c else 0
        up_to.append(1 / (1 + (Decimal(y[0]) - theta).exp()))
    up_to.append(Decimal(1))
    return [above - below for below, above in pairwise(up_to)]


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=5))
def test_probabilities_by_their_definition_lose_no_digits(y: list[float]) -> None:
    with localcontext() as context:
        context.prec = 200
        expected = probabilities(y)
        log_p = [float(p.ln()) for p in expected]
    assert math.isclose(sum(expected), 1)
    p = Ordinal().predict(np.array([y]))[0]
    np.testing.assert_allclose(p, [float(p) for p in expected], rtol=1e-12, atol=1e-300)
    losses = [run(Ordinal(), np.array([y]), np.array([c]))[0][0] for c in range(len(p))]
    np.testing.assert_allclose(losses, -np.array(log_p), rtol=1e-12, atol=1e-300)


def test_a_worked_example() -> None:
    """A score of 1, and a second threshold at ln 4: y_2 = ln 3, as softplus(ln 3) = ln (1 + 3).

    P(first) = 1 / (1 + e), P(first or second) = 1 / (1 + e / 4).
    """
    y = np.array([[1.0, math.log(3)]])
    first, two = 1 / (1 + math.e), 1 / (1 + math.e / 4)
    np.testing.assert_allclose(Ordinal().predict(y), [[first, two - first, 1 - two]], rtol=1e-14)
    value, slope = run(Ordinal(), y, np.array([0]))
    assert value == pytest.approx(1.3132616875182228, rel=1e-14)  # ln (1 + e)
    np.testing.assert_allclose(slope, [[0.7310585786300049, 0.0]], atol=1e-15)  # e / (1 + e), and nothing of y_2


def test_of_two_classes_it_is_the_binary_cross_entropy() -> None:
    y, t = outputs(Ordinal(), (9, 1)), np.arange(9) % 2
    weights = (0.5, 2.0)
    ordered = mean(Ordinal(class_weights=weights), y, t)
    binary = mean(BinaryCrossEntropy(class_weights=weights), y, t[:, None].astype(float))
    assert ordered[0] == pytest.approx(binary[0], rel=1e-14)
    np.testing.assert_allclose(ordered[1], binary[1], rtol=1e-13)
    np.testing.assert_allclose(Ordinal().predict(y)[:, 1:], BinaryCrossEntropy().predict(y), rtol=1e-14)


def test_a_number_is_the_distribution_that_has_nothing_else() -> None:
    y, t = outputs(Ordinal(), (6, K)), targets(Ordinal(), (6, K))
    loss = Ordinal(class_weights=(0.5, 2.0, 1.0, 3.0, 1.5))
    for number, distribution in zip(run(loss, y, t), run(loss, y, np.eye(K + 1)[t]), strict=True):
        np.testing.assert_array_equal(number, distribution)


def test_a_higher_score_makes_every_higher_class_likelier() -> None:
    y = np.repeat(outputs(Ordinal(), (1, K)), 50, axis=0)
    y[:, 0] = np.linspace(-9, 9, 50)
    up_to = Ordinal().predict(y).cumsum(axis=-1)[:, :-1]
    assert (np.diff(up_to, axis=0) < 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whatever_the_outputs_the_probabilities_are_some(dtype: type[Any]) -> None:
    y = np.random.default_rng(5).choice([-1e30, -1e4, -30, -1, 0, 1, 30, 1e4, 1e30], (500, K)).astype(dtype)
    p = Ordinal().predict(y)
    assert p.dtype == dtype
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=8 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("shares", [softmax(np.arange(5.0)), np.array([0.3, 0.7]), np.array([0.25, 0.0, 0.5, 0.25])])
def test_the_best_constant_says_the_shares(shares: np.ndarray) -> None:
    y = Ordinal().constant(shares)
    assert y is not None and len(y) == len(shares) - 1
    np.testing.assert_allclose(Ordinal().predict(y), shares, rtol=1e-12)
    weights = tuple(range(1, len(shares) + 1))
    weighed = Ordinal(class_weights=weights).constant(shares)
    assert weighed is not None
    np.testing.assert_allclose(Ordinal().predict(weighed), shares * weights / (shares * weights).sum(), rtol=1e-12)


@pytest.mark.parametrize("shares", [[0.0, 0.4, 0.6], [0.6, 0.4, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
def test_classes_that_training_has_not_seen_have_no_share(shares: list[float]) -> None:
    y = Ordinal().constant(np.array(shares))
    assert y is not None
    np.testing.assert_allclose(Ordinal().predict(y), shares, atol=1e-12)


GRADES = ("poor", "fair", "good", "fine", "best", "rare")
EXPERIMENT = f"""
data: {{source: {{type: csv, path: grades.csv}}, target: q, order: [{", ".join(GRADES)}]}}
model: {{hidden: [8]}}
optimizer: {{type: adam, learning_rate: 0.02}}
training: {{epochs: 12, batch_size: 32}}
runtime: {{threads: 1}}
metrics: [accuracy, log_loss]
"""


def test_it_learns_ordered_grades_as_well_as_the_cross_entropy(tmp_path: Path) -> None:
    a, b, c, noise = np.random.default_rng(0).normal(size=(4, 1500))
    q = np.clip(np.round(5.6 + 0.55 * a + 0.3 * b + 0.55 * noise), 3, 8).astype(int) - 3
    rows = "".join(f"{x:.4f},{y:.4f},{z:.4f},{GRADES[grade]}\n" for x, y, z, grade in zip(a, b, c, q, strict=True))
    (tmp_path / "grades.csv").write_text("a,b,c,q\n" + rows)
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    measured = {}
    for loss in ("cross_entropy", "ordinal"):
        trained = nnctl("train", "e.yaml", "--set", f"loss={loss}", "--quiet", cwd=tmp_path).stdout.strip()
        measured[loss] = json.loads(nnctl("eval", trained, "--json", cwd=tmp_path).stdout)
    own, other = measured["ordinal"], measured["cross_entropy"]
    assert own["metrics"]["log_loss"] == pytest.approx(own["loss"], rel=1e-4)
    assert own["loss"] < own["baseline"]["loss"] - 0.2
    assert own["metrics"]["accuracy"] > max(own["baseline"]["metrics"]["accuracy"], other["metrics"]["accuracy"] - 0.05)
    assert own["loss"] < other["loss"] + 0.05
    predicted = nnctl("predict", trained, "--data", "grades.csv", cwd=tmp_path).stdout.splitlines()
    assert len(predicted) == 1501
    heads, shares = predicted[0].split(","), predicted[1].split(",")
    assert [name.removeprefix("p_").removeprefix("probability_") for name in heads[-6:]] == list(GRADES)
    assert sum(map(float, shares[-6:])) == pytest.approx(1, abs=1e-5)
    explained = json.loads(nnctl("explain", "e.yaml", "--set", "loss=ordinal", "--json", cwd=tmp_path).stdout)
    assert explained["target"] in np.tri(6, 5, -1).tolist(), "of each threshold, whether the class lies above it"
