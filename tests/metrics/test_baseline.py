"""The answers that look at no feature."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from nnctl.metrics import AnyMetric, baseline, default_metrics, evaluate


def test_majority_class() -> None:
    b = baseline("classification", np.array([0, 2, 2, 1]), classes=("a", "b", "c", "d"))
    assert b.outputs.tolist() == [0.25, 0.25, 0.5, 0]
    assert b.description == "always c (50.0% of the training data)"
    p = b.predictions(np.array([2, 0]))
    log_loss = TypeAdapter(AnyMetric).validate_python("log_loss")
    assert evaluate([*default_metrics("classification"), log_loss], p) == {
        "accuracy": 0.5,
        "macro_f1": pytest.approx(1 / 3),
        "log_loss": pytest.approx((np.log(2) + np.log(4)) / 2),
    }


def test_weights_and_unnamed_classes() -> None:
    assert baseline("classification", np.array([0, 1]), np.array([1.0, 3.0])).outputs.tolist() == [0.25, 0.75]


def test_label_frequencies() -> None:
    b = baseline("multilabel", np.array([[1, 0], [1, 0], [0, 1], [1, 0]]))
    assert b.outputs.tolist() == [0.75, 0.25]
    assert b.predictions(np.array([[1, 1]])).decided.tolist() == [[True, False]]


def test_mean() -> None:
    b = baseline("regression", np.array([[1.0, 10], [3, 20]]), np.array([3.0, 1.0]))
    assert b.outputs.tolist() == [1.5, 12.5]
    assert evaluate(default_metrics("regression"), b.predictions(np.array([[1.5, 0], [1.5, 25]])))["mae"] == 6.25


def test_mean_of_float32_is_taken_in_float64() -> None:
    truth = np.full((1000, 1), 0.1, np.float32)
    assert baseline("regression", truth).outputs[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_of_no_examples_and_no_names() -> None:
    assert baseline("classification", np.zeros(0, int)).outputs.shape == (1,)


@pytest.mark.parametrize("task", ["classification", "multilabel", "regression"])
def test_of_no_examples(task: str) -> None:
    b = baseline(task, np.zeros(0 if task == "classification" else (0, 2), int), classes=("a", "b"))
    assert np.isnan(b.outputs).all()
    evaluate(default_metrics(task), b.predictions(np.zeros(3 if task == "classification" else (3, 2), int)))
