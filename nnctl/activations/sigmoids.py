"""S-shaped functions and their relatives."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.activations.base import Activation
from nnctl.engine.formulas import SIGMOID
from nnctl.engine.parameters import Array


def sigmoid(x: Array, out: Array) -> None:
    """Write 1 / (1 + exp(-x)) into `out`, which may be `x`."""
    np.negative(x, out=out)
    with np.errstate(over="ignore"):  # exp(1e4) is inf, and 1 / (1 + inf) = 0 is the limit wanted
        np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)


class Sigmoid(Activation):
    """The logistic function, the textbook's unit.

    Forward: y = 1 / (1 + exp(-x)). Backward: dx = y (1 - y) dy. Shapes: any, kept.
    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986.

    ```yaml
    activation: sigmoid
    ```
    """

    type: Literal["sigmoid"] = "sigmoid"
    formula: ClassVar[str | None] = SIGMOID
    derivative: ClassVar[str | None] = "{y}*(1 - {y})"
    from_output: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    gives_probabilities: ClassVar[bool] = True

    def forward(self, x: Array, out: Array) -> None:
        sigmoid(x, out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        slope = 1 - y
        slope *= y
        np.multiply(dy, slope, out=out)


class Tanh(Activation):
    """The hyperbolic tangent: a sigmoid centred on 0.

    Forward: y = tanh(x). Backward: dx = (1 - y^2) dy. Shapes: any, kept.
    Source: LeCun, Bottou, Orr and Mueller, "Efficient BackProp", 1998, section 4.4 (without its 1.7159 and 2/3).

    ```yaml
    activation: tanh
    ```
    """

    type: Literal["tanh"] = "tanh"
    formula: ClassVar[str | None] = "tanh({x})"
    derivative: ClassVar[str | None] = "1 - {y}^2"
    from_output: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float] | None] = (-1.0, 1.0)

    def forward(self, x: Array, out: Array) -> None:
        np.tanh(x, out=out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        slope = y * y
        np.subtract(1, slope, out=slope)
        np.multiply(dy, slope, out=out)


class Softsign(Activation):
    """A sigmoid with polynomial tails, slower to saturate than tanh.

    Forward: y = x / (1 + |x|). Backward: dx = (1 - |y|)^2 dy, since 1 - |y| = 1 / (1 + |x|). Shapes: any, kept.
    Source: Bergstra, Desjardins, Lamblin and Bengio, "Quadratic polynomials learn better image features", 2009.

    ```yaml
    activation: softsign
    ```
    """

    type: Literal["softsign"] = "softsign"
    formula: ClassVar[str | None] = "{x}/(1 + abs({x}))"
    derivative: ClassVar[str | None] = "(1 - abs({y}))^2"
    from_output: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float] | None] = (-1.0, 1.0)

    def forward(self, x: Array, out: Array) -> None:
        size = np.minimum(np.abs(x), 1e30)  # infinity over infinity would be no number
        np.clip(x, -1e30, 1e30, out=out)
        out /= 1 + size

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        slope = 1 - np.abs(y)
        slope *= slope
        np.multiply(dy, slope, out=out)


class Tanhshrink(Activation):
    """What tanh leaves over: flat around 0, a line far from it.

    Forward: y = x - tanh(x). Backward: dx = tanh(x)^2 dy. Shapes: any, kept.
    Source: the name and form are PyTorch's; used as a shrinkage function in sparse coding, as in
    Gregor and LeCun, "Learning fast approximations of sparse coding", ICML 2010.

    ```yaml
    activation: tanhshrink
    ```
    """

    type: Literal["tanhshrink"] = "tanhshrink"

    def forward(self, x: Array, out: Array) -> None:
        np.tanh(x, out=out)
        np.subtract(x, out, out=out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        slope = np.tanh(x)
        slope *= slope
        np.multiply(dy, slope, out=out)
