"""Laws that hold for any predictions."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.strategies._internal.random import ArtificialRandom
from pydantic import TypeAdapter

from nnctl.engine.parameters import Array
from nnctl.metrics import AnyMetric, Predictions, confusion_matrix, evaluate
from nnctl.metrics.predictions import Task

METRIC = TypeAdapter(AnyMetric)
KEYS = [m.model_fields["type"].default for m in get_args(get_args(AnyMetric)[0])]
KEYS += ["macro_f1", "micro_f1", "weighted_f1", "macro_precision", "weighted_recall", "top_2_accuracy"]
METRICS = [METRIC.validate_python(key) for key in KEYS]
#: Multiples of 1/16 are exact, so that ties are ties whatever the order of additions.
sixteenths = st.integers(0, 16).map(lambda i: i / 16)


@st.composite
def predictions(draw: Callable[..., Any], task: Task | None = None) -> Predictions:
    task = task or draw(st.sampled_from(["classification", "multilabel", "regression"]))
    n, k = draw(st.integers(0, 12)), draw(st.integers(1, 4))
    weights = draw(st.none() | arrays(np.float64, n, elements=st.integers(0, 3).map(float)))
    if task == "regression":
        numbers = st.integers(-30, 30).map(lambda i: i / 4)
        y, t = (draw(arrays(np.float64, (n, k), elements=numbers)) for _ in "yt")
        return Predictions(task, y, t, weights)
    if task == "multilabel":
        truth = draw(arrays(np.int64, (n, k), elements=st.integers(0, 1)))
        return Predictions(task, draw(arrays(np.float64, (n, k), elements=sixteenths)), truth, weights)
    outputs = np.diff(np.sort(draw(arrays(np.float64, (n, k - 1), elements=sixteenths)), axis=1), prepend=0, append=1)
    return Predictions(task, outputs, draw(arrays(np.int64, n, elements=st.integers(0, k - 1))), weights)


def values(p: Predictions) -> list[float]:
    return [v for m in METRICS if p.task in m.tasks for v in (m.value(p), *_flat(m.by_class(p)))]


def _flat(by_class: Array | None) -> list[float]:
    return [] if by_class is None else by_class.tolist()


def rows(p: Predictions, indices: Array | Sequence[int], weights: Array | None) -> Predictions:
    return dataclasses.replace(p, outputs=p.outputs[indices], truth=p.truth[indices], weights=weights)


@given(predictions(), st.randoms())
def test_the_order_of_examples_is_nothing(p: Predictions, random: ArtificialRandom) -> None:
    order = list(range(len(p.truth)))
    random.shuffle(order)
    shuffled = rows(p, order, None if p.weights is None else p.weights[order])
    np.testing.assert_allclose(values(shuffled), values(p), rtol=1e-12, atol=1e-13)


@given(predictions())
def test_a_weight_is_a_repetition(p: Predictions) -> None:
    times = np.ones(len(p.truth), int) if p.weights is None else p.weights.astype(int)
    repeated = rows(p, np.repeat(np.arange(len(p.truth)), times), None)
    np.testing.assert_allclose(values(p), values(repeated), rtol=1e-12, atol=1e-13)


@given(predictions(), st.sampled_from([0.5, 2.0, 4.0]))
def test_the_unit_of_weights_is_nothing(p: Predictions, unit: float) -> None:
    scaled = dataclasses.replace(p, weights=np.full(len(p.truth), unit) if p.weights is None else unit * p.weights)
    np.testing.assert_allclose(values(scaled), values(p), rtol=1e-12, atol=1e-13)


@given(predictions("classification"))
def test_micro_averages_are_accuracy(p: Predictions) -> None:
    named = evaluate(METRICS_FOR_ACCURACY, p)
    assert len(set(map(str, named.values()))) == 1


METRICS_FOR_ACCURACY = [
    METRIC.validate_python(k) for k in ("accuracy", "top_1_accuracy", "micro_f1", "micro_precision", "micro_recall")
]


@given(predictions())
def test_weighted_recall_is_accuracy_and_perfection_is_perfect(p: Predictions) -> None:
    if p.task == "classification":
        value = METRIC.validate_python("weighted_recall").value(p)
        assert value == pytest.approx(METRIC.validate_python("accuracy").value(p), nan_ok=True)
    outputs = np.eye(p.columns)[p.truth] if p.task == "classification" else p.truth.astype(float)
    perfect = dataclasses.replace(p, outputs=outputs)
    best = {"higher": 1.0, "lower": 0.0}
    for metric in METRICS:
        # Of one class there is no correlation, and its label can be absent.
        if p.task in metric.tasks and metric.type != "matthews":
            value = metric.value(perfect)
            assert np.isnan(value) or value == pytest.approx(best[metric.better], abs=1e-14), metric.key


@given(predictions())
def test_roc_auc_is_the_mann_whitney_statistic(p: Predictions) -> None:
    if p.task == "regression":
        return
    w = np.ones(len(p.truth)) if p.weights is None else p.weights
    each: Any = METRIC.validate_python("roc_auc").by_class(p)
    for c in range(p.columns):
        positive = p.truth == c if p.task == "classification" else p.truth[:, c] == 1
        won = pairs = 0.0
        for i in np.flatnonzero(positive):
            for j in np.flatnonzero(~positive):
                a, b = p.outputs[i, c], p.outputs[j, c]
                won += w[i] * w[j] * (1.0 if a > b else 0.5 if a == b else 0.0)
                pairs += w[i] * w[j]
        assert each[c] == pytest.approx(won / pairs if pairs else np.nan, nan_ok=True)


@given(predictions("classification"))
def test_matthews_of_two_classes_is_pearsons_correlation(p: Predictions) -> None:
    if p.columns != 2 or len(p.truth) == 0:
        return
    t, d = np.repeat([p.truth, p.outputs.argmax(axis=1)], 1 if p.weights is None else p.weights.astype(int), axis=1)
    expected = 0.0 if len(set(t)) == 1 or len(set(d)) == 1 else np.corrcoef(t, d)[0, 1] if len(t) else np.nan
    assert METRIC.validate_python("matthews").value(p) == pytest.approx(expected, nan_ok=True, abs=1e-12)


@given(predictions("classification"), st.integers(1, 5))
def test_top_k_by_sorting(p: Predictions, k: int) -> None:
    found = METRIC.validate_python({"type": "top_k", "k": k}).value(dataclasses.replace(p, weights=None))
    best = np.argsort(-p.outputs, axis=1, kind="stable")[:, :k]
    expected = np.mean([t in row for t, row in zip(p.truth, best, strict=True)]) if len(p.truth) else np.nan
    assert found == pytest.approx(expected, nan_ok=True)


@given(predictions("classification"))
def test_a_threshold_of_a_half_is_the_largest_output(p: Predictions) -> None:
    if p.columns == 2:
        np.testing.assert_array_equal(p.decide(0.5), p.decide(None))


@given(predictions())
def test_the_confusion_matrix_counts_everything_once(p: Predictions) -> None:
    if p.task != "regression":
        total = len(p.truth) if p.weights is None else p.weights.sum()
        each = 1 if p.task == "classification" else p.columns
        assert confusion_matrix(p).sum() == total * each
