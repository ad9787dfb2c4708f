"""The step over the flat vector: what is decayed, what is left alone, and what a checkpoint holds."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnctl.engine.parameters import Array, Layout, Parameter
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError
from nnctl.initializers import Zeros
from nnctl.optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, Momentum, Nadam, RAdam, RMSprop, Stepper
from nnctl.optimizers.base import Optimizer

LAYOUT = Layout(
    {
        "first": {"W": Parameter((30, 7), Zeros()), "b": Parameter((7,), Zeros(), decays=False)},
        "second": {"W": Parameter((7, 3), Zeros()), "mean": Parameter((3,), Zeros(), trainable=False)},
    }
)
OPTIMIZERS = [
    SGD(),
    Momentum(),
    Adagrad(initial_accumulator=0.1),
    Adadelta(),
    RMSprop(centered=True, momentum=0.5),
    Adam(amsgrad=True),
    AdamW(),
    Nadam(weight_decay=0.1),
    RAdam(),
]


def run(stepper: Stepper, theta: Array, steps: range) -> Array:
    for step in steps:
        stepper.step(theta, np.random.default_rng(step).normal(size=LAYOUT.size), 0.01 / (1 + step))
    return theta


def start() -> Array:
    return np.random.default_rng(99).normal(size=LAYOUT.size)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.type)
class TestEveryOptimizer:
    @pytest.mark.parametrize("block", [1, 7, 64, 210, 1000])
    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_neither_blocks_nor_threads_change_a_bit(self, optimizer: Optimizer, block: int, threads: int) -> None:
        expected = run(Stepper(optimizer, LAYOUT, np.float64), start(), range(12))
        with Workers(threads) as workers:
            found = run(Stepper(optimizer, LAYOUT, np.float64, workers, block), start(), range(12))
        np.testing.assert_array_equal(found, expected)

    def test_resuming_changes_no_bit(self, optimizer: Optimizer) -> None:
        expected = run(Stepper(optimizer, LAYOUT, np.float64), start(), range(12))
        before, after = (Stepper(optimizer, LAYOUT, np.float64) for _ in range(2))
        theta = run(before, start(), range(7))
        vectors, memory = before.state()
        run(before, theta.copy(), range(7, 9))  # what was saved is a copy
        after.restore(vectors, json.loads(json.dumps(memory)))
        np.testing.assert_array_equal(run(after, theta, range(7, 12)), expected)

    def test_frozen_entries_stay(self, optimizer: Optimizer) -> None:
        theta = run(Stepper(optimizer, LAYOUT, np.float64), start(), range(3))
        assert (theta[LAYOUT.trained] != start()[LAYOUT.trained]).all()
        np.testing.assert_array_equal(theta[LAYOUT.trained.stop :], start()[LAYOUT.trained.stop :])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.type)
def test_a_tensor_steps_as_if_all_had_its_learning_rate(optimizer: Optimizer) -> None:
    scales = {"first.W": 0.5, "first.b": 3.0, "second.W": 1.0}
    declared = {
        layer: {n: replace(p, learning_rate_scale=scales.get(f"{layer}.{n}", 1.0)) for n, p in tensors.items()}
        for layer, tensors in LAYOUT.declarations.items()
    }
    with Workers(2) as workers:
        found = run(Stepper(optimizer, Layout(declared), np.float64, workers, block=50), start(), range(12))
    for name, scale in scales.items():
        theta, stepper = start(), Stepper(optimizer, LAYOUT, np.float64)
        for step in range(12):
            g = np.random.default_rng(step).normal(size=LAYOUT.size)
            stepper.step(theta, g, 0.01 / (1 + step) * scale)
        np.testing.assert_array_equal(LAYOUT.view(found, name), LAYOUT.view(theta, name))


@pytest.mark.parametrize("block", [1, 50, 1000])
def test_only_weights_decay(block: int) -> None:
    theta = np.ones(LAYOUT.size)
    Stepper(SGD(weight_decay=0.5), LAYOUT, np.float64, block=block).step(theta, np.zeros(LAYOUT.size), 0.1)
    assert (theta[LAYOUT.decayed] == 0.95).all()
    assert (theta[LAYOUT.decayed.stop :] == 1).all()


def test_a_network_without_trained_parameters() -> None:
    layout, theta = Layout({"mean": Parameter((3,), Zeros(), trainable=False)}), np.ones(3)
    Stepper(Adam(), layout, np.float32).step(theta, np.ones(3), 0.1)
    assert (theta == 1).all()


@pytest.mark.parametrize(
    "saved",
    [
        Stepper(SGD(), LAYOUT, np.float64).state(),
        Stepper(RMSprop(), LAYOUT, np.float64).state(),
        Stepper(Adam(), LAYOUT, np.float32).state(),
        Stepper(Adam(), Layout({"w": Parameter((3,), Zeros())}), np.float64).state(),
        (Stepper(Adam(), LAYOUT, np.float64).state()[0], {}),
    ],
)
def test_foreign_states_are_refused(saved: tuple[dict[str, Any], dict[str, Any]]) -> None:
    with pytest.raises(ConfigError, match=r"adam on this network keeps .*'M'.* resume with"):
        Stepper(Adam(), LAYOUT, np.float64).restore(*saved)


def test_workers_have_scratch_arrays_of_their_own() -> None:
    with Workers(2) as workers:
        blocks = Stepper(Adam(), LAYOUT, np.float64, workers, block=50).blocks
    for i, one in enumerate(blocks):
        for j, other in enumerate(blocks):
            assert np.shares_memory(one.work[0], other.work[0]) == (i % 2 == j % 2)
            assert not np.shares_memory(one.work[0], other.work[1])
