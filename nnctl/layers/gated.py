"""Gated linear units: one half of the units opens the other."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations import AnyActivation, Sigmoid, Swish
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError


class Gated(Layer):
    """Both passes, with f the function of the gate.

    With the units of X in two halves, A and B:

        Y = A * f(B)        dJ/dA = dJ/dY * f(B)        dJ/dB = dJ/dY * A * f'(B)
    """

    takes_sequences: ClassVar[bool] = True

    @property
    def function(self) -> AnyActivation:
        """The function f of the gate."""
        raise NotImplementedError

    def output_shape(self, shape: Shape) -> Shape:
        if not shape or shape[-1] % 2:
            raise ConfigError(f"takes an even number of units, half of them gates, and finds {shape}")
        if not self.function.elementwise:
            raise ConfigError(f"{self.function.type} looks at all units at once and is no gate; sigmoid and swish are")
        return (*shape[:-1], shape[-1] // 2)

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        a, b = np.split(x, 2, axis=-1)
        gate = slot.buffer("gate", a.shape)
        self.function.forward(b, gate)
        slot["x"] = x
        y: Array = np.multiply(a, gate, out=slot.buffer("y", a.shape))
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        a, b = np.split(slot["x"], 2, axis=-1)
        gate, slope = slot.buffer("gate", a.shape), slot.buffer("slope", a.shape)
        np.multiply(dy, a, out=slope)
        self.function.backward(slope, b, gate, slope)
        dx = slot.buffer("dx", slot["x"].shape)
        np.multiply(dy, gate, out=dx[..., : a.shape[-1]])
        dx[..., a.shape[-1] :] = slope
        return dx

    def pieces(self, slot: Slot) -> Array | None:
        return self.function.pieces(np.split(slot["x"], 2, axis=-1)[1])


class Glu(Gated):
    """Gated linear unit: the first half of the units, each times the gate of one of the second half.

    With the units of X in two halves, A and B, and f the `gate`:

        Y = A * f(B)        dJ/dA = dJ/dY * f(B)        dJ/dB = dJ/dY * A * f'(B)

    The layer before it gives twice the units: one product makes both halves. f is the logistic function in the
    paper and in PyTorch's `GLU`; `relu` makes it ReGLU, `gelu` GEGLU, `linear` a bilinear layer. Shapes:
    X (batch, ..., 2 units), Y (batch, ..., units).

    Sources: Dauphin, Fan, Auli and Grangier, "Language modeling with gated convolutional networks", ICML 2017;
    the others: Shazeer, "GLU variants improve transformer", arXiv:2002.05202 (2020).

    ```yaml
    {type: glu, gate: gelu}
    ```
    """

    type: Literal["glu"] = "glu"
    principal: ClassVar[str | None] = "gate"
    gate: AnyActivation = Field(Sigmoid(), description="The function of the gates.")

    @property
    def function(self) -> AnyActivation:
        return self.gate


class SwiGlu(Gated):
    """Gated linear unit whose gate is the swish function.

    With the units of X in two halves, A and B, and s the logistic function:

        Y = A * B * s(B)        dJ/dA = dJ/dY * B * s(B)        dJ/dB = dJ/dY * A * s(B) (1 + B (1 - s(B)))

    The layer before it gives twice the units. Which half is the gate differs between libraries, and matters to
    weights that are taken over only. Shapes: X (batch, ..., 2 units), Y (batch, ..., units).

    Source: Shazeer, "GLU variants improve transformer", arXiv:2002.05202 (2020), equation 6.

    ```yaml
    {type: swiglu}
    ```
    """

    type: Literal["swiglu"] = "swiglu"

    @property
    def function(self) -> AnyActivation:
        return Swish()
