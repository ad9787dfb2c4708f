"""Activations as layers: a fixed function of each value, or one whose slope is learned."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations import AnyActivation
from nnctl.engine.formulas import UnitFormula
from nnctl.engine.layer import Gives, Layer, RateScale
from nnctl.engine.parameters import Array, Declarations, Initializer, Parameter, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.initializers import Constant


class Activation(Layer):
    """Apply an activation function to every value.

    Forward and backward are the function's own:

        Y = f(X)        dJ/dX = dJ/dY * f'(X)

    Shapes: X, Y (batch, ...). A dense layer's `activation` becomes one of these.

    ```yaml
    {type: activation, function: {type: leaky_relu, slope: 0.2}}
    ```
    """

    type: Literal["activation"] = "activation"
    gives: ClassVar[Gives] = "changed"
    takes_sequences: ClassVar[bool] = True
    principal: ClassVar[str | None] = "function"
    function: AnyActivation = Field(description="The activation function.")

    @property
    def kind(self) -> str:
        return self.function.type

    @property
    def suits(self) -> Initializer:
        return self.function.initializer

    @property
    def formula(self) -> UnitFormula | None:
        f, name = self.function, self.function.type
        if not f.elementwise:
            return None
        return UnitFormula(f.formula or f"{name}({{x}})", f.derivative or f"{name}'({{x}})", f)

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        y = slot.buffer("y", x.shape)
        self.function.forward(x, y)
        slot["x"], slot["y"] = x, y
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        dx = slot.buffer("dx", dy.shape)
        self.function.backward(dy, slot["x"], slot["y"], dx)
        return dx

    def pieces(self, slot: Slot) -> Array | None:
        return self.function.pieces(slot["x"])


class PRelu(Layer):
    """Rectifier whose negative slope is learned, one slope a unit.

        Y = max(0, X) + a min(0, X)
        dJ/dX = dJ/dY * (1 if X > 0 else a)        dJ/da = sum over the batch of dJ/dY * min(0, X)

    Shapes: X, Y (batch, ..., units), a (units,). The derivative at 0 is a. No decay is applied to a.

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015.

    ```yaml
    {type: prelu, slope: 0.25}
    ```
    """

    type: Literal["prelu"] = "prelu"
    gives: ClassVar[Gives] = "changed"
    takes_sequences: ClassVar[bool] = True
    principal: ClassVar[str | None] = "slope"
    slope: Annotated[float, Field(description="The slope every unit starts with.")] = 0.25
    learning_rate_scale: RateScale = 1.0

    def parameters(self, shape: Shape) -> Declarations:
        start, scale = Constant(value=self.slope), self.learning_rate_scale
        return {"slope": Parameter((shape[-1],), start, role="gain", decays=False, learning_rate_scale=scale)}

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        negative = slot.buffer("negative", x.shape)
        y = slot.buffer("y", x.shape)
        np.minimum(x, 0, out=negative)
        np.multiply(negative, p["slope"], out=y)
        y += np.maximum(x, 0)
        slot["x"], slot["negative"] = x, negative
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        x, negative = slot["x"], slot["negative"]
        np.sum((dy * negative).reshape(-1, x.shape[-1]), axis=0, out=g["slope"])
        dx = slot.buffer("dx", dy.shape)
        np.multiply(dy, np.where(x > 0, 1, p["slope"]), out=dx)
        return dx

    def pieces(self, slot: Slot) -> Array | None:
        return np.asarray(slot["x"] > 0)
