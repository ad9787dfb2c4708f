"""Confusion matrices and class reports worked by hand."""

from typing import Any

import numpy as np
import pytest

from nnctl.engine.parameters import Array
from nnctl.metrics import ClassPredictions, LabelPredictions

#        decided: cat dog fox
# true cat         2   1   0
# true dog         0   1   0
# true fox         1   0   1
TRUTH = np.array([0, 0, 0, 1, 2, 2])
DECIDED = np.array([0, 0, 1, 1, 0, 2])
ANIMALS = ("cat", "dog", "fox")


def animals(weights: Array | None = None) -> ClassPredictions:
    return ClassPredictions(np.eye(3)[DECIDED], TRUTH, weights, ANIMALS)


def test_rows_are_true_and_columns_decided() -> None:
    matrix = animals().confusion()
    assert matrix.tolist() == [[2, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert matrix.dtype.kind == "i"
    assert animals(np.arange(6.0)).confusion().tolist() == [[1, 2, 0], [0, 3, 0], [4, 0, 5]]


def test_report() -> None:
    assert list[Any](animals().class_report()) == [
        ("cat", pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3), 3),
        ("dog", pytest.approx(1 / 2), pytest.approx(1.0), pytest.approx(2 / 3), 1),
        ("fox", pytest.approx(1.0), pytest.approx(1 / 2), pytest.approx(2 / 3), 2),
    ]


def test_a_class_that_occurs_nowhere_has_no_ratios() -> None:
    p = ClassPredictions(np.eye(4)[DECIDED], TRUTH)
    name, *ratios, support = p.class_report()[3]
    assert (name, support) == ("3", 0)
    assert np.isnan(ratios).all()


def test_labels_have_a_matrix_each() -> None:
    outputs = np.array([[0.9, 0.1], [0.6, 0.5], [0.2, 0.8]])
    truth = np.array([[1, 0], [0, 1], [0, 1]])
    p = LabelPredictions(outputs, truth, classes=("red", "round"))
    assert p.confusion().tolist() == [[[1, 1], [0, 1]], [[1, 0], [1, 1]]]
    assert p.confusion().dtype.kind == "i"
    assert list[Any](p.class_report()) == [
        ("red", 0.5, 1.0, pytest.approx(2 / 3), 1),
        ("round", 1.0, 0.5, pytest.approx(2 / 3), 2),
    ]
    weighted = LabelPredictions(outputs, truth, np.array([1, 2, 4.0]))
    assert weighted.confusion().tolist() == [[[4, 2], [0, 1]], [[1, 0], [2, 4]]]
