"""The logarithm of 1 + exp(x), and its mirror image."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations.base import Activation
from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer, HeNormal


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), written so that nothing overflows: max(x, 0) + log(1 + exp(-|x|))."""
    y: Array = np.abs(x)
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.log1p(y, out=y)
    y += np.maximum(x, 0)
    return y


class Softplus(Activation):
    """The smooth rectifier.

    Forward: y = log(1 + exp(beta x)) / beta. Backward: dx = sigmoid(beta x) dy = (1 - exp(-beta y)) dy.
    Shapes: any, kept. PyTorch returns x itself where beta x > 20 (2e-9 off there); here it is exact.
    Source: Dugas, Bengio, Belisle, Nadeau and Garcia, "Incorporating second-order functional knowledge for
    better option pricing", NIPS 2000.

    ```yaml
    activation: {type: softplus, beta: 2.0}
    ```
    """

    type: Literal["softplus"] = "softplus"
    formula: ClassVar[str | None] = "log(1 + exp({beta}*{x}))/{beta}"
    derivative: ClassVar[str | None] = "1/(1 + exp(-{beta}*{x}))"
    beta: float = Field(1.0, description="Sharpness of the bend at 0; large values approach relu.", gt=0)
    from_output: ClassVar[bool] = True
    initializer: ClassVar[AnyInitializer] = HeNormal()

    def forward(self, x: Array, out: Array) -> None:
        with np.errstate(over="ignore"):  # exp(-inf) = 0 is the limit wanted
            bend = -self.beta * np.abs(x)
        np.log1p(np.exp(bend, out=bend), out=bend)
        bend /= self.beta
        np.maximum(x, 0, out=out)
        out += bend

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        with np.errstate(over="ignore"):
            slope = -self.beta * y
        np.negative(np.expm1(slope, out=slope), out=slope)
        np.multiply(dy, slope, out=out)


class LogSigmoid(Activation):
    """The logarithm of the logistic function, which is -softplus(-x).

    Forward: y = log(1 / (1 + exp(-x))). Backward: dx = sigmoid(-x) dy = (1 - exp(y)) dy. Shapes: any, kept.
    Source: PyTorch's `LogSigmoid`; the log-probability of a Bernoulli unit with logit x.

    ```yaml
    activation: log_sigmoid
    ```
    """

    type: Literal["log_sigmoid"] = "log_sigmoid"
    from_output: ClassVar[bool] = True

    def forward(self, x: Array, out: Array) -> None:
        np.negative(softplus(-x), out=out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        slope = -np.expm1(y)
        np.multiply(dy, slope, out=out)
