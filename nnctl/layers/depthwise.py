"""The three products of `correlation` where each channel is a group with one filter.

Nothing is summed over channels then, so that a matrix product would have one column. Here each tap is one
product of whole arrays, value by value, over z (batch, oh, ow, channels) and w (kh, kw, channels).

Source: Sifre, "Rigid-motion scattering for image classification", 2014; Chollet, "Xception: deep learning
with depthwise separable convolutions", CVPR 2017.
"""

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.layers.correlation import Grid


def correlate_each(x: Array, w: Array, grid: Grid, out: Array, slot: Slot) -> None:
    """Fill out with the sum over taps of the inputs there times the weights there."""
    part = slot.buffer("part", out.shape)
    out[...] = 0
    for i in grid[0].taps:
        for j in grid[1].taps:
            product = part[:, i.outputs, j.outputs]
            np.multiply(x[:, i.inputs, j.inputs], w[i.k, j.k], out=product)
            out[:, i.outputs, j.outputs] += product


def scatter_each(z: Array, w: Array, grid: Grid, out: Array, slot: Slot) -> None:
    """Fill out (batch, height, width, channels) with what z gives back to every input."""
    part = slot.buffer("part", z.shape)
    out[...] = 0
    for i in grid[0].taps:
        for j in grid[1].taps:
            product = part[:, i.outputs, j.outputs]
            np.multiply(z[:, i.outputs, j.outputs], w[i.k, j.k], out=product)
            out[:, i.inputs, j.inputs] += product


def outer_each(x: Array, z: Array, grid: Grid, out: Array) -> None:
    """Fill out (kh, kw, channels) with the weights' gradient."""
    out[...] = 0  # also where a tap meets only padding
    for i in grid[0].taps:
        for j in grid[1].taps:
            inputs, outputs = x[:, i.inputs, j.inputs], z[:, i.outputs, j.outputs]
            np.einsum("nhwc,nhwc->c", inputs, outputs, out=out[i.k, j.k])
