"""Break the backward pass of every layer over sequences, as `test_mutations` does over arrays.

A layer that says it takes sequences is in the table by itself, with the settings it has there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nnctl.engine.batch import INPUT, OUTPUT, Batch
from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Head
from nnctl.engine.network import Network, chain
from nnctl.engine.parameters import Array
from nnctl.engine.sequences import Sequences
from nnctl.engine.slot import Slot
from nnctl.layers import (
    AnyLayer,
    AttentionPool,
    AveragePool1d,
    Conv1d,
    Embedding,
    GlobalAveragePool,
    GlobalMaxPool,
    Gru,
    Last,
    Lstm,
    MaxPool1d,
    Rnn,
    Upsample,
)
from nnctl.layers.global_pooling import GlobalPool
from nnctl.losses.regression import SquaredError
from nnctl.training.gradients import ALL, GradientReport, check_network
from tests.test_mutations import CHANGES, LAYERS, OUTPUTS, QUICK, SPREAD, dense, members

LENGTHS = (4, 0, 1, 5, 2, 6, 3, 3)
BEFORE = {"dense1.weight", INPUT}
TOKENS = 5


@dataclass(frozen=True)
class Case:
    """A layer between a dense layer at each step, or tokens, and the mean over time."""

    layer: Layer
    tokens: int = 0

    @property
    def network(self) -> Network:
        start = [] if self.tokens else [dense(4, bias=False)]
        layers = [*start, self.layer, *([] if self.gives_one else [GlobalAveragePool(name="mean")]), dense(OUTPUTS)]
        return chain(layers, Signal(() if self.tokens else (4,), steps=3, tokens=self.tokens))

    @property
    def gives_one(self) -> bool:
        return isinstance(self.layer, GlobalPool)

    @property
    def middle(self) -> str:
        """The name of the layer's node."""
        return list(self.network.nodes)[0 if self.tokens else 1]

    def check(self) -> GradientReport:
        random, network = np.random.default_rng(11), self.network
        shape = (sum(LENGTHS),) if self.tokens else (sum(LENGTHS), 4)
        values = random.integers(0, self.tokens, shape) if self.tokens else random.normal(size=shape)
        batch = Batch(
            {INPUT: Sequences(values, np.array(LENGTHS))},
            {OUTPUT: random.normal(size=(len(LENGTHS), OUTPUTS))},
            {OUTPUT: random.uniform(0.5, 2, len(LENGTHS))},
        )
        heads, theta = {OUTPUT: Head(SquaredError())}, network.layout.initial(5, dtype="f8")
        return check_network(network, heads, theta, batch, seed=7, settings=QUICK)

    def failing(self) -> set[str]:
        return {check.name for check in self.check().failed} - {ALL}


CASES: dict[type[Any], Case] = {
    **{type(case.layers[1]): Case(case.layers[1]) for case in LAYERS.values() if case.layers[1].takes_sequences},
    Upsample: Case(Upsample(factor=3)),
    Conv1d: Case(Conv1d(filters=4, kernel=3, stride=2, init=SPREAD, bias_init=SPREAD)),
    MaxPool1d: Case(MaxPool1d(size=3, stride=2, padding=1)),
    AveragePool1d: Case(AveragePool1d(size=3, stride=1, padding="same")),
    Rnn: Case(Rnn(units=4, output="every", initial="learned", init=SPREAD, bias_init=SPREAD)),
    Lstm: Case(Lstm(units=4, output="every", initial="learned", init=SPREAD, bias_init=SPREAD)),
    Gru: Case(Gru(units=4, reset="after", output="every", initial="learned", init=SPREAD, bias_init=SPREAD)),
    Embedding: Case(Embedding(units=4, init=SPREAD), TOKENS),
}
RESULTS = [
    (cls, result)
    for cls, case in CASES.items()
    for result in [
        *([] if case.tokens else ["dx"]),
        *(n for n, p in case.network.layout.declarations[case.middle].items() if p.trainable),
    ]
]


def test_every_layer_that_takes_sequences_has_a_case() -> None:
    assert set(CASES) == {cls for cls in members(AnyLayer) if cls.takes_sequences}


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.layer.kind)
def test_what_is_right_passes(case: Case) -> None:
    report = case.check()
    assert not report.failed, report.worst
    assert not report.undecided
    assert report.worst.worst < 1e-6, report.worst


Wrong = Callable[[Callable[..., Any], Layer, dict[str, Array], dict[str, Array], Array, Slot], Any]


