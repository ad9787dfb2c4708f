"""What metrics say where there is little to say. Warnings are errors in these tests."""

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from nnctl.engine.parameters import Array
from nnctl.metrics import AnyMetric, ClassPredictions, NumberPredictions, evaluate
from nnctl.metrics.metric import Metric
from nnctl.metrics.predictions import Task
from tests.metrics.made import OF, by_class, value

METRIC = TypeAdapter(AnyMetric)
TYPES = [m.model_fields["type"].default for m in get_args(get_args(AnyMetric)[0])]
TASKS = ("classification", "multilabel", "regression")
NAN = math.nan


def fitting(task: Task) -> list[Metric]:
    return [m for m in map(METRIC.validate_python, TYPES) if task in m.tasks]


def score(
    task: Task,
    outputs: Array | Sequence[Sequence[float]],
    truth: Sequence[int | Sequence[float]],
    *keys: str,
    weights: Array | None = None,
) -> list[float]:
    p = OF[task](np.array(outputs, float), np.array(truth), weights)
    return list(evaluate(map(METRIC.validate_python, keys), p).values())


def classes(decided: Sequence[int], truth: Sequence[int], *keys: str, count: int = 2) -> list[float]:
    return score("classification", np.eye(count)[decided], truth, *keys)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n", [0, 3])
def test_nothing_to_look_at_is_nan(task: Task, n: int) -> None:
    truth = np.zeros(n if task == "classification" else (n, 2), int)
    p = OF[task](np.full((n, 2), 0.5), truth, np.zeros(n))
    for metric in fitting(task):
        assert math.isnan(value(metric, p)), metric.key
        each = by_class(metric, p)
        assert each is None or np.isnan(each).all(), metric.key


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf, 1e300, -1e300])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 1.0, 0.0])])
def test_broken_outputs_warn_nobody(task: Task, bad: float, weights: Array | None) -> None:
    truth = np.array([0, 1, 1]) if task == "classification" else np.array([[0, 1], [1, 0], [1, 1]])
    p = OF[task](np.array([[bad, 0.5], [0.2, 0.8], [0.2, bad]]), truth, weights)
    for metric in fitting(task):
        figure = value(metric, p)
        by_class(metric, p)
        if math.isnan(bad) and metric.type in ("roc_auc", "log_loss", "brier", "mae", "mse", "rmse", "r2", "max_error"):
            assert math.isnan(figure), metric.key


def test_one_class_only() -> None:
    keys = ("accuracy", "balanced_accuracy", "matthews", "roc_auc", "log_loss")
    assert classes([0, 0], [0, 0], *keys) == [1, 1, 0, pytest.approx(NAN, nan_ok=True), 0]
    assert classes([1, 0], [0, 0], *keys[:4]) == [0.5, 0.5, 0, pytest.approx(NAN, nan_ok=True)]


def test_zero_where_a_class_is_missed_and_nan_where_it_is_not_there() -> None:
    nan = pytest.approx(NAN, nan_ok=True)
    assert classes([0, 0, 0], [0, 1, 0], "precision", "recall", "f1") == [0, 0, 0]
    assert classes([0, 1, 0], [0, 0, 0], "precision", "recall", "f1") == [0, 0, 0]
    assert classes([0, 0, 0], [0, 0, 0], "precision", "recall", "f1") == [nan, nan, nan]
    # The third class is left out of the mean.
    assert classes([0, 1, 0], [0, 1, 1], "macro_recall", "weighted_recall", count=3) == [0.75, pytest.approx(2 / 3)]


def test_constant_truth_has_no_variance_to_explain() -> None:
    # The mean of 0.1, 0.1, 0.1 is not 0.1.
    column = [[0.1], [0.1], [0.1]]
    assert math.isnan(score("regression", column, column, "r2")[0])
    p = NumberPredictions(np.zeros((3, 2)), np.array([[1.0, 5], [2, 5], [3, 5]]))
    each = by_class(METRIC.validate_python("r2"), p)
    assert each[0] == pytest.approx(1 - 14 / 2)
    assert math.isnan(each[1])
    assert math.isnan(value(METRIC.validate_python("r2"), p))
    weighted = score("regression", [[0]] * 4, [*column, [7]], "r2", weights=np.array([1.0, 1, 1, 0]))
    assert math.isnan(weighted[0])


def test_mape_leaves_a_truth_of_zero_out() -> None:
    assert score("regression", [[1.0], [3.0], [9.0]], [[2.0], [4.0], [0.0]], "mape") == [pytest.approx(0.375)]
    assert math.isnan(score("regression", [[1.0]], [[0.0]], "mape")[0])


def test_a_wrong_certainty_is_finite() -> None:
    assert classes([1], [0], "log_loss") == [pytest.approx(-math.log(np.finfo(float).eps))]
    p = ClassPredictions(np.array([[0, 1]], np.float32), np.array([0]))
    assert value(METRIC.validate_python("log_loss"), p) == pytest.approx(-math.log(np.finfo(np.float32).eps))


def test_scores_are_no_probabilities() -> None:
    keys = ("log_loss", "brier", "accuracy", "roc_auc")
    loss, brier, *others = score("classification", [[3.0, -3], [-1, 1], [-2, 2]], [0, 1, 0], *keys)
    assert math.isnan(loss)
    assert math.isnan(brier)
    assert others == [pytest.approx(2 / 3), 0.5]
    assert math.isnan(score("classification", [[0.9, 0.8]], [0], "log_loss")[0])


def test_ties_go_to_the_first() -> None:
    assert score("classification", [[0.25] * 4] * 4, [0, 1, 2, 3], "accuracy", "top_2_accuracy", "roc_auc") == [
        0.25,
        0.5,
        0.5,
    ]


def test_nan_wins_nothing() -> None:
    outputs = [[NAN, 0.5, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]]
    assert score("classification", outputs, [0, 0, 1], "top_1_accuracy", "top_2_accuracy") == [
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    ]
    assert score("classification", outputs, [1, 0, 1], "top_1_accuracy", "top_2_accuracy") == [pytest.approx(2 / 3), 1]
    assert math.isnan(score("classification", outputs, [1, 0, 1], "roc_auc")[0])


def test_float32_is_subtracted_in_float64() -> None:
    p = NumberPredictions(np.ones((1, 1), np.float32), np.full((1, 1), 1e-9, np.float32))
    assert value(METRIC.validate_python("mae"), p) == pytest.approx(1 - 1e-9, rel=1e-13)


def test_float32_is_summed_in_float64() -> None:
    n = 3_000_000
    p = NumberPredictions(np.full((n, 1), 0.1, np.float32), np.zeros((n, 1), np.float32))
    assert value(METRIC.validate_python("mae"), p) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize(
    ("outputs", "truth"),
    [((5, 1), (5,)), ((5, 2), (5, 1)), ((4, 1), (5, 1)), ((5,), (5,)), ((0, 0), (0, 0))],
)
def test_shapes_that_would_broadcast_are_refused(outputs: tuple[int, ...], truth: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not fit truth"):
        NumberPredictions(np.zeros(outputs), np.zeros(truth))
