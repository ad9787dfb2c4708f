"""What recurrent layers have in common: the order of time, what feeds the gates, and what comes out."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Layer, RateScale
from nnctl.engine.parameters import Array, Declarations, Initializer, Parameter, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import AnyInitializer, GlorotUniform, Orthogonal, Zeros
from nnctl.layers.joins import Add, Concatenate


class Clock(NamedTuple):
    """The steps of a batch's sequences in the order of time: all first steps, then all second ones, ...

    The longest sequence comes first, so that those still under way at a time are the first rows of the time before.

    Attributes:
        order: which of the steps given is at each place, (steps,).
        edges: where each time begins, and the end: time t has the places edges[t] .. edges[t + 1] - 1.
        rows: which sequence each row is, (batch,).
        row: the row of each place, (steps,).
        previous: the place of the step before, (steps,); less than 0 at the first time.
        last: the place of each row's last step, (batch,); -1 for a sequence without steps.
    """

    order: Array
    edges: list[int]
    rows: Array
    row: Array
    previous: Array
    last: Array

    @property
    def times(self) -> int:
        """How many there are: the length of the longest sequence."""
        return len(self.edges) - 1

    def spans(self) -> list[slice]:
        """The places of every time."""
        return [slice(a, b) for a, b in pairwise(self.edges)]

    def before(self, states: Array, start: Array) -> Array:
        """The state that each step came from, (steps, units): that of the step before, or the row's initial one."""
        first = self.edges[min(1, self.times)]
        previous = np.empty_like(states)
        previous[:first] = start[:first]
        previous[first:] = states[self.previous[first:]]
        return previous


def clock(lengths: Array, *, backward: bool = False) -> Clock:
    """The order of time for sequences whose steps lie one after another; backwards from the end of each."""
    rows = np.argsort(-lengths, kind="stable")
    n = lengths[rows]
    times = int(n[0]) if len(n) else 0
    under_way = (n[None, :] > np.arange(times)[:, None]).sum(axis=1)  # (times,)
    edges = np.concatenate([[0], np.cumsum(under_way)]).astype(np.int64)
    time, place = np.repeat(np.arange(times), under_way), np.arange(edges[-1])
    row = place - edges[time]
    order = (np.cumsum(lengths) - lengths)[rows][row] + (n[row] - 1 - time if backward else time)
    last = np.where(n > 0, edges[np.maximum(n - 1, 0)] + np.arange(len(n)), -1)
    return Clock(order, edges.tolist(), rows, row, edges[time - 1] + row, last)


