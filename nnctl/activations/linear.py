"""The identity."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.activations.base import Activation
from nnctl.engine.parameters import Array


class Linear(Activation):
    """The identity, for regression outputs and logits.

    Forward: y = x. Backward: dx = dy. Shapes: any, kept. Called `identity` or no activation elsewhere.

    ```yaml
    activation: linear
    ```
    """

    type: Literal["linear"] = "linear"
    formula: ClassVar[str | None] = "{x}"
    derivative: ClassVar[str | None] = "1"
    from_output: ClassVar[bool] = True

    def forward(self, x: Array, out: Array) -> None:
        np.copyto(out, x)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        np.copyto(out, dy)
