"""Pooling over time, against one sequence at a time as the equations read."""

from typing import Any

import numpy as np
import pytest

from nnctl.engine.graph import Signal
from nnctl.engine.network import chain
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers import AttentionPool, Last
from nnctl.layers.time_pooling import softmax_of_each

LENGTHS = np.array([3, 0, 5, 1])
CLOSE: dict[str, Any] = {"rtol": 1e-13, "atol": 1e-14}


def steps(*shape: int) -> Array:
    return np.random.default_rng(3).normal(size=(int(LENGTHS.sum()), *shape))


def slot(lengths: Array | None = LENGTHS) -> Slot:
    made = Slot("f8")
    made.lengths = lengths
    return made


def weights() -> dict[str, Array]:
    random = np.random.default_rng(4)
    return {"weight": random.normal(size=(2, 3)), "bias": random.normal(size=3), "context": random.normal(size=3)}


def attended(p: dict[str, Array], x: Array) -> Array:
    """The weighted mean of one sequence's steps (time, 2)."""
    scores = [float(p["context"] @ np.tanh(row @ p["weight"] + p["bias"])) for row in x]
    total = sum(np.exp(score) for score in scores)
    return sum((np.exp(score) / total * row for score, row in zip(scores, x, strict=True)), np.zeros(2))


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_the_last_step_of_each_sequence(shape: tuple[int, ...]) -> None:
    x, held = steps(*shape), slot()
    y = Last().forward({}, x, held)
    np.testing.assert_array_equal(y, [x[2], np.zeros(shape), x[7], x[8]])
    dy = np.arange(1.0, 1 + y.size).reshape(y.shape)
    dx = Last().backward({}, {}, dy, held)
    np.testing.assert_array_equal(dx[[2, 7, 8]], dy[[0, 2, 3]])
    assert not dx[[0, 1, 3, 4, 5, 6]].any()


def test_the_weighted_mean_of_each_sequence() -> None:
    x, p = steps(2), weights()
    y = AttentionPool(units=3).forward(p, x, slot())
    np.testing.assert_allclose(y, [attended(p, part) for part in np.split(x, np.cumsum(LENGTHS)[:-1])], **CLOSE)


def test_an_array_is_sequences_of_one_length() -> None:
    x = np.random.default_rng(5).normal(size=(3, 4, 2))
    for layer, p in ((Last(), {}), (AttentionPool(units=3), weights())):
        y = layer.forward(p, x, slot(None))
        np.testing.assert_array_equal(y, layer.forward(p, x.reshape(-1, 2), slot(np.full(3, 4))))


def test_scores_beyond_the_range_of_exp_have_weights() -> None:
    a = softmax_of_each(np.array([[1000.0], [1000.0], [-1000.0], [0.0]]), np.array([2, 0, 2]))
    np.testing.assert_array_equal(a.ravel(), [0.5, 0.5, 0, 1])


def test_nothing_but_empty_sequences() -> None:
    none = np.zeros(2, np.int64)
    for layer, p in ((Last(), {}), (AttentionPool(units=3), weights())):
        np.testing.assert_array_equal(layer.forward(p, np.zeros((0, 2)), slot(none)), np.zeros((2, 2)))


def test_what_it_does_not_take() -> None:
    for layer in (Last(), AttentionPool(units=3)):
        with pytest.raises(ConfigError, match=r"takes sequences, or arrays of \(time, values\), and finds \(2,\)"):
            chain([layer], (2,))
    with pytest.raises(ConfigError, match=r"takes sequences of vectors, and finds steps of shape \(2, 3\)"):
        chain([AttentionPool(units=3)], Signal((2, 3), steps=4))
