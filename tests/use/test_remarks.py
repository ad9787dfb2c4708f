"""What the baseline loses, against arithmetic, and what is said of figures that are odd."""

import json
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from nnctl.cli.main import main
from nnctl.data.targets import Classes, Numbers, Target
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses import AnyLoss
from nnctl.metrics import R2, Accuracy, ClassPredictions, NumberPredictions, Predictions
from nnctl.use.evaluation import Evaluation, Measured
from nnctl.use.remarks import remarks
from tests.runs.made import make_run

LOSS: TypeAdapter[Loss] = TypeAdapter(AnyLoss)
SHARES = np.array([0.5, 0.3, 0.2])


def mean_loss(loss: Loss, y: Array, targets: Array, counts: Array) -> float:
    """Of the outputs y for every example, where each target is there so many times."""
    each = loss.forward(np.broadcast_to(y, (len(targets), len(y))), targets, Slot(y.dtype))
    weights, mass = loss.weighting(targets, counts)
    return float(each @ weights / mass)


@pytest.mark.parametrize(
    ("spec", "targets", "mean", "counts"),
    [
        ({"type": "cross_entropy"}, np.arange(3), SHARES, SHARES),
        ({"type": "cross_entropy", "label_smoothing": 0.2}, np.arange(3), SHARES, SHARES),
        ({"type": "cross_entropy", "temperature": 3.0}, np.arange(3), SHARES, SHARES),
        ({"type": "cross_entropy", "class_weights": [1.0, 2.0, 5.0]}, np.arange(3), SHARES, SHARES),
        ({"type": "cross_entropy", "input": "probabilities"}, np.arange(3), SHARES, SHARES),
        ({"type": "binary_cross_entropy"}, np.eye(3), SHARES, SHARES),
        ({"type": "binary_cross_entropy"}, np.array([[0.0], [1.0]]), np.array([0.3]), np.array([0.7, 0.3])),
        (
            {"type": "binary_cross_entropy", "class_weights": [1, 4], "label_smoothing": 0.1, "positive_weight": 3.0},
            np.array([[0.0], [1.0]]), np.array([0.3]), np.array([0.7, 0.3]),
        ),
        ({"type": "kl_divergence"}, np.eye(3), SHARES, SHARES),
        ({"type": "mean_squared_error"}, np.array([[1.0], [4.0]]), np.array([1.9]), np.array([0.7, 0.3])),
        ({"type": "poisson"}, np.array([[1.0], [4.0]]), np.array([1.9]), np.array([0.7, 0.3])),
    ],
)  # fmt: skip
def test_no_other_constant_loses_less(spec: dict[str, Any], targets: Array, mean: Array, counts: Array) -> None:
    loss = LOSS.validate_python(spec)
    y = np.asarray(loss.constant(mean), np.float64)
    least = mean_loss(loss, y, targets, counts)
    for seed in range(40):
        step = np.random.default_rng(seed).normal(0, 0.05, y.shape)
        if spec.get("input") == "probabilities":
            step -= step.mean()  # what is not a distribution is no answer
        assert mean_loss(loss, y + step, targets, counts) >= least - 1e-12


@pytest.fixture
def evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str, str], tuple[dict[str, Any], str]]:
    def call(config: str, csv: str) -> tuple[dict[str, Any], str]:
        run = make_run(tmp_path, config, t_csv=csv)
        assert main(["eval", str(run), "--split", "train", "--json"]) == 0
        out, err = capsys.readouterr()
        return json.loads(out), err

    return call


def test_the_baseline_loses_the_entropy_of_the_shares(
    evaluated: Callable[[str, str], tuple[dict[str, Any], str]],
) -> None:
    csv = "a,kind\n" + "".join(f"{i},{'xxxyyz'[i % 6]}\n" for i in range(60))
    config = "data: {source: {type: csv, path: t.csv}, target: kind, split: {validation: 0, test: 0}}\n"
    found, _ = evaluated(config, csv)
    assert found["baseline"]["loss"] == pytest.approx(-sum(p * log(p) for p in (1 / 2, 1 / 3, 1 / 6)))


def test_the_baseline_loses_the_variance(evaluated: Callable[[str, str], tuple[dict[str, Any], str]]) -> None:
    csv = "a,b\n" + "".join(f"{i},{(i * 7) % 13}\n" for i in range(60))
    config = """\
data: {source: {type: csv, path: t.csv}, target: b, task: regression, split: {validation: 0, test: 0}}
loss: mean_squared_error
"""
    found, _ = evaluated(config, csv)
    assert found["baseline"]["loss"] == pytest.approx(1)  # of targets of variance 1


def one(target: Target, p: Predictions, figures: dict[str, float], baseline: dict[str, float]) -> Measured:
    own = {"accuracy": Accuracy(), "r2": R2()}
    metrics = tuple(own[key] for key in figures if key != "loss")
    losses = np.zeros(len(p.outputs))
    return Measured(0.0, {"output": Evaluation(target, figures, baseline, "always a", p, losses, metrics)}, losses)


TRUTH = np.arange(30) % 2
CLASSES = Classes(columns=("kind",), classes=("a", "b"))
RIGHT = ClassPredictions(np.eye(2)[TRUTH], TRUTH, None, ("a", "b"))
NUMBERS = Numbers(columns=("price",), centre=(0.0,), scale=(1.0,))
CLOSE = NumberPredictions(TRUTH[:, None] + 1e-4, TRUTH[:, None].astype(float))


def test_worse_than_the_baseline_is_said_in_words() -> None:
    bad = one(CLASSES, RIGHT, {"loss": 2.91, "accuracy": 0.396}, {"loss": 2.83, "accuracy": 0.425})
    (sentence,) = remarks(bad, held_out=True)
    assert sentence.endswith("looks at no feature (always a): loss 2.91 against 2.83, accuracy 0.396 against 0.425")
    equal = one(CLASSES, RIGHT, {"loss": 0.5, "accuracy": 0.6}, {"loss": 0.5, "accuracy": 0.6})
    assert list(remarks(equal, held_out=False)) == []


@pytest.mark.parametrize(("target", "p", "key"), [(CLASSES, RIGHT, "accuracy"), (NUMBERS, CLOSE, "r2")])
def test_nearly_perfect_is_said_of_what_was_held_out(target: Target, p: Predictions, key: str) -> None:
    good = one(target, p, {"loss": 0.0}, {"loss": 0.7})
    (sentence,) = remarks(good, held_out=True)
    assert sentence.startswith(f"{key} is ")
    assert "look for a column that gives the answer away" in sentence
    assert list(remarks(good, held_out=False)) == []
