"""The three products every convolution is made of, by matrix products.

With x (batch, height, width, channels), weights w (kh, kw, groups, a, b) and z (batch, oh, ow, groups b),
where a window's inputs are the a channels of its group:

    correlate    z[n, o, g] = sum_k x[n, o stride + k dilation - before, g] . w[k, g]
    scatter      x[n, i, g] = sum of z[n, o, g] . w[k, g]^T over all (o, k) that meet at i      (its adjoint)
    outer        w[k, g]    = sum_{n, o} x[n, o stride + k dilation - before, g]^T z[n, o, g]

`gather` copies the windows side by side ("im2col"), so that `correlate` and `outer` are one large product
each; `scatter` adds one product a tap, which needs k^2 times less memory than its columns would.

Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
processing", 2006; the arithmetic: Dumoulin and Visin, "A guide to convolution arithmetic for deep
learning", arXiv:1603.07285 (2016).
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.layers.windows import Windows

Grid = tuple[Windows, Windows]
#: Up to this many channels a group, columns are kept one tap after the other: the windows' rows of
#: channels are then too short to copy well, and the images' rows are not. For one channel that is four
#: times as quick, for four it is even.
FEW_CHANNELS = 3


def gather(x: Array, grid: Grid, groups: int, slot: Slot) -> Array:
    """The windows of x as rows, (groups, batch oh ow, kh kw a); x itself where windows are single values."""
    batch, channels = len(x), x.shape[-1]
    if all(axis.whole for axis in grid):
        return x.reshape(-1, groups, channels // groups).transpose(1, 0, 2)
    x = _padded(x, grid, slot)
    (sn, sh, sw, sc), (h, w), a = x.strides, grid, channels // groups
    windows = as_strided(
        x,
        (groups, batch, h.count, w.count, h.kernel, w.kernel, a),
        (a * sc, sn, h.stride * sh, w.stride * sw, h.dilation * sh, w.dilation * sw, sc),
        writeable=False,
    )
    order = (0, 4, 5, 6, 1, 2, 3) if a <= FEW_CHANNELS else range(7)
    memory = slot.buffer("columns", (windows.size,)).reshape([windows.shape[i] for i in order])
    columns = memory.transpose(np.argsort(order))
    np.copyto(columns, windows)
    return columns.reshape(groups, batch * h.count * w.count, -1)  # a view in either order


def _padded(x: Array, grid: Grid, slot: Slot) -> Array:
    """Put zeros around x, where windows hang over."""
    (top, bottom), (left, right) = ((axis.before, axis.after) for axis in grid)
    if not (top or bottom or left or right):
        return x
    batch, height, width, channels = x.shape
    padded = slot.buffer("padded", (batch, top + height + bottom, left + width + right, channels))
    for border in (padded[:, :top], padded[:, top + height :], padded[:, :, :left], padded[:, :, left + width :]):
        border[...] = 0
    padded[:, top : top + height, left : left + width] = x
    return padded


def correlate(columns: Array, w: Array, out: Array) -> None:
    """Fill out (batch, oh, ow, groups b) with the windows' products with the weights."""
    kh, kw, groups, a, b = w.shape
    np.matmul(columns, w.transpose(2, 0, 1, 3, 4).reshape(groups, kh * kw * a, b), out=_by_group(out, groups))


def scatter(z: Array, w: Array, grid: Grid, out: Array, slot: Slot) -> None:
    """Fill out (batch, height, width, groups a) with what z gives back to every input."""
    groups, a = w.shape[2:4]
    rows = _by_group(z, groups)
    if all(axis.whole for axis in grid):
        np.matmul(rows, w[0, 0].transpose(0, 2, 1), out=_by_group(out, groups))
        return
    part = slot.buffer("part", (*z.shape[:3], groups * a))
    out[...] = 0
    for i in grid[0].taps:
        for j in grid[1].taps:
            np.matmul(rows, w[i.k, j.k].transpose(0, 2, 1), out=_by_group(part, groups))
            out[:, i.inputs, j.inputs] += part[:, i.outputs, j.outputs]


def outer(columns: Array, z: Array, out: Array) -> None:
    """Fill out (kh, kw, groups, a, b) with the weights' gradient."""
    kh, kw, groups, a, b = out.shape
    product = np.matmul(columns.transpose(0, 2, 1), _by_group(z, groups))  # (groups, kh kw a, b)
    out[...] = product.reshape(groups, kh, kw, a, b).transpose(1, 2, 0, 3, 4)


def add_bias(z: Array, b: Array) -> None:
    """Add b to every position of z, a row of the image at a time: one of channels is too short to be quick."""
    rows = z.reshape(-1, z.shape[-2] * z.shape[-1])
    rows += np.tile(b, z.shape[-2])


def sum_positions(z: Array, out: Array) -> None:
    """The sum over all but the channels, as a product with ones: several times as quick as `np.sum`."""
    rows = z.reshape(-1, z.shape[-1])
    np.matmul(np.ones(len(rows), z.dtype), rows, out=out)


def _by_group(z: Array, groups: int) -> Array:
    """(batch, height, width, channels) as (groups, batch height width, channels of a group)."""
    return z.reshape(-1, groups, z.shape[-1] // groups).transpose(1, 0, 2)
