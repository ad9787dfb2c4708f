"""Pooling over all positions of a channel, or over the time of a sequence."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.sequences import segments
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError


class GlobalPool(Layer):
    """One value a channel. Shapes: X (batch, ..., channels), Y (batch, channels).

    Of sequences it is one value over all steps of each, and 0 where there are none: X (steps, ...), Y (batch, ...).
    """

    takes_sequences: ClassVar[bool] = True

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        (one,) = given
        return replace(one, steps=0, clock="") if one.steps and not one.tokens else super().signal(name, given)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2 or not prod(shape):
            raise ConfigError(f"takes inputs with positions and channels, and finds {shape}")
        return shape[-1:]

    def multiply_adds(self, shape: Shape) -> int:
        return 0


class GlobalAveragePool(GlobalPool):
    """The mean of each channel over all positions.

    With n positions i (of length, of height and width, or of a sequence's time):

        Y[c] = 1/n sum_i X[i, c]        dJ/dX[i, c] = dJ/dY[c] / n

    Shapes: X (batch, ..., channels), Y (batch, channels); PyTorch's `AdaptiveAvgPool2d(1)` keeps two axes
    of length 1. Source: Lin, Chen and Yan, "Network in network", ICLR 2014.

    ```yaml
    {type: global_average_pool}
    ```
    """

    type: Literal["global_average_pool"] = "global_average_pool"

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["shape"] = x.shape
        if slot.lengths is not None:
            return segments(x, slot.lengths) / _counts(slot.lengths, x)
        y = slot.buffer("y", (len(x), x.shape[-1]))
        return np.mean(x.reshape(len(x), -1, x.shape[-1]), axis=1, out=y)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        if slot.lengths is not None:
            return np.repeat(dy / _counts(slot.lengths, dy), slot.lengths, axis=0)
        shape: Shape = slot["shape"]
        dx = slot.buffer("dx", shape)
        rows = dx.reshape(len(dx), -1, shape[-1])
        np.divide(dy[:, None], rows.shape[1], out=rows)
        return dx


class GlobalMaxPool(GlobalPool):
    """The largest value of each channel over all positions.

        Y[c] = max_i X[i, c]        dJ/dX[i, c] = dJ/dY[c] where i is the first maximum, else 0

    Shapes: X (batch, ..., channels), Y (batch, channels). Source: Oquab, Bottou, Laptev and Sivic, "Is
    object localization for free?", CVPR 2015.

    ```yaml
    {type: global_max_pool}
    ```
    """

    type: Literal["global_max_pool"] = "global_max_pool"

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["shape"] = x.shape
        if slot.lengths is not None:
            return self._over_time(x, slot.lengths, slot)
        rows = x.reshape(len(x), -1, x.shape[-1])
        slot["winner"] = np.argmax(rows, axis=1)[:, None]  # (batch, 1, channels)
        y: Array = np.take_along_axis(rows, slot["winner"], axis=1)[:, 0]
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        shape: Shape = slot["shape"]
        dx = slot.buffer("dx", shape)
        dx[...] = 0
        if slot.lengths is not None:
            real = slot.lengths > 0
            np.put_along_axis(dx, slot["winner"][real], dy[real], axis=0)
        else:
            np.put_along_axis(dx.reshape(len(dx), -1, shape[-1]), slot["winner"], dy[:, None], axis=1)
        return dx

    def pieces(self, slot: Slot) -> Array | None:
        winner: Array = slot["winner"]
        return winner

    def _over_time(self, x: Array, lengths: Array, slot: Slot) -> Array:
        """The maxima of sequences; `winner` is the step, counted over the whole batch, that each comes from."""
        winner = np.zeros((len(lengths), *x.shape[1:]), np.int64)
        starts = np.cumsum(lengths) - lengths
        for i in np.flatnonzero(lengths):
            winner[i] = starts[i] + np.argmax(x[starts[i] : starts[i] + lengths[i]], axis=0)
        slot["winner"] = winner
        y = np.zeros(winner.shape, x.dtype)
        real = lengths > 0
        y[real] = np.take_along_axis(x, winner[real], axis=0)
        return y


def _counts(lengths: Array, like: Array) -> Array:
    """The number of steps of each sequence, at least 1, as a column that divides what has the rank of another array."""
    return np.maximum(lengths, 1).astype(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
