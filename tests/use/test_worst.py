"""The worst examples and the most confused pairs, against counting."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.dataset import Dataset
from nnctl.data.targets import Classes, Labels, Numbers, Target, Truth
from nnctl.engine.parameters import Array
from nnctl.metrics import ClassPredictions, LabelPredictions, NumberPredictions, Predictions
from nnctl.runs.trained import open_trained
from nnctl.use.evaluation import Evaluation, Measured, measure, own_data
from nnctl.use.worst import worst, worst_frame
from tests.plot.made import conv_run
from tests.runs.made import make_run

CLASSES = Classes(columns=("kind",), classes=("ant", "bee", "cat"))
LABELS = Labels(columns=("loud", "fast"))
NUMBERS = Numbers(columns=("price", "rent"), centre=(0.0, 0.0), scale=(1.0, 1.0))
P = ClassPredictions(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]), np.array([1, 2]), None, CLASSES.classes)
L = LabelPredictions(np.array([[0.9, 0.2], [0.4, 0.3]]), np.array([[1, 1], [0, 0]]), None, LABELS.columns)
R = NumberPredictions(np.array([[1.0, 2.0], [30.0, 4.0]]), np.array([[1.5, 2.0], [3.0, 4.0]]), None, NUMBERS.columns)


def measured(losses: Sequence[float], predictions: Predictions = P, target: Target = CLASSES) -> Measured:
    array = np.array(losses, float)
    return Measured(0.0, {"output": Evaluation(target, {}, {}, "", predictions, array)}, array)


def examples(target: Target, truth: Array, numbers: Sequence[int], files: tuple[str, ...] | None = None) -> Dataset:
    return Dataset({}, {"output": Truth(target, truth)}, np.array(numbers), files=files)


@pytest.mark.parametrize(
    ("losses", "count", "order"),
    [
        ([1, 3, 2], 2, [1, 2]),
        ([1, 1, 1], 2, [0, 1]),
        ([1, np.nan, np.inf], 3, [1, 2, 0]),
        ([], 3, []),
        ([5], 9, [0]),
    ],
)
def test_the_largest_loss_first(losses: Sequence[float], count: int, order: Sequence[int]) -> None:
    assert worst(measured(losses), count).tolist() == order


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_confused_pairs_by_counting(pairs: Sequence[tuple[int, int]]) -> None:
    truth, decided = np.array(pairs).T
    found = ClassPredictions(np.eye(4)[decided], truth, None, tuple("abcd")).confused()
    counted = Counter(("abcd"[t], "abcd"[d]) for t, d in pairs if t != d)
    assert {(true, predicted): count for true, predicted, count in found} == counted
    assert [pair.examples for pair in found] == sorted(counted.values(), reverse=True)


def test_the_probability_of_the_truth() -> None:
    np.testing.assert_allclose(np.asarray(P.probability_of_truth()), [0.3, 0.7])
    np.testing.assert_allclose(np.asarray(L.probability_of_truth()), [0.9 * 0.2, 0.6 * 0.7])
    assert R.probability_of_truth() is None
    scores = ClassPredictions(np.array([[5.0, -3.0]]), np.array([1]))
    assert scores.probability_of_truth() is None


FRAMES = [
    (P, CLASSES, [{"row": 9, "truth": "cat", "prediction": "cat", "probability": 0.7, "loss": 4.0},
                  {"row": 5, "truth": "bee", "prediction": "ant", "probability": 0.3, "loss": 2.0}]),
    (L, LABELS, [{"row": 9, "truth": "none", "prediction": "none", "probability": 0.42, "loss": 4.0},
                 {"row": 5, "truth": "loud, fast", "prediction": "loud", "probability": 0.18, "loss": 2.0}]),
    (R, NUMBERS, [{"row": 9, "truth_price": 3.0, "prediction_price": 30.0, "truth_rent": 4.0, "prediction_rent": 4.0,
                   "loss": 4.0},
                  {"row": 5, "truth_price": 1.5, "prediction_price": 1.0, "truth_rent": 2.0, "prediction_rent": 2.0,
                   "loss": 2.0}]),
]  # fmt: skip


@pytest.mark.parametrize(("predictions", "target", "expected"), FRAMES, ids=["classes", "labels", "numbers"])
def test_the_table(predictions: Predictions, target: Target, expected: Sequence[dict[str, Any]]) -> None:
    found = measured([2, 4], predictions, target)
    rows = worst_frame(found, examples(target, predictions.truth, [5, 9]), worst(found, 2)).to_dicts()
    assert [list(row) for row in rows] == [list(row) for row in expected]
    for row, right in zip(rows, expected, strict=True):
        assert row == pytest.approx(right)


def test_one_number_needs_no_name() -> None:
    one = Numbers(columns=("price",), centre=(0.0,), scale=(1.0,))
    p = NumberPredictions(np.array([[1.0]]), np.array([[2.0]]))
    frame = worst_frame(measured([1], p, one), examples(one, p.truth, [1], ("a.png",)), np.array([0]))
    assert frame.columns == ["row", "file", "truth", "prediction", "loss"]


def test_texts() -> None:
    assert NUMBERS.answer_text(R.outputs[1]) == "30, 4"
    assert NUMBERS.truth_text(R.truth[0]) == "1.5, 2"


LOSSES = {
    "classes": ("a,b,y\n", "{i},{j},{k}\n", "loss: cross_entropy"),
    "numbers": ("a,b,y\n", "{i},{j},{i}.5\n", "loss: mean_squared_error"),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_losses_have_the_loss_as_their_mean(tmp_path: Path, kind: str) -> None:
    head, line, loss = LOSSES[kind]
    csv = head + "".join(line.format(i=i, j=(i * 7) % 11, k=i % 3) for i in range(40))
    config = (
        f"name: losses\ndata: {{source: {{type: csv, path: data.csv}}, target: y}}\nmodel: {{hidden: [3]}}\n{loss}\n"
    )
    run = make_run(tmp_path, config, data_csv=csv)
    model = open_trained(run)
    _, data = own_data(model, run, None, pytest.fail)
    found = measure(model, data)
    assert found.losses.shape == (len(data),)
    assert found.losses.mean() == pytest.approx(found.figures["loss"], rel=1e-5)


def test_the_loss_of_classes_is_minus_the_log_of_the_probability(tmp_path: Path) -> None:
    run = conv_run(tmp_path)
    model = open_trained(run)
    found = measure(model, own_data(model, run, None, pytest.fail)[1]).outputs["output"]
    np.testing.assert_allclose(found.losses, -np.log(np.asarray(found.predictions.probability_of_truth())), rtol=1e-4)
    pairs = found.predictions.confused()
    assert sum(pair.examples for pair in pairs) == (~found.predictions.is_right).sum()
