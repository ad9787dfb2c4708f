"""Laws of every layer that takes sequences, on one table: a layer that says it takes them is in it by itself."""

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest

from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.network import Network, Pass, chain
from nnctl.engine.parameters import Array
from nnctl.engine.sequences import Sequences
from nnctl.errors import ConfigError
from nnctl.layers import AnyLayer
from nnctl.layers.recurrent import Recurrent
from tests.layers.cases import CASES

LENGTHS = (3, 0, 6, 1, 2)
Parts = list[Array]


@dataclass(frozen=True)
class Case:
    """A layer that takes sequences, and what it is fed."""

    layer: Layer
    signal: Signal

    def __str__(self) -> str:
        return f"{self.layer.kind}{list(self.signal.shape)}"

    @property
    def network(self) -> Network:
        return chain([self.layer], self.signal)

    @property
    def in_training(self) -> bool:
        """Whether to look at training: not where it draws a number for each place, or looks at the whole batch."""
        disturbed = self.layer.disturbs or (isinstance(self.layer, Recurrent) and self.layer.recurrent_dropout)
        return not (disturbed or self.network.couples_examples)

    def parts(self, lengths: tuple[int, ...] = LENGTHS, seed: int = 8) -> Parts:
        random, tokens = np.random.default_rng(seed), self.signal.tokens
        shapes = [(n, *self.signal.shape) for n in lengths]
        return [random.integers(0, tokens, shape) if tokens else random.normal(size=shape) for shape in shapes]

    def opened(self, *, training: bool) -> Pass:
        network = self.network
        theta = network.layout.initial(seed=1, dtype="f8")
        opened = Pass(network, theta, np.zeros_like(theta), to_input=True)
        opened.begin(training=training, address=(1, "pass"))
        return opened

    def lengths_after(self, lengths: tuple[int, ...]) -> list[int]:
        """How many rows of the output belong to each sequence."""
        if not self.network.signals[self.network.outputs[OUTPUT]].steps:
            return [1] * len(lengths)
        return list(self.layer.lengths(np.array(lengths)))


def cases() -> list[Case]:
    """The cases of all layers, as sequences whose steps have the case's shape, or that without its first axis."""
    made = []
    for case in CASES:
        for shape in (case.input_shape, case.input_shape[1:]):
            built = Case(case.layer, Signal(shape, steps=4, tokens=case.tokens))
            if not (shape or case.tokens):
                continue
            try:
                network = built.network
            except ConfigError:
                continue
            if all(node.layer.takes_sequences or node.layer.joins for node in network.nodes.values()):
                made.append(built)
    return made


SEQUENCES = cases()
each = pytest.mark.parametrize("case", SEQUENCES, ids=str)


@dataclass(frozen=True)
class Run:
    """What a layer makes of sequences: of each the output and the gradient, and the sum over parameters."""

    ys: Parts
    dxs: Parts
    gradient: Array


def run(case: Case, parts: Parts, dys: Parts | None = None, *, training: bool | None = None) -> Run:
    """Forwards and backwards; without `dys`, from gradients that depend on the number of rows alone."""
    opened = case.opened(training=case.in_training if training is None else training)
    y = opened.forward({INPUT: Sequences.of(parts)})[OUTPUT].copy()
    after = case.lengths_after(tuple(map(len, parts)))
    assert sum(after) == len(y)
    dy = upstream(y.shape) if dys is None else np.concatenate(dys)
    dx = opened.backward({OUTPUT: dy}).get(INPUT, np.zeros((sum(map(len, parts)), 0))).copy()
    return Run(cut(y, after), cut(dx, list(map(len, parts))), opened.gradient.copy())


