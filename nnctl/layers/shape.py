"""Layers that only change the shape."""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.engine.layer import Gives, Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.spec import Listed


class Flatten(Layer):
    """Make one axis of all axes but the batch, in row-major order.

        (batch, a, b, ...) -> (batch, a b ...)

    ```yaml
    {type: flatten}
    ```
    """

    type: Literal["flatten"] = "flatten"
    gives: ClassVar[Gives] = "same"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["shape"] = x.shape
        return x.reshape(len(x), -1)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        return dy.reshape(slot["shape"])


class Reshape(Layer):
    """Read the values of each example, in row-major order, as an array of another shape.

        (batch, a, b, ...) -> (batch, *shape)

    Grey images of a table or an array become (height, width, 1), as convolutions want them.

    ```yaml
    {type: reshape, shape: [28, 28, 1]}
    ```
    """

    type: Literal["reshape"] = "reshape"
    gives: ClassVar[Gives] = "same"
    principal: ClassVar[str | None] = "shape"
    shape: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Listed] = Field(
        min_length=1, description="The new shape of an example."
    )

    def output_shape(self, shape: Shape) -> Shape:
        if prod(shape) != prod(self.shape):
            raise ConfigError(
                f"finds {prod(shape)} values in inputs of shape {shape}; {self.shape} has {prod(self.shape)}",
                "shape",
            )
        return self.shape

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["shape"] = x.shape
        return x.reshape(len(x), *self.shape)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        return dy.reshape(slot["shape"])
