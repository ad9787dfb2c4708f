"""The fully connected layer."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.layer import Gives
from nnctl.engine.parameters import Array, Declarations, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers.weighted import Weighted


class Dense(Weighted):
    """Fully connected layer: each unit is a weighted sum of all inputs, plus a bias.

    Forward, the units' net input:

        Y = X W + b

    Backward, from dY = dJ/dY:

        dJ/dW = X^T dY        dJ/db = sum over the batch of dY        dJ/dX = dY W^T

    Shapes: X (batch, inputs), W (inputs, units), b (units,), Y (batch, units). Inputs with more axes
    (batch, time, inputs) are taken position by position. Other libraries may keep W as
    (units, inputs). An `activation` is applied by a layer of its own that follows this one.

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors",
    Nature 323 (1986).

    ```yaml
    {type: dense, units: 64, activation: relu, init: he_normal, l2: 1.0e-4}
    ```
    """

    type: Literal["dense"] = "dense"
    gives: ClassVar[Gives] = "sums"
    takes_sequences: ClassVar[bool] = True
    principal: ClassVar[str | None] = "units"
    units: int | None = Field(None, gt=0, description="Number of units; left out, as many as the target needs.")

    def output_shape(self, shape: Shape) -> Shape:
        if not shape:
            raise ConfigError("dense needs inputs with at least one axis")
        if self.units is None:
            raise ConfigError("dense needs `units` here; only the last layer can leave it to the target", "units")
        return (*shape[:-1], self.units)

    def parameters(self, shape: Shape) -> Declarations:
        inputs, (*_, units) = shape[-1], self.output_shape(shape)
        return self.tensors((inputs, units), inputs, units)

    def multiply_adds(self, shape: Shape) -> int:
        return int(np.prod(shape)) * self.output_shape(shape)[-1]

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        W = p["weight"]
        y = slot.buffer("y", (*x.shape[:-1], W.shape[1]))
        np.matmul(x, W, out=y)
        if self.bias:
            y += p["bias"]
        slot["x"] = x
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        W, x = p["weight"], slot["x"]
        rows_x, rows_dy = x.reshape(-1, W.shape[0]), dy.reshape(-1, W.shape[1])
        np.matmul(rows_x.T, rows_dy, out=g["weight"])
        if self.bias:
            np.add.reduce(rows_dy, axis=0, out=g["bias"])
        if not slot.input_gradient:
            return dy
        dx: Array = slot.buffer("dx", x.shape)
        np.matmul(dy, W.T, out=dx)
        return dx