def broken(monkeypatch: pytest.MonkeyPatch, cls: type[Layer], wrong: Wrong) -> Case:
    """Put `wrong` in the place of the backward pass of the layer in the middle."""
    case, right = CASES[cls], cls.backward
    middle = case.middle

    def backward(self: Layer, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot) -> Any:
        return wrong(right, self, p, g, dy, slot) if slot.path == middle else right(self, p, g, dy, slot)

    monkeypatch.setattr(cls, "backward", backward)
    return case


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("cls", "result"), RESULTS, ids=[f"{c.__name__}-{r}" for c, r in RESULTS])
def test_a_broken_layer_is_found(monkeypatch: pytest.MonkeyPatch, cls: type[Layer], result: str, change: str) -> None:
    def wrong(right: Any, self: Layer, p: Any, g: dict[str, Array], dy: Array, slot: Slot) -> Any:
        dx = right(self, p, g, dy, slot)
        if result == "dx":
            return CHANGES[change](dx)
        g[result][...] = CHANGES[change](g[result])
        return dx

    case = broken(monkeypatch, cls, wrong)
    assert case.failing() == (BEFORE if result == "dx" else {f"{case.middle}.{result}"})


# The mistakes people make along time.
def the_last_of_equal_tokens(right: Any, self: Layer, p: Any, g: dict[str, Array], dy: Array, slot: Slot) -> None:
    g["table"][...] = 0
    g["table"][slot["x"]] = dy


def padding_is_the_first_step(right: Any, self: Layer, p: Any, g: Any, dy: Array, slot: Slot) -> Any:
    slot["steps"] = np.where(slot["steps"] < 0, 0, slot["steps"])
    return right(self, p, g, dy, slot)


def the_step_before(right: Any, self: Layer, p: Any, g: Any, dy: Array, slot: Slot) -> Any:
    return np.roll(right(self, p, g, dy, slot), 1, axis=0)


def turned_over(right: Any, self: Layer, p: dict[str, Array], g: Any, dy: Array, slot: Slot) -> Any:
    return right(self, {**p, "weight": p["weight"][::-1].copy()}, g, dy, slot)


def not_divided(right: Any, self: Layer, p: Any, g: Any, dy: Array, slot: Slot) -> Any:
    return np.repeat(dy, np.asarray(slot.lengths), axis=0)


def to_the_first_step(right: Any, self: Layer, p: Any, g: Any, dy: Array, slot: Slot) -> Any:
    lengths = np.asarray(slot.lengths)
    slot["winner"] = np.broadcast_to((np.cumsum(lengths) - lengths)[:, None], dy.shape)
    return right(self, p, g, dy, slot)


def the_weights_do_not_depend(right: Any, self: Layer, p: dict[str, Array], g: Any, dy: Array, slot: Slot) -> Any:
    right(self, p, g, dy, slot)
    return slot["a"] * np.repeat(dy, np.asarray(slot.lengths), axis=0)


def each_score_by_itself(right: Any, self: Layer, p: Any, g: dict[str, Array], dy: Array, slot: Slot) -> Any:
    """The exponentials are divided by their sum, which the scores change as well."""
    dx, a = right(self, p, g, dy, slot), slot["a"]
    da = (np.repeat(dy, np.asarray(slot.lengths), axis=0) * slot["x"]).sum(axis=1)
    np.matmul(a[:, 0] * da, slot["u"], out=g["context"])
    return dx


def to_the_very_last_step(right: Any, self: Layer, p: Any, g: Any, dy: Array, slot: Slot) -> Any:
    slot["last"] = np.full_like(slot["last"], slot["shape"][0] - 1)
    return right(self, p, g, dy, slot)


def one_window_a_step(right: Any, self: Layer, p: Any, g: Any, dy: Array, slot: Slot) -> Array:
    """The last window that a step is the maximum of, in place of the sum over all."""
    dx: Array = np.zeros_like(right(self, p, g, dy, slot))
    dx[slot["winner"], np.arange(dy.shape[1])] = dy
    return dx


TERMS = [
    (Embedding, the_last_of_equal_tokens, {"embedding1.table"}),
    (Conv1d, padding_is_the_first_step, BEFORE),
    (Conv1d, turned_over, BEFORE),
    (Conv1d, the_step_before, BEFORE),
    (AveragePool1d, padding_is_the_first_step, BEFORE),
    (AveragePool1d, the_step_before, BEFORE),
    (MaxPool1d, the_step_before, BEFORE),
    (MaxPool1d, one_window_a_step, BEFORE),
    (GlobalAveragePool, not_divided, BEFORE),
    (GlobalMaxPool, to_the_first_step, BEFORE),
    (Upsample, the_step_before, BEFORE),
    (Last, to_the_very_last_step, BEFORE),
    (Last, the_step_before, BEFORE),
    (AttentionPool, the_weights_do_not_depend, BEFORE),
    (AttentionPool, each_score_by_itself, {"attention_pool1.context"}),
]


@pytest.mark.parametrize(("cls", "wrong", "expected"), TERMS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_mistake_along_time_is_found(
    monkeypatch: pytest.MonkeyPatch, cls: type[Layer], wrong: Wrong, expected: set[str]
) -> None:
    assert broken(monkeypatch, cls, wrong).failing() == expected
