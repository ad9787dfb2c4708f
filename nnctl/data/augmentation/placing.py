"""Augmentations that move pixels or hide them, and compute no new values."""

from typing import Annotated, Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from nnctl.data.augmentation.base import Augmentation
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError
from nnctl.spec import Listed

Pixels = Annotated[int, Field(ge=0)]


def windows(x: Array, top: Array, left: Array, shape: Shape) -> Array:
    """From image i of (n, H, W, c) the part (h, w) whose corner is (top[i], left[i]): (n, h, w, c)."""
    h, w = shape
    parts = np.empty((len(x), h, w, x.shape[3]), x.dtype)
    for part, image, i, j in zip(parts, x, top.tolist(), left.tolist(), strict=True):
        part[...] = image[i : i + h, j : j + w]  # a copy of each is faster than one gather by index
    return parts


class Shift(Augmentation):
    """Move an image by whole pixels, up or down and to either side.

        Y[i, j] = X[i - a, j - b],    a, b uniform on {-pixels, ..., pixels}

    and `fill` where the image has moved away. Source: Simard, Steinkraus and Platt, "Best practices for
    convolutional neural networks applied to visual document analysis", ICDAR 2003, section 2.

    ```yaml
    {type: shift, pixels: 2}
    ```
    """

    type: Literal["shift"] = "shift"
    pixels: Pixels | Annotated[tuple[Pixels, Pixels], Listed] = Field(
        2, description="The most pixels to move by: one number, or [vertical, horizontal]."
    )
    fill: float = Field(0.0, description="The value of new pixels, in the units of the image.")

    def change(self, x: Array, random: Generator) -> Array:
        (n, height, width, _), (v, h) = x.shape, self._most
        padded = np.pad(x, ((0, 0), (v, v), (h, h), (0, 0)), constant_values=self.fill)
        top, left = random.integers(0, [[2 * v], [2 * h]], (2, n), endpoint=True)
        return windows(padded, top, left, (height, width))

    @property
    def _most(self) -> tuple[int, int]:
        return (self.pixels, self.pixels) if isinstance(self.pixels, int) else self.pixels


class Crop(Augmentation):
    """Extend an image by `padding` pixels on every side, and cut a part of its old size out at random.

    Extended by `reflect`, the image mirrored about its outermost pixels; by `edge`, the outermost
    pixels repeated; by `zero`, zeros (then it is the same as `shift`). Source: He, Zhang, Ren and Sun,
    "Deep residual learning for image recognition", CVPR 2016, section 4.2, with zeros.

    ```yaml
    {type: crop, padding: 4, extend: reflect}
    ```
    """

    type: Literal["crop"] = "crop"
    padding: Pixels = Field(4, description="Pixels added on every side.")
    extend: Literal["zero", "edge", "reflect"] = Field("zero", description="What the added pixels hold.")

    def change(self, x: Array, random: Generator) -> Array:
        p = self.padding
        mode: Literal["constant", "edge", "reflect"] = "constant" if self.extend == "zero" else self.extend
        padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), mode)
        top, left = random.integers(0, 2 * p, (2, len(x)), endpoint=True)
        return windows(padded, top, left, x.shape[1:3])

    def check(self, shape: Shape) -> None:
        super().check(shape)
        if self.extend == "reflect" and self.padding >= min(shape[:2]):
            raise ConfigError(
                f"crop reflects {self.padding} pixels, and images of {shape[0]} x {shape[1]} have "
                f"{min(shape[:2]) - 1} to reflect; set `padding` to that at most"
            )


class Flip(Augmentation):
    """Mirror an image, with probability 1/2 along each chosen direction.

        horizontal: Y[i, j] = X[i, w - 1 - j]        vertical: Y[i, j] = X[h - 1 - i, j]

    Not for digits and letters, which mean something else or nothing in a mirror. Source: Krizhevsky,
    Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", NIPS 2012,
    section 4.1.

    ```yaml
    {type: flip, horizontal: true}
    ```
    """

    type: Literal["flip"] = "flip"
    horizontal: bool = Field(True, description="Whether left and right may change places.")
    vertical: bool = Field(False, description="Whether top and bottom may change places.")

    def change(self, x: Array, random: Generator) -> Array:
        sideways, upside_down = random.random((2, len(x))) < 0.5
        if self.horizontal:
            x[sideways] = x[sideways, :, ::-1]
        if self.vertical:
            x[upside_down] = x[upside_down, ::-1]
        return x


class Cutout(Augmentation):
    """Cover a square of an image.

        Y[i, j] = fill where |i - a| and |j - b| are within the square about (a, b), else X[i, j]

    (a, b) is uniform over all pixels, so the square may reach beyond the border, as in the paper.
    Source: DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout",
    2017. Random erasing draws the size of the part too.

    ```yaml
    {type: cutout, size: 8}
    ```
    """

    type: Literal["cutout"] = "cutout"
    size: Pixels = Field(8, description="Side of the square in pixels.")
    fill: float = Field(0.0, description="The value of covered pixels, in the units of the image.")

    def change(self, x: Array, random: Generator) -> Array:
        n, height, width, _ = x.shape
        rows, columns = (self._covered(random, n, side) for side in (height, width))  # (n, h), (n, w)
        x[rows[:, :, None] & columns[:, None, :]] = self.fill
        return x

    def _covered(self, random: Generator, n: int, side: int) -> Array:
        first = random.integers(0, side, n)[:, None] - self.size // 2
        place = np.arange(side)
        covered: Array = (first <= place) & (place < first + self.size)
        return covered
