"""The step of the first perceptrons."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.activations.base import Activation
from nnctl.engine.parameters import Array


class Step(Activation):
    """The Heaviside step: a unit that fires or does not.

    Forward: y = 1 if x >= 0 else 0 (so y(0) = 1; `numpy.heaviside` leaves the value at 0 open).
    Backward: dx = 0 everywhere, also at the jump: nothing below it learns. A single-layer perceptron
    is trained by the `perceptron` loss instead, which contains this step.
    Shapes: any, kept.
    Source: McCulloch and Pitts, "A logical calculus of the ideas immanent in nervous activity", 1943;
    Rosenblatt, "The perceptron", 1958.

    ```yaml
    activation: step
    ```
    """

    type: Literal["step"] = "step"
    formula: ClassVar[str | None] = "[{x} >= 0]"
    derivative: ClassVar[str | None] = "0"
    from_output: ClassVar[bool] = True
    dies: ClassVar[bool] = True
    gives_probabilities: ClassVar[bool] = True
    flat: ClassVar[bool] = True

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    def forward(self, x: Array, out: Array) -> None:
        np.greater_equal(x, 0, out=out)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        out.fill(0)
