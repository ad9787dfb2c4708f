"""Rectifiers: piecewise linear, zero or nearly so on the left."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations.base import Activation
from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer, HeNormal


class Relu(Activation):
    """The rectified linear unit.

    Forward: y = max(0, x). Backward: dx = dy where x > 0, else 0; the derivative at 0 is taken as 0.
    Shapes: any, kept.
    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.

    ```yaml
    activation: relu
    ```
    """

    type: Literal["relu"] = "relu"
    formula: ClassVar[str | None] = "max(0, {x})"
    derivative: ClassVar[str | None] = "[{x} > 0]"
    from_output: ClassVar[bool] = True
    dies: ClassVar[bool] = True
    initializer: ClassVar[AnyInitializer] = HeNormal()

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    @compilable
    def forward(self, x: Array, out: Array) -> None:
        np.maximum(x, 0, out=out)

    @compilable
    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        np.multiply(dy, y > 0, out=out)


class Relu6(Activation):
    """The rectified linear unit, capped at 6.

    Forward: y = min(max(0, x), 6). Backward: dx = dy where 0 < x < 6, else 0 (also at 0 and at 6).
    Shapes: any, kept.
    Source: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.

    ```yaml
    activation: relu6
    ```
    """

    type: Literal["relu6"] = "relu6"
    from_output: ClassVar[bool] = True
    dies: ClassVar[bool] = True
    initializer: ClassVar[AnyInitializer] = HeNormal()

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0, 6.0)

    def forward(self, x: Array, out: Array) -> None:
        np.clip(x, 0, 6, out=out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        np.multiply(dy, (y > 0) & (y < 6), out=out)


class LeakyRelu(Activation):
    """A rectifier that lets a little through on the left, so that no unit dies.

    Forward: y = x if x > 0 else slope x. Backward: dx = dy if x > 0 else slope dy (slope at 0).
    Shapes: any, kept. The slope is 0.01 here and in PyTorch (`negative_slope`), 0.3 in Keras 2 and 0.2
    in TensorFlow.
    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.

    ```yaml
    activation: {type: leaky_relu, slope: 0.2}
    ```
    """

    type: Literal["leaky_relu"] = "leaky_relu"
    formula: ClassVar[str | None] = "max(0, {x}) + {slope}*min(0, {x})"
    derivative: ClassVar[str | None] = "[{x} > 0] + {slope}*[{x} <= 0]"
    slope: float = Field(0.01, description="Slope for negative inputs.", gt=0)
    from_output: ClassVar[bool] = True
    initializer: ClassVar[AnyInitializer] = HeNormal()

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    def forward(self, x: Array, out: Array) -> None:
        left = self.slope * np.minimum(x, 0)
        np.maximum(x, 0, out=out)
        out += left

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        np.multiply(dy, np.where(y > 0, y.dtype.type(1), y.dtype.type(self.slope)), out=out)
