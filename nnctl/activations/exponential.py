"""Exponential linear units: a line on the right, an exponential that levels off on the left."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations.base import Activation
from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer, HeNormal, LeCunNormal


class ExponentialUnit(Activation):
    """What the three members of the family share.

    Forward: y = a x if x > 0 else b (exp(x / c) - 1).
    Backward: dx = a dy if x > 0 else (y + b) / c dy, since y + b = b exp(x / c).
    """

    from_output: ClassVar[bool] = True
    initializer: ClassVar[AnyInitializer] = HeNormal()

    @property
    def coefficients(self) -> tuple[float, float, float]:
        """The a, b and c above."""
        raise NotImplementedError

    @property
    def kinks(self) -> tuple[float, ...]:
        a, b, c = self.coefficients
        return () if a == b / c else (0.0,)

    def forward(self, x: Array, out: Array) -> None:
        a, b, c = self.coefficients
        left = np.minimum(x, 0)
        left /= c
        np.expm1(left, out=left)
        left *= b
        np.maximum(x, 0, out=out)
        out *= a
        out += left

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        a, b, c = self.coefficients
        np.multiply(dy, np.where(y > 0, a, (y + b) / c), out=out)


class Elu(ExponentialUnit):
    """The exponential linear unit.

    Forward: y = x if x > 0 else alpha (exp(x) - 1). Backward: dx = dy if x > 0 else (y + alpha) dy.
    Smooth for alpha = 1; otherwise the derivative at 0 is the left one, alpha. Shapes: any, kept.
    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential
    linear units", ICLR 2016.

    ```yaml
    activation: {type: elu, alpha: 0.5}
    ```
    """

    type: Literal["elu"] = "elu"
    formula: ClassVar[str | None] = "max(0, {x}) + {alpha}*(exp(min(0, {x})) - 1)"
    derivative: ClassVar[str | None] = "[{x} > 0] + {alpha}*exp({x})*[{x} <= 0]"
    alpha: float = Field(1.0, description="Minus the value approached on the left.", gt=0)

    @property
    def coefficients(self) -> tuple[float, float, float]:
        return 1.0, self.alpha, 1.0


class Selu(ExponentialUnit):
    """The exponential linear unit scaled so that mean 0 and variance 1 are a fixed point.

    Forward: y = lambda x if x > 0 else lambda alpha (exp(x) - 1), lambda = 1.0507..., alpha = 1.6733...
    Backward: dx = lambda dy if x > 0 else (y + lambda alpha) dy (the left slope at 0). Shapes: any, kept.
    Wants standardized inputs and LeCun's normal initialisation.
    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks", NIPS 2017, eq. 2.

    ```yaml
    activation: selu
    ```
    """

    type: Literal["selu"] = "selu"
    initializer: ClassVar[AnyInitializer] = LeCunNormal()

    @property
    def coefficients(self) -> tuple[float, float, float]:
        scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
        return scale, scale * alpha, 1.0


class Celu(ExponentialUnit):
    """The exponential linear unit that is smooth for every alpha.

    Forward: y = x if x > 0 else alpha (exp(x / alpha) - 1). Backward: dx = dy if x > 0 else (1 + y / alpha) dy.
    Shapes: any, kept.
    Source: Barron, "Continuously differentiable exponential linear units", 2017.

    ```yaml
    activation: {type: celu, alpha: 2.0}
    ```
    """

    type: Literal["celu"] = "celu"
    alpha: float = Field(1.0, description="Minus the value approached on the left, and the width of the bend.", gt=0)

    @property
    def coefficients(self) -> tuple[float, float, float]:
        return 1.0, self.alpha, self.alpha
