"""Layers that disturb training on purpose and do nothing otherwise."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.layer import Gives, Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot


class Dropout(Layer):
    """Inverted dropout: in training, each value is dropped with probability `rate`.

    With m drawn anew in every pass, 0 with probability q = `rate` and 1 otherwise:

        Y = X * m / (1 - q)        dJ/dX = dJ/dY * m / (1 - q)

    Dividing by 1 - q in training (inverted dropout) is what lets evaluation leave X as it is; the
    original paper multiplied the weights by 1 - q at evaluation instead. By channel, m is drawn once for
    all positions of a channel, or all steps of a sequence: neighbouring pixels are much alike, and dropping
    some of them drops little (PyTorch's `Dropout2d`). Shapes: X, Y (batch, ...), m as X or (batch, 1, ..., channels).

    Sources: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: a simple way to
    prevent neural networks from overfitting", JMLR 15 (2014); by channel: Tompson, Goroshin, Jain, LeCun
    and Bregler, "Efficient object localization using convolutional networks", CVPR 2015.

    ```yaml
    {type: dropout, rate: 0.2}
    ```
    """

    type: Literal["dropout"] = "dropout"
    gives: ClassVar[Gives] = "same"
    in_evaluation: ClassVar[str | None] = "off here; drops units at random in training"
    takes_sequences: ClassVar[bool] = True
    principal: ClassVar[str | None] = "rate"
    disturbs: ClassVar[bool] = True
    rate: float = Field(0.5, ge=0, lt=1, description="Probability that a value is dropped.")
    by: Literal["value", "channel"] = Field("value", description="What is dropped at once: one value or a channel.")

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        if not slot.training or self.rate == 0:
            slot["mask"] = None
            return x
        examples = len(x) if slot.lengths is None else len(slot.lengths)
        shape = x.shape if self.by == "value" else (examples, *[1] * (x.ndim - 2), x.shape[-1])
        draws = slot.buffer("draws", shape, np.float32)
        slot.random.random(dtype=np.float32, out=draws)
        mask = slot.buffer("mask", shape)
        np.greater_equal(draws, np.float32(self.rate), out=mask, casting="unsafe")
        mask *= 1 / (1 - self.rate)
        if self.by == "channel" and slot.lengths is not None:
            mask = np.repeat(mask, slot.lengths, axis=0)
        slot["mask"] = mask
        return np.multiply(x, mask, out=slot.buffer("y", x.shape))

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        mask = slot["mask"]
        return dy if mask is None else np.multiply(dy, mask, out=slot.buffer("dx", dy.shape))

    def multiply_adds(self, shape: Shape) -> int:
        return 0


class GaussianNoise(Layer):
    """In training, add independent normal noise to every value.

        Y = X + e, e ~ N(0, deviation^2)        dJ/dX = dJ/dY

    On the inputs this acts like an L2 penalty for small deviations. Shapes: X, Y (batch, ...).

    Source: Bishop, "Training with noise is equivalent to Tikhonov regularization", Neural
    Computation 7 (1995).

    ```yaml
    {type: gaussian_noise, deviation: 0.1}
    ```
    """

    type: Literal["gaussian_noise"] = "gaussian_noise"
    gives: ClassVar[Gives] = "same"
    in_evaluation: ClassVar[str | None] = "off here; adds noise in training"
    takes_sequences: ClassVar[bool] = True
    principal: ClassVar[str | None] = "deviation"
    disturbs: ClassVar[bool] = True
    deviation: float = Field(0.1, ge=0, description="Standard deviation of the noise.")

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        if not slot.training or self.deviation == 0:
            return x
        y = slot.buffer("y", x.shape)
        # Drawn in float64 so that float32 training and the float64 gradient check see one noise.
        np.multiply(slot.random.standard_normal(x.shape), self.deviation, out=y, casting="same_kind")
        y += x
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        return dy

    def multiply_adds(self, shape: Shape) -> int:
        return 0