def upstream(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(3).normal(size=shape)


def cut(rows: Array, lengths: list[int]) -> Parts:
    return np.split(rows, np.cumsum(lengths)[:-1])


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


def test_every_layer_that_takes_sequences_is_in_the_table() -> None:
    members = {cls for cls in get_args(get_args(AnyLayer)[0]) if cls.takes_sequences}
    assert members <= {type(case.layer) for case in SEQUENCES}


@each
def test_no_sequence_changes_one_bit_of_another(case: Case) -> None:
    """Forwards and backwards, in training too where the whole batch plays no part."""
    training = not case.network.couples_examples
    for kept in range(len(LENGTHS)):
        seen = set()
        for seed in (8, 9, 10):
            parts = case.parts(seed=seed)
            parts[kept] = case.parts()[kept]
            made = run(case, parts, training=training)
            seen.add((made.ys[kept].tobytes(), made.dxs[kept].tobytes()))
        assert len(seen) == 1


@each
def test_a_batch_is_its_sequences_one_by_one(case: Case) -> None:
    """The outputs and gradients of each alone, and the sum of the parameters' gradients."""
    parts = case.parts()
    whole = run(case, parts)
    dys = cut(upstream(np.concatenate(whole.ys).shape), list(map(len, whole.ys)))
    gradient = np.zeros_like(whole.gradient)
    for part, dy, y, dx in zip(parts, dys, whole.ys, whole.dxs, strict=True):
        alone = run(case, [part], [dy])
        close(alone.ys[0], y)
        close(alone.dxs[0], dx)
        gradient += alone.gradient
    trained = case.network.layout.trained
    close(gradient[trained], whole.gradient[trained])


@each
def test_sequences_in_another_order_are_outputs_in_that_order(case: Case) -> None:
    parts, order = case.parts(), [2, 4, 0, 3, 1]
    first = run(case, parts)
    dys = cut(upstream(np.concatenate(first.ys).shape), list(map(len, first.ys)))
    other = run(case, [parts[i] for i in order], [dys[i] for i in order])
    for place, i in enumerate(order):
        close(other.ys[place], first.ys[i])
        close(other.dxs[place], first.dxs[i])
    trained = case.network.layout.trained
    close(other.gradient[trained], first.gradient[trained])


@each
def test_sequences_without_steps_and_of_one(case: Case) -> None:
    """Nothing comes of no steps but what stands for a whole sequence, and the one step is what it is beside others."""
    run(case, case.parts((0, 0)), training=True)
    nothing = run(case, case.parts((0, 0)), training=False)
    assert [len(y) for y in nothing.ys] == case.lengths_after((0, 0))
    if not (isinstance(case.layer, Recurrent) and case.layer.initial == "learned"):  # whose start it gives
        assert not np.concatenate(nothing.ys).any()
        assert not nothing.gradient[case.network.layout.trained].any()
    (one,) = case.parts((1,))
    among = run(case, [*case.parts((2, 0)), one, *case.parts((3,))], training=False)
    close(run(case, [one], training=False).ys[0], among.ys[2])


@each
@pytest.mark.parametrize("training", [True, False])
def test_backward_is_the_derivative_of_forward(case: Case, training: bool) -> None:
    opened, x = case.opened(training=training), Sequences.of(case.parts())

    def value() -> float:
        return float(np.sum(opened.forward({INPUT: x})[OUTPUT] * dy))

    dy = upstream(opened.forward({INPUT: x})[OUTPUT].shape)
    dx = opened.backward({OUTPUT: dy}).get(INPUT)
    gradient, theta = opened.gradient.copy(), case.network.layout.initial(seed=1, dtype="f8")
    opened = Pass(case.network, theta, to_input=False)
    opened.begin(training=training, address=(1, "pass"))
    trained = case.network.layout.trained
    close_to: Any = {"rtol": 1e-6, "atol": 1e-7}
    np.testing.assert_allclose(gradient[trained], differences(value, theta)[trained], **close_to)
    assert (dx is None) == bool(case.signal.tokens)
    if dx is not None:
        np.testing.assert_allclose(dx, differences(value, x.values), **close_to)


def differences(value: Any, array: Array, epsilon: float = 1e-6) -> Array:
    slopes = np.zeros_like(array)
    for i in np.ndindex(array.shape):
        held = array[i]
        array[i] = held + epsilon
        above = value()
        array[i] = held - epsilon
        slopes[i] = (above - value()) / (2 * epsilon)
        array[i] = held
    return slopes
