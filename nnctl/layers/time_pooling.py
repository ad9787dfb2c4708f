"""Pooling over time that knows its order or learns where to look."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.graph import Signal
from nnctl.engine.layer import RateScale
from nnctl.engine.parameters import Array, Declarations, Initializer, Parameter, Shape, Views
from nnctl.engine.sequences import segments
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import AnyInitializer, GlorotUniform, Zeros
from nnctl.layers.global_pooling import GlobalPool


class TimePool(GlobalPool):
    """One step made of all steps. Shapes: X (batch, time, ...) or the steps of sequences, Y (batch, ...)."""

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2:
            raise ConfigError(f"takes sequences, or arrays of (time, values), and finds {shape}")
        return shape[1:]


class Last(TimePool):
    """The last step of each sequence.

    With n steps:

        Y = X_n        dJ/dX_t = dJ/dY where t = n, else 0

    Y is 0 for a sequence without steps. Shapes: X (batch, time, ...) or the steps of sequences, Y (batch, ...). A
    recurrent layer gives its own last state (`output: last`), which in the backward direction is that of the first
    step. Source: Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks", NIPS 2014, where the
    last state stands for all that was read.

    ```yaml
    {type: last}
    ```
    """

    type: Literal["last"] = "last"

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        steps, lengths = steps_and_lengths(x, slot)
        slot["shape"], slot["real"] = x.shape, lengths > 0
        slot["last"] = (np.cumsum(lengths) - 1)[slot["real"]]
        y = slot.buffer("y", (len(lengths), *steps.shape[1:]))
        y[...] = 0
        y[slot["real"]] = steps[slot["last"]]
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        dx = slot.buffer("dx", slot["shape"])
        dx[...] = 0
        dx.reshape(-1, *dy.shape[1:])[slot["last"]] = dy[slot["real"]]
        return dx


class AttentionPool(TimePool):
    """The weighted mean of each sequence's steps, with weights that depend on what they hold.

        u_t = tanh(x_t W + b)        e_t = u_t . v        a = softmax(e) over the steps        y = sum_t a_t x_t

    Backward, from dy:

        de_t = a_t (dy . x_t - sum_s a_s dy . x_s)        du_t = de_t v        dz_t = du_t (1 - u_t^2)
        dJ/dv = sum_t de_t u_t     dJ/dW = sum_t x_t^T dz_t     dJ/db = sum_t dz_t     dJ/dx_t = a_t dy + dz_t W^T

    sums being over all sequences. y is 0 for a sequence without steps. Shapes: X (batch, time, inputs) or the steps
    of sequences (steps, inputs), W (inputs, units), b and v (units,), Y (batch, inputs).

    Sources: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and translate", ICLR
    2015; with a learned v that asks the same of every sequence: Yang, Yang, Dyer, He, Smola and Hovy, "Hierarchical
    attention networks for document classification", NAACL 2016, equations 5 to 7.

    ```yaml
    {type: attention_pool, units: 32}
    ```
    """

    type: Literal["attention_pool"] = "attention_pool"
    principal: ClassVar[str | None] = "units"
    units: int = Field(gt=0, description="Length of u, from which the weight of a step is told.")
    init: AnyInitializer = Field(GlorotUniform(), description="How W and v start.")
    trainable: bool = Field(True, description="Whether it is trained, or stays as it starts.")
    l1: float | None = Field(None, ge=0, description="L1 penalty of W and v, instead of the global one.")
    l2: float | None = Field(None, ge=0, description="L2 penalty of W and v, instead of the global one.")
    learning_rate_scale: RateScale = 1.0

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        (one,) = given
        if one.steps and not one.tokens and len(one.shape) != 1:
            raise ConfigError(f"takes sequences of vectors, and finds steps of shape {one.shape}")
        return super().signal(name, given)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise ConfigError(f"takes sequences, or arrays of (time, values), and finds {shape}")
        return shape[1:]

    def parameters(self, shape: Shape) -> Declarations:
        inputs, units, trained, scale = shape[-1], self.units, self.trainable, self.learning_rate_scale
        penalties = {"l1": self.l1, "l2": self.l2}

        def parameter(shape: Shape, init: Initializer, out: int, **more: Any) -> Parameter:
            return Parameter(shape, init, shape[0], out, trainable=trained, learning_rate_scale=scale, **more)

        return {
            "weight": parameter((inputs, units), self.init, units, **penalties),
            "bias": parameter((units,), Zeros(), units, role="bias", decays=False),
            "context": parameter((units,), self.init, 1, **penalties),
        }

    def multiply_adds(self, shape: Shape) -> int:
        times = shape[0] if len(shape) == 2 else 1
        return times * (shape[-1] + 1) * self.units

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        steps, lengths = steps_and_lengths(x, slot)
        u = slot.buffer("u", (len(steps), self.units))
        np.matmul(steps, p["weight"], out=u)
        u += p["bias"]
        np.tanh(u, out=u)
        a = softmax_of_each((u @ p["context"])[:, None], lengths)  # (steps, 1)
        slot["x"], slot["u"], slot["a"], slot["lengths"], slot["shape"] = steps, u, a, lengths, x.shape
        return segments(a * steps, lengths)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        steps, u, a, lengths = slot["x"], slot["u"], slot["a"], slot["lengths"]
        dy_of_steps = np.repeat(dy, lengths, axis=0)  # (steps, inputs)
        da = (dy_of_steps * steps).sum(axis=1, keepdims=True)  # (steps, 1)
        de = a * (da - np.repeat(segments(a * da, lengths), lengths, axis=0))
        np.matmul(de[:, 0], u, out=g["context"])
        dz = de * p["context"] * (1 - u * u)  # (steps, units)
        np.matmul(steps.T, dz, out=g["weight"])
        np.add.reduce(dz, axis=0, out=g["bias"])
        dx = slot.buffer("dx", slot["shape"])
        dx[...] = (a * dy_of_steps + dz @ p["weight"].T).reshape(dx.shape)
        return dx


def steps_and_lengths(x: Array, slot: Slot) -> tuple[Array, Array]:
    """All steps, one sequence after another, and how many each has; the rows of an array are of one length."""
    if slot.lengths is not None:
        return x, slot.lengths
    return x.reshape(-1, *x.shape[2:]), np.full(len(x), x.shape[1])


def softmax_of_each(e: Array, lengths: Array) -> Array:
    """The softmax (steps, 1) over the steps of each sequence by itself."""
    starts = (np.cumsum(lengths) - lengths)[lengths > 0]
    largest = np.maximum.reduceat(e, starts) if len(starts) else e
    a = np.exp(e - np.repeat(largest, lengths[lengths > 0], axis=0))
    return np.asarray(a / np.repeat(segments(a, lengths), lengths, axis=0))
