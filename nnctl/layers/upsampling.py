"""Making images larger by a fixed rule."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers.windows import Counts, both


class Upsample(Layer):
    """Make images or sequences larger by whole factors.

    With A the matrix (new length, length) of one axis, and one for height and one for width:

        Y[i, j, c] = sum_{o, q} A[i, o] A'[j, q] X[o, q, c]        dJ/dX = the same with A^T, A'^T

    `nearest` repeats values, A[i, o] = 1 where o = floor(i / factor). `bilinear` places the centres of the
    old values between those of the new ones and interpolates, at s = (i + 1/2) / factor - 1/2 cut to
    0 .. length - 1, between floor(s) and floor(s) + 1; PyTorch with `align_corners=False` and TensorFlow 2
    do the same. Shapes: X (batch, height, width, channels) or (batch, length, channels), for which `factor`
    is one number. Of sequences, `nearest` repeats each step.

    Source: Gonzalez and Woods, Digital Image Processing, section 2.4.

    ```yaml
    {type: upsample, factor: 2, mode: bilinear}
    ```
    """

    type: Literal["upsample"] = "upsample"
    principal: ClassVar[str | None] = "factor"
    takes_sequences: ClassVar[bool] = True
    factor: Counts = Field(2, description="How many times larger: one number, or [vertical, horizontal].")
    mode: Literal["nearest", "bilinear"] = Field("nearest", description="Repeat values, or interpolate between them.")

    def _factors(self, shape: Shape) -> tuple[int, ...]:
        return both(self.factor)[-(len(shape) - 1) :]

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) not in (2, 3) or (len(shape) == 2 and isinstance(self.factor, tuple)):
            raise ConfigError(f"takes (height, width, channels), or (length, channels) and one factor; finds {shape}")
        return (*(n * f for n, f in zip(shape[:-1], self._factors(shape), strict=True)), shape[-1])

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        (one,) = given
        if not one.steps or one.tokens:
            return super().signal(name, given)
        if isinstance(self.factor, tuple) or self.mode != "nearest":
            key = "mode" if self.mode != "nearest" else "factor"
            raise ConfigError("makes sequences longer by one `factor` and `mode: nearest` only; write those", key)
        return replace(one, steps=one.steps * self.factor, clock=name)

    def lengths(self, n: Array) -> Array:
        return n * both(self.factor)[0]

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["shape"] = x.shape
        if slot.lengths is not None:
            return x.repeat(both(self.factor)[0], axis=0)
        for axis, factor in enumerate(self._factors(x.shape[1:]), start=1):
            if self.mode == "nearest":
                x = x.repeat(factor, axis)
            else:
                x = along(interpolation(x.shape[axis], factor).astype(x.dtype), x, axis)
        return x

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        shape: Shape = slot["shape"]
        if slot.lengths is not None:
            repeats: Array = dy.reshape(shape[0], both(self.factor)[0], *shape[1:])
            return np.asarray(repeats.sum(axis=1))
        for axis, factor in enumerate(self._factors(shape[1:]), start=1):
            if self.mode == "nearest":
                dy = dy.reshape(*dy.shape[:axis], shape[axis], factor, *dy.shape[axis + 1 :]).sum(axis + 1)
            else:
                dy = along(interpolation(shape[axis], factor).astype(dy.dtype).T, dy, axis)
        return dy


def interpolation(length: int, factor: int) -> Array:
    """The matrix A (factor * length, length) that interpolates."""
    at = np.clip((np.arange(factor * length) + 0.5) / factor - 0.5, 0, length - 1)
    shares: Array = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(length)))
    return shares


def along(a: Array, x: Array, axis: int) -> Array:
    """The product of a matrix with one axis of x: sum_o a[i, o] x[..., o, ...]."""
    outer, inner = x.shape[:axis], x.shape[axis + 1 :]
    product: Array = a @ x.reshape(prod(outer), x.shape[axis], -1)
    return product.reshape(*outer, len(a), *inner)
