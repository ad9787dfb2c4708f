"""Pooling over all positions of a channel."""

from math import prod
from typing import Literal

import numpy as np

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError


class GlobalPool(Layer):
    """One value a channel. Shapes: X (batch, ..., channels), Y (batch, channels)."""

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2 or not prod(shape):
            raise ConfigError(f"takes inputs with positions and channels, and finds {shape}")
        return shape[-1:]

    def multiply_adds(self, shape: Shape) -> int:
        return 0


class GlobalAveragePool(GlobalPool):
    """The mean of each channel over all positions.

    With n positions i (of length, or of height and width):

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
        y = slot.buffer("y", (len(x), x.shape[-1]))
        return np.mean(x.reshape(len(x), -1, x.shape[-1]), axis=1, out=y)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
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
        rows = x.reshape(len(x), -1, x.shape[-1])
        slot["shape"], slot["winner"] = x.shape, np.argmax(rows, axis=1)[:, None]  # (batch, 1, channels)
        y: Array = np.take_along_axis(rows, slot["winner"], axis=1)[:, 0]
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        shape: Shape = slot["shape"]
        dx = slot.buffer("dx", shape)
        dx[...] = 0
        np.put_along_axis(dx.reshape(len(dx), -1, shape[-1]), slot["winner"], dy[:, None], axis=1)
        return dx

    def pieces(self, slot: Slot) -> Array | None:
        winner: Array = slot["winner"]
        return winner
