"""Augmentations that change the values of pixels where they are."""

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from nnctl.data.augmentation.base import Augmentation, Range
from nnctl.engine.parameters import Array


def each(x: Array, numbers: Array) -> Array:
    """A number for each example (n,), to be combined with x (n, ...)."""
    return numbers.astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))


class Brightness(Augmentation):
    """Make an image brighter or darker: add one number to all its values.

        Y = X + b,    b uniform on [-amount, amount]

    The amount is in the units of the image: 25 is a tenth of what bytes hold. torchvision multiplies
    instead. Source: Howard, "Some improvements on deep convolutional neural network based image
    classification", 2013.

    ```yaml
    {type: brightness, amount: 25}
    ```
    """

    type: Literal["brightness"] = "brightness"
    amount: float = Field(25.0, ge=0, description="The most that is added or taken away, in the units of the image.")
    spatial: ClassVar[bool] = False

    def change(self, x: Array, random: Generator) -> Array:
        x += each(x, random.uniform(-self.amount, self.amount, len(x)))
        return x


class Contrast(Augmentation):
    """Move an image's values away from their mean, or towards it.

        Y = m + f (X - m),    m the mean of X,    f uniform on [low, high]

    The mean is over all pixels and channels of one image. Source: Howard, "Some improvements on deep
    convolutional neural network based image classification", 2013.

    ```yaml
    {type: contrast, range: [0.8, 1.2]}
    ```
    """

    type: Literal["contrast"] = "contrast"
    range: Range = Field((0.8, 1.2), description="The smallest and the largest factor.")
    spatial: ClassVar[bool] = False

    def change(self, x: Array, random: Generator) -> Array:
        factor = each(x, random.uniform(*self.range, len(x)))
        mean = x.mean(axis=tuple(range(1, x.ndim)), keepdims=True)
        # f X + (1 - f) m is m + f (X - m), and X itself for f = 1.
        x *= factor
        x += (1 - factor) * mean
        return x


class Noise(Augmentation):
    """Add independent normal noise to every value.

        Y = X + e,    e ~ N(0, deviation^2)

    In the units of the image, so 10 is faint for bytes. The layer `gaussian_noise` does the same after
    normalisation, or further inside. Source: Bishop, "Training with noise is equivalent to Tikhonov
    regularization", Neural Computation 7 (1995).

    ```yaml
    {type: noise, deviation: 10}
    ```
    """

    type: Literal["noise"] = "noise"
    deviation: float = Field(10.0, ge=0, description="Standard deviation of the noise, in the units of the image.")
    spatial: ClassVar[bool] = False

    def change(self, x: Array, random: Generator) -> Array:
        noise = random.standard_normal(x.shape, np.float32)
        noise *= self.deviation
        x += noise
        return x
