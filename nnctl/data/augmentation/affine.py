"""Augmentations that turn and stretch images: one sampler for all linear maps."""

from typing import Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from nnctl.data.augmentation.base import Augmentation, Range
from nnctl.engine.parameters import Array

#: Values of the images worked on at a time: all that is made of them stays in the cache.
TILE = 1 << 12


def resample(x: Array, maps: Array, fill: float) -> Array:
    """Each image (n, h, w, c) seen through a linear map about its centre.

        Y[p] = X[centre + M (p - centre)],    p = (i, j)

    with M = maps[i] (2, 2), and X between its pixels by bilinear interpolation. Beyond its border X is
    `fill`: a point within a pixel of it is interpolated between the two.
    """
    y = np.empty_like(x)
    step = max(1, TILE // max(1, x[0].size)) if len(x) else 1
    for start in range(0, len(x), step):
        tile = slice(start, start + step)
        y[tile] = _resampled(x[tile], maps[tile].astype(x.dtype), fill)
    return y


def _resampled(x: Array, maps: Array, fill: float) -> Array:
    n, height, width, channels = x.shape
    i = np.arange(height, dtype=x.dtype)[:, None] - (height - 1) / 2  # (h, 1)
    j = np.arange(width, dtype=x.dtype) - (width - 1) / 2  # (w,)
    m = maps[:, :, :, None, None]  # (n, 2, 2, 1, 1)
    rows, row_share = _cells(m[:, 0, 0] * i + m[:, 0, 1] * j, height)  # (n, h, w)
    columns, column_share = _cells(m[:, 1, 0] * i + m[:, 1, 1] * j, width)

    # One pixel of `fill` before each side, and two behind: every cell has its four corners.
    framed = np.full((n, height + 3, width + 3, channels), fill, x.dtype)
    framed[:, 1:-2, 1:-2] = x
    across = width + 3
    corner = (np.arange(n)[:, None, None] * (height + 3) + rows) * across + columns
    pixels = framed.reshape(-1, channels)
    here, right, below, beyond = (pixels[step:].take(corner, axis=0) for step in (0, 1, across, across + 1))
    upper, lower = (_between(a, b, column_share[..., None]) for a, b in ((here, right), (below, beyond)))
    return _between(upper, lower, row_share[..., None])


def _cells(offset: Array, side: int) -> tuple[Array, Array]:
    """The cell of the framed image that a distance from the centre falls into, and the share within it."""
    place = np.clip(offset + ((side - 1) / 2 + 1), 0, side + 1)
    cell = np.floor(place)
    return cell.astype(np.intp), place - cell


def _between(a: Array, b: Array, share: Array) -> Array:
    """A + share (b - a), in the memory of b."""
    b -= a
    b *= share
    b += a
    return b


class Linear(Augmentation):
    """A random linear map about an image's centre. Neighbours in a list are one map, sampled once."""

    fill: float = Field(0.0, description="The value beyond the border, in the units of the image.")

    def maps(self, n: int, random: Generator) -> Array:
        """Where each of n images is looked up: the matrices M (n, 2, 2) of `resample`."""
        raise NotImplementedError

    def change(self, x: Array, random: Generator) -> Array:
        return resample(x, self.maps(len(x), random), self.fill)


class Rotate(Linear):
    """Turn an image about its centre.

        Y[p] = X[centre + R (p - centre)],    R = (cos a, -sin a; sin a, cos a),    a uniform on [-degrees, degrees]

    by bilinear interpolation; `fill` beyond the border. Source: Simard, Steinkraus and Platt, "Best
    practices for convolutional neural networks applied to visual document analysis", ICDAR 2003.

    ```yaml
    {type: rotate, degrees: 10}
    ```
    """

    type: Literal["rotate"] = "rotate"
    degrees: float = Field(10.0, ge=0, le=180, description="The largest angle, in either direction.")

    def maps(self, n: int, random: Generator) -> Array:
        angle = np.deg2rad(random.uniform(-self.degrees, self.degrees, n))
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)


class Scale(Linear):
    """Enlarge or shrink an image about its centre, to the same number of pixels.

        Y[p] = X[centre + (p - centre) / s],    log s uniform on [log low, log high]

    by bilinear interpolation; `fill` beyond the border. Uniform in the logarithm, twice as large is as
    likely as half. Source: Simard, Steinkraus and Platt, "Best practices for convolutional neural networks
    applied to visual document analysis", ICDAR 2003.

    ```yaml
    {type: scale, range: [0.9, 1.1]}
    ```
    """

    type: Literal["scale"] = "scale"
    range: Range = Field((0.9, 1.1), description="The smallest and the largest factor; above 1 enlarges.")

    def maps(self, n: int, random: Generator) -> Array:
        low, high = np.log(self.range)
        factor: Array = np.exp(random.uniform(low, high, n))
        return np.eye(2) / factor[:, None, None]
