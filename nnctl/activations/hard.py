"""Piecewise linear and quadratic stand-ins for the smooth functions, cheap to compute."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations.base import Activation
from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer, HeNormal


class HardSigmoid(Activation):
    """The logistic function made of three straight pieces.

    Forward: y = min(max(0, slope x + offset), 1). Backward: dx = slope dy where 0 < y < 1, else 0.
    Shapes: any, kept. With slope 1/6 this is PyTorch's (whose derivative is 1/6 rounded to float32, even in
    float64) and Keras 3's; Keras 2 and ONNX have 0.2.
    Source: Courbariaux, Bengio and David, "BinaryConnect", NIPS 2015 (with slope 1/2); Howard et al.,
    "Searching for MobileNetV3", ICCV 2019 (with 1/6).

    ```yaml
    activation: {type: hard_sigmoid, slope: 0.2}
    ```
    """

    type: Literal["hard_sigmoid"] = "hard_sigmoid"
    from_output: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    gives_probabilities: ClassVar[bool] = True
    dies: ClassVar[bool] = True
    slope: float = Field(1 / 6, gt=0, description="Slope of the middle piece.")
    offset: float = Field(0.5, description="The value at 0, where the middle piece crosses it.")

    @property
    def kinks(self) -> tuple[float, ...]:
        return -self.offset / self.slope, (1 - self.offset) / self.slope

    def forward(self, x: Array, out: Array) -> None:
        lowest, highest = self.kinks
        np.clip(x, lowest - 1, highest + 1, out=out)  # so that a steep slope does not overflow
        out *= self.slope
        out += self.offset
        np.clip(out, 0, 1, out=out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        np.multiply(dy, (y > 0) & (y < 1), out=out)
        out *= self.slope


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
        gate = np.clip(x + 3, 0, 6)
        gate /= 6
        np.maximum(x, -3, out=out)  # minus infinity times 0 would be no number
        out *= gate

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        slope = (2 * np.clip(x, -3, 3) + 3) / 6
        slope[x <= -3] = 0
        slope[x >= 3] = 1
        np.multiply(dy, slope, out=out)
