"""Layers that only change the shape."""

from math import prod
from typing import Literal

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot


class Flatten(Layer):
    """Make one axis of all axes but the batch, in row-major order.

        (batch, a, b, ...) -> (batch, a b ...)

    ```yaml
    {type: flatten}
    ```
    """

    type: Literal["flatten"] = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["shape"] = x.shape
        return x.reshape(len(x), -1)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        return dy.reshape(slot["shape"])