class Recurrent(Layer):
    """A layer whose state goes from step to step; what one step does is `run`, and its adjoint `run_back`.

    All inputs are multiplied by W before the time loop, and all gradients by W^T and X^T after that of the backward
    pass, which are one product each: inside the loops only the state's own products are left.

    Shapes: X (steps, inputs) of sequences, or (batch, time, inputs); the output is every step's state, in the same
    shape with `units` last, or the last one, (batch, units). A sequence without steps gives its initial state.
    """

    #: How many units' worth of net inputs a step has.
    gates: ClassVar[int] = 1
    #: The states that go from step to step, the output first.
    states: ClassVar[tuple[str, ...]] = ("h",)
    principal: ClassVar[str | None] = "units"
    takes_sequences: ClassVar[bool] = True
    axes: ClassVar[int | None] = 1
    in_evaluation: ClassVar[str | None] = "sees all of its state; `recurrent_dropout` hides a share in training"

    units: int = Field(gt=0, description="Length of the state.")
    output: Literal["last", "every"] = Field("last", description="The state after the last step, or after every step.")
    direction: Literal["forward", "backward", "both"] = Field(
        "forward", description="Through time, from each sequence's own end, or both with weights of their own."
    )
    merge: Literal["concatenate", "add"] = Field("concatenate", description="How both directions are put together.")
    initial: Literal["zeros", "learned"] = Field("zeros", description="The state before the first step.")
    recurrent_dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of the state hidden from the next step in training, the same at all steps."
    )
    init: AnyInitializer = Field(GlorotUniform(), description="How the weights of the inputs start.")
    recurrent_init: AnyInitializer = Field(Orthogonal(), description="How the weights of the state start.")
    bias_init: AnyInitializer = Field(Zeros(), description="How biases start.")
    trainable: bool = Field(True, description="Whether it is trained, or stays as it starts.")
    l1: float | None = Field(None, ge=0, description="L1 penalty of this layer's weights, instead of the global one.")
    l2: float | None = Field(None, ge=0, description="L2 penalty of this layer's weights, instead of the global one.")
    learning_rate_scale: RateScale = 1.0

    def run(self, p: Views, z: Array, start: Sequence[Array], mask: Array | None, time: Clock, slot: Slot) -> Array:
        """The states (steps, units) from the net inputs z (steps, gates units) of the inputs, which it may overwrite.

        `start` are the initial states (batch, units), by row; `mask` what the next step sees of the state.
        """
        raise NotImplementedError

    def run_back(self, p: Views, g: Views, dh: Array, mask: Array | None, time: Clock, slot: Slot) -> Any:
        """The gradients with respect to the net inputs z and to the initial states, from those to the states.

        Fills in those with respect to the parameters beside W and b.
        """
        raise NotImplementedError

    def extra(self) -> Declarations:
        """Parameters beside W, U, b and the initial states."""
        return {}

    def grow(self, graph: Graph, name: str, source: str) -> str:
        if self.direction != "both":
            return graph.add(name, self, source)
        ends = [
            graph.add(f"{name}.{direction}", self.model_copy(update={"direction": direction}), source)
            for direction in ("forward", "backward")
        ]
        return graph.add(name, Add() if self.merge == "add" else Concatenate(), *ends)

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        (one,) = given
        if one.steps and len(one.shape) != 1:
            raise ConfigError(f"takes sequences of vectors, and finds steps of shape {one.shape}")
        if not one.steps and len(one.shape) == 1:
            raise ConfigError(
                f"takes sequences, and finds {one.shape}; the recurrent layer before it needs `output: every`"
            )
        out = super().signal(name, given)
        if not one.steps or self.output == "every":
            return out
        return replace(out, steps=0, clock="")

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) == 1:  # of a step
            return (self.units,)
        if len(shape) != 2:
            raise ConfigError(f"takes sequences, or arrays of (time, values), and finds {shape}")
        return (shape[0], self.units) if self.output == "every" else (self.units,)

    def parameters(self, shape: Shape) -> Declarations:
        wide, learned = self.gates * self.units, self.states if self.initial == "learned" else ()
        return {
            "weight": self.weights(shape[-1], self.init),
            "recurrent": self.weights(self.units, self.recurrent_init),
            "bias": self.bias(wide, self.gate_bias()),
            **self.extra(),
            **{f"initial_{state}": self.bias(self.units, Zeros()) for state in learned},
        }

    def weights(self, inputs: int, init: Initializer) -> Parameter:
        """What inputs are multiplied by for all gates."""
        return Parameter(
            (inputs, self.gates * self.units), init, inputs, self.units, trainable=self.trainable,
            l1=self.l1, l2=self.l2, learning_rate_scale=self.learning_rate_scale,
        )  # fmt: skip

    def bias(self, size: int, init: Initializer) -> Parameter:
        """What is added."""
        return Parameter(
            (size,), init, self.units, self.units, role="bias", decays=False, trainable=self.trainable,
            learning_rate_scale=self.learning_rate_scale,
        )  # fmt: skip

    def gate_bias(self) -> Initializer:
        """How the biases of all gates start."""
        return self.bias_init

    def multiply_adds(self, shape: Shape) -> int:
        times = shape[0] if len(shape) == 2 else 1
        return times * (shape[-1] + self.units) * self.gates * self.units

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        batch = len(x) if slot.lengths is None else len(slot.lengths)
        lengths = np.full(batch, x.shape[1]) if slot.lengths is None else slot.lengths
        time = clock(lengths, backward=self.direction == "backward")
        slot["time"], slot["shape"] = time, x.shape
        inputs = slot["x"] = x.reshape(-1, x.shape[-1])[time.order]
        z = slot.buffer("z", (len(inputs), self.gates * self.units))
        np.matmul(inputs, p["weight"], out=z)
        z += p["bias"]
        start = [self._start(p, state, batch, slot) for state in self.states]
        h = self.run(p, z, start, self._mask(batch, slot), time, slot)
        if self.output == "every":
            y = slot.buffer("y", h.shape)
            y[time.order] = h
            return y if slot.lengths is not None else y.reshape(*x.shape[:-1], self.units)
        y = slot.buffer("y", (batch, self.units))
        y[time.rows] = np.where((time.last >= 0)[:, None], h[time.last], start[0]) if len(h) else start[0]
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        time, inputs = slot["time"], slot["x"]
        if self.output == "every":
            dh = dy.reshape(-1, self.units)[time.order]
            unmoved = np.zeros((len(time.rows), self.units), dy.dtype)
        else:
            dh, real = np.zeros((len(inputs), self.units), dy.dtype), time.last >= 0
            dh[time.last[real]] = dy[time.rows[real]]
            unmoved = np.where(real[:, None], 0, dy[time.rows]).astype(dy.dtype)
        dz, starts = self.run_back(p, g, dh, slot["mask"], time, slot)
        np.matmul(inputs.T, dz, out=g["weight"])
        np.add.reduce(dz, axis=0, out=g["bias"])
        if self.initial == "learned":
            starts[0] += unmoved
            for state, d in zip(self.states, starts, strict=True):
                np.add.reduce(d, axis=0, out=g[f"initial_{state}"])
        dx = slot.buffer("dx", inputs.shape)
        if slot.input_gradient:
            dx[time.order] = dz @ p["weight"].T
        return dx.reshape(slot["shape"])

    def _start(self, p: Views, state: str, batch: int, slot: Slot) -> Array:
        start = np.zeros((batch, self.units), slot.dtype)
        if self.initial == "learned":
            start += p[f"initial_{state}"]
        return start

    def _mask(self, batch: int, slot: Slot) -> Array | None:
        """What the next step sees of the state: 0, or 1 / (1 - rate); (batch, units) by row."""
        slot["mask"] = None
        if slot.training and self.recurrent_dropout:
            kept = slot.random.random((batch, self.units)) >= self.recurrent_dropout
            slot["mask"] = (kept / (1 - self.recurrent_dropout)).astype(slot.dtype)[slot["time"].rows]
        mask: Array | None = slot["mask"]
        return mask
