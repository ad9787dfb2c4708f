"""Laws that hold for any predictions."""

import dataclasses
import math
import tracemalloc
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.strategies._internal.random import ArtificialRandom
from pydantic import TypeAdapter

from nnctl.engine.parameters import Array
from nnctl.metrics import AnyMetric, ClassPredictions, Metric, Predictions, evaluate
from nnctl.metrics.predictions import Task
from tests.metrics.made import OF, by_class, value

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
        return OF[task](y, t, weights)
    if task == "multilabel":
        truth = draw(arrays(np.int64, (n, k), elements=st.integers(0, 1)))
        return OF[task](draw(arrays(np.float64, (n, k), elements=sixteenths)), truth, weights)
    outputs = np.diff(np.sort(draw(arrays(np.float64, (n, k - 1), elements=sixteenths)), axis=1), prepend=0, append=1)
    return OF[task](outputs, draw(arrays(np.int64, n, elements=st.integers(0, k - 1))), weights)


def values(p: Predictions) -> list[float]:
    return [v for m in METRICS if p.task in m.tasks for v in (value(m, p), *_flat(by_class(m, p)))]


def _flat(by_class: Array | None) -> list[float]:
    return [] if by_class is None else by_class.tolist()


def rows(p: Predictions, indices: Array | Sequence[int] | slice, weights: Array | None) -> Predictions:
    return dataclasses.replace(p, outputs=p.outputs[indices], truth=p.truth[indices], weights=weights)


@given(predictions(), st.data())
def test_tiles_change_nothing(p: Predictions, data: st.DataObject) -> None:
    """Not one bit where all sums are of multiples of 1/16; elsewhere nothing but rounding."""
    n = len(p.truth)
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    tiles = [rows(p, slice(a, b), None if p.weights is None else p.weights[a:b]) for a, b in pairwise([0, *cuts, n])]
    for metric in METRICS:
        if p.task not in metric.tasks:
            continue
        sums = metric.start(type(p).none(p.columns))
        for tile in tiles:
            metric.add(sums, tile)
        whole = metric.summed(p)
        assert sums.keys() == whole.keys()
        found = [metric.value(sums), *_flat(metric.by_class(sums))]
        expected = [metric.value(whole), *_flat(metric.by_class(whole))]
        if metric.type in ("r2", "mape", "log_loss"):
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=metric.key)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.key)
@given(predictions())
def test_sums_are_numbers_arrays_and_lists_of_arrays(metric: Metric, p: Predictions) -> None:
    if p.task in metric.tasks:
        for part in metric.summed(p).values():
            assert isinstance(part, bool | int | np.ndarray | np.generic) or all(
                isinstance(a, np.ndarray) for a in part
            )


def test_what_a_metric_keeps_is_not_the_caller_s() -> None:
    metric, sums = METRIC.validate_python("roc_auc"), METRIC.validate_python("roc_auc").start(ClassPredictions.none(2))
    outputs, truth = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1])
    p = ClassPredictions(outputs, truth)
    metric.add(sums, p)
    outputs[:] = outputs[::-1].copy()  # as a buffer is used again for the next tile
    metric.add(sums, ClassPredictions(outputs, truth[::-1]))
    assert metric.value(sums) == 1


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
        figure = value(METRIC.validate_python("weighted_recall"), p)
        assert figure == pytest.approx(value(METRIC.validate_python("accuracy"), p), nan_ok=True)
    outputs = np.eye(p.columns)[p.truth] if p.task == "classification" else p.truth.astype(float)
    perfect = dataclasses.replace(p, outputs=outputs)
    best = {"higher": 1.0, "lower": 0.0}
    for metric in METRICS:
        # Of one class there is no correlation, and its label can be absent.
        if p.task in metric.tasks and metric.type != "matthews":
            figure = value(metric, perfect)
            assert np.isnan(figure) or figure == pytest.approx(best[metric.better], abs=1e-14), metric.key


@given(predictions())
def test_roc_auc_is_the_mann_whitney_statistic(p: Predictions) -> None:
    if p.task == "regression":
        return
    w = np.ones(len(p.truth)) if p.weights is None else p.weights
    each = by_class(METRIC.validate_python("roc_auc"), p)
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
    assert value(METRIC.validate_python("matthews"), p) == pytest.approx(expected, nan_ok=True, abs=1e-12)


@pytest.mark.parametrize("small", [1e-20, 1e-160, 1e-300])
@pytest.mark.parametrize("unit", [1.0, 1e-200, 1e200])
@pytest.mark.parametrize(("decided", "expected"), [([0, 1], 1.0), ([1, 0], -1.0), ([0, 0], 0.0)])
def test_matthews_of_weights_of_any_size(small: float, unit: float, decided: list[int], expected: float) -> None:
    weights = np.array([unit, unit * small]) if unit * small > 0 else np.array([1.0, small])
    p = ClassPredictions(np.eye(2)[decided], np.array([0, 1]), weights)
    assert value(METRIC.validate_python("matthews"), p) == pytest.approx(expected, abs=1e-15)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=30), st.lists(st.integers(0, 2), min_size=2, max_size=30))
def test_matthews_is_gorodkin_s_sum(truth: list[int], decided: list[int]) -> None:
    """R_K as Gorodkin writes it: sum_klm (C_kk C_lm - C_kl C_mk), over the roots of its two variances."""
    n = min(len(truth), len(decided))
    p = ClassPredictions(np.eye(3)[decided[:n]], np.array(truth[:n]))
    C = p.confusion()
    k = range(3)
    top = sum(C[a, a] * C[b, c] - C[a, b] * C[c, a] for a in k for b in k for c in k)
    spread = [
        sum(M[a].sum() * M[b].sum() for a in k for b in k if a != b) for M in (C, C.T)
    ]  # fmt: skip
    expected = top / math.sqrt(spread[0] * spread[1]) if all(spread) else 0.0
    assert value(METRIC.validate_python("matthews"), p) == pytest.approx(expected, abs=1e-13)


def test_f1_of_many_classes_keeps_no_square_of_them() -> None:
    truth = np.arange(50_000, dtype=np.int64)[:64]
    p = ClassPredictions(np.zeros((64, 50_000), np.float32), truth)  # all are taken for the first
    tracemalloc.start()
    macro = value(METRIC.validate_python("macro_f1"), p)
    value(METRIC.validate_python("matthews"), p)
    pairs = p.confused()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert macro == pytest.approx(2 / 65 / 64)
    assert len(pairs) == 63
    assert most < 20e6  # the square would take 2e10


@given(predictions("classification"))
def test_confused_pairs_are_those_of_the_matrix(p: Predictions) -> None:
    matrix = np.asarray(p.confusion())
    cells = {(str(t), str(d)): matrix[t, d] for t, d in np.argwhere(matrix) if t != d}
    found = p.confused()
    assert {(pair.true, pair.predicted): pair.examples for pair in found} == cells
    assert [pair.examples for pair in found] == sorted(cells.values(), reverse=True)


@given(predictions("classification"), st.integers(1, 5))
def test_top_k_by_sorting(p: Predictions, k: int) -> None:
    found = value(METRIC.validate_python({"type": "top_k", "k": k}), dataclasses.replace(p, weights=None))
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
        assert p.confusion().sum() == total * each
