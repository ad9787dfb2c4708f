"""Piecewise linear and quadratic stand-ins for the smooth functions, cheap to compute."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.activations.base import Activation
from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer, HeNormal


class HardSigmoid(Activation):
    """The logistic function made of three straight pieces.

    Forward: y = min(max(0, x + 3), 6) / 6. Backward: dx = dy / 6 where -3 < x < 3, else 0.
    Shapes: any, kept. This is PyTorch's (whose derivative is 1/6 rounded to float32, even in float64) and
    Keras 3's; Keras 2 clips 0.2 x + 0.5 instead.
    Source: Courbariaux, Bengio and David, "BinaryConnect", NIPS 2015 (with slope 1/2); Howard et al.,
    "Searching for MobileNetV3", ICCV 2019 (with 1/6).

    ```yaml
    activation: hard_sigmoid
    ```
    """

    type: Literal["hard_sigmoid"] = "hard_sigmoid"
    from_output: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    gives_probabilities: ClassVar[bool] = True
    dies: ClassVar[bool] = True

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-3.0, 3.0)

    def forward(self, x: Array, out: Array) -> None:
        np.add(x, 3, out=out)
        np.clip(out, 0, 6, out=out)
        out /= 6

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        np.multiply(dy, (y > 0) & (y < 1), out=out)
        out /= 6


class HardTanh(Activation):
    """The identity, clipped to [-1, 1].

    Forward: y = min(max(-1, x), 1). Backward: dx = dy where -1 < x < 1, else 0. Shapes: any, kept.
    Source: Collobert, "Large scale machine learning", PhD thesis, 2004.

    ```yaml
    activation: hard_tanh
    ```
    """

    type: Literal["hard_tanh"] = "hard_tanh"
    from_output: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float] | None] = (-1.0, 1.0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-1.0, 1.0)

    def forward(self, x: Array, out: Array) -> None:
        np.clip(x, -1, 1, out=out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        np.multiply(dy, (y > -1) & (y < 1), out=out)


class HardSwish(Activation):
    """The input times its hard sigmoid.

    Forward: y = x min(max(0, x + 3), 6) / 6. Backward: dx = 0 where x <= -3, dy where x >= 3, else
    (2 x + 3) / 6 dy. Shapes: any, kept.
    Source: Howard et al., "Searching for MobileNetV3", ICCV 2019, section 5.2.

    ```yaml
    activation: hard_swish
    ```
    """

    type: Literal["hard_swish"] = "hard_swish"
    dies: ClassVar[bool] = True
    initializer: ClassVar[AnyInitializer] = HeNormal()

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-3.0, 3.0)

    def forward(self, x: Array, out: Array) -> None:
        np.add(x, 3, out=out)
        np.clip(out, 0, 6, out=out)
        out *= x
        out /= 6

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        slope = (2 * x + 3) / 6
        slope[x <= -3] = 0
        slope[x >= 3] = 1
        np.multiply(dy, slope, out=out)
