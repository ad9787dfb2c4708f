"""The three products every convolution is made of, over any number of axes.

With x (batch, *lengths, channels), weights w (*kernel, groups, a, b) and z (batch, *counts, groups b),
where a window's inputs are the a channels of its group:

    correlate    z[n, o, g] = sum_k x[n, o stride + k dilation - before, g] . w[k, g]
    scatter      x[n, i, g] = sum of z[n, o, g] . w[k, g]^T over all (o, k) that meet at i      (its adjoint)
    outer        w[k, g]    = sum_{n, o} x[n, o stride + k dilation - before, g]^T z[n, o, g]

`gather` copies the windows side by side ("im2col"), so that `correlate` and `outer` are one large product
each; `scatter` adds one product a position k of the windows, which needs as many times less memory than its
columns would. Where each channel is a group with one filter, nothing is summed over channels, and a matrix
product would have one column: `correlate_each`, `scatter_each` and `outer_each` take one product of whole
arrays, value by value, for each k, over z (batch, *counts, channels) and w (*kernel, channels).

Sources: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
processing", 2006; the arithmetic: Dumoulin and Visin, "A guide to convolution arithmetic for deep
learning", arXiv:1603.07285 (2016); a filter for each channel: Sifre, "Rigid-motion scattering for image
classification", 2014; Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017.
"""

from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array, Shape
from nnctl.engine.slot import Slot
from nnctl.layers.windows import Grid

ALL = slice(None)
#: Up to this many channels a group, columns are kept one position after the other: the windows' rows of
#: channels are then too short to copy well, and the images' rows are not. For one channel that is four
#: times as quick, for four it is even.
FEW_CHANNELS = 3


class Meeting(NamedTuple):
    """Position k of the windows, and the inputs and outputs that meet there, as indices into x and z."""

    k: Shape
    inputs: tuple[slice, ...]
    outputs: tuple[slice, ...]


@lru_cache(maxsize=1024)
def meetings(grid: Grid) -> tuple[Meeting, ...]:
    """All positions of the windows at which anything meets: the taps of each axis with those of the others."""
    return tuple(
        Meeting(
            tuple(tap.k for tap in taps), (ALL, *(tap.inputs for tap in taps)), (ALL, *(tap.outputs for tap in taps))
        )
        for taps in product(*(axis.taps for axis in grid))
    )


def gather(x: Array, grid: Grid, groups: int, slot: Slot) -> Array:
    """The windows of x as rows, (groups, batch *counts, *kernel a); x itself where windows are single values."""
    if all(axis.whole for axis in grid):
        return by_group(x, groups)
    x = _padded(x, grid, slot)
    (sn, *steps, sc), n, a = x.strides, len(grid), x.shape[-1] // groups
    windows = as_strided(
        x,
        (groups, len(x), *(axis.count for axis in grid), *(axis.kernel for axis in grid), a),
        (
            a * sc,
            sn,
            *(axis.stride * step for axis, step in zip(grid, steps, strict=True)),
            *(axis.dilation * step for axis, step in zip(grid, steps, strict=True)),
            sc,
        ),
        writeable=False,
    )
    order = list(range(windows.ndim))
    if a <= FEW_CHANNELS:  # the windows' own axes before those of batch and outputs
        order = [0, *order[n + 2 :], *order[1 : n + 2]]
    memory = slot.buffer("columns", (windows.size,)).reshape([windows.shape[i] for i in order])
    columns = memory.transpose(np.argsort(order))
    np.copyto(columns, windows)
    return columns.reshape(groups, prod(windows.shape[1 : n + 2]), -1)  # a view in either order


def _padded(x: Array, grid: Grid, slot: Slot) -> Array:
    """Put zeros around x, where windows hang over."""
    if not any(axis.before or axis.after for axis in grid):
        return x
    lengths = (axis.before + axis.length + axis.after for axis in grid)
    padded = slot.buffer("padded", (len(x), *lengths, x.shape[-1]))
    inside: list[slice] = [ALL]
    for axis in grid:
        across = (ALL,) * len(inside)
        padded[*across, : axis.before] = 0
        padded[*across, axis.before + axis.length :] = 0
        inside.append(slice(axis.before, axis.before + axis.length))
    padded[tuple(inside)] = x
    return padded


def correlate(columns: Array, w: Array, out: Array) -> None:
    """Fill out (batch, *counts, groups b) with the windows' products with the weights."""
    groups, _, b = w.shape[-3:]
    np.matmul(columns, groups_first(w).reshape(groups, -1, b), out=by_group(out, groups))


def scatter(z: Array, w: Array, grid: Grid, out: Array, slot: Slot) -> None:
    """Fill out (batch, *lengths, groups a) with what z gives back to every input."""
    groups, a = w.shape[-3:-1]
    rows, w = by_group(z, groups), w.swapaxes(-2, -1)
    if all(axis.whole for axis in grid):
        np.matmul(rows, w[(0,) * len(grid)], out=by_group(out, groups))
        return
    part = slot.buffer("part", (*z.shape[:-1], groups * a))
    out[...] = 0
    for meeting in meetings(grid):
        np.matmul(rows, w[meeting.k], out=by_group(part, groups))
        add_meeting(out, part, meeting)


@compilable
def add_meeting(out: Array, part: Array, meeting: Meeting) -> None:
    """Add what outputs give back to the inputs they meet."""
    out[meeting.inputs] += part[meeting.outputs]


def outer(columns: Array, z: Array, out: Array) -> None:
    """Fill out (*kernel, groups, a, b) with the weights' gradient."""
    product = np.matmul(columns.transpose(0, 2, 1), by_group(z, out.shape[-3]))  # (groups, *kernel a, b)
    gradient = groups_first(out)
    gradient[...] = product.reshape(gradient.shape)


def correlate_each(x: Array, w: Array, grid: Grid, out: Array, slot: Slot) -> None:
    """Fill out with the sum over k of the inputs there times the weights there."""
    part = slot.buffer("part", out.shape)
    out[...] = 0
    for k, inputs, outputs in meetings(grid):
        out[outputs] += np.multiply(x[inputs], w[k], out=part[outputs])


def scatter_each(z: Array, w: Array, grid: Grid, out: Array, slot: Slot) -> None:
    """Fill out (batch, *lengths, channels) with what z gives back to every input."""
    part = slot.buffer("part", z.shape)
    out[...] = 0
    for k, inputs, outputs in meetings(grid):
        out[inputs] += np.multiply(z[outputs], w[k], out=part[outputs])


def outer_each(x: Array, z: Array, grid: Grid, out: Array) -> None:
    """Fill out (*kernel, channels) with the weights' gradient."""
    positions = "ijk"[: len(grid)]
    out[...] = 0  # also where k meets only padding
    for k, inputs, outputs in meetings(grid):
        np.einsum(f"n{positions}c,n{positions}c->c", x[inputs], z[outputs], out=out[k])


@compilable
def add_bias(z: Array, b: Array) -> None:
    """Add b to every position of z, a row of positions at a time: one of channels is too short to be quick."""
    rows = z.reshape(-1, z.shape[-2] * z.shape[-1])
    rows += np.tile(b, z.shape[-2])


def sum_positions(z: Array, out: Array) -> None:
    """The sum over all but the channels, as a product with ones: several times as quick as `np.sum`."""
    rows = z.reshape(-1, z.shape[-1])
    np.matmul(np.ones(len(rows), z.dtype), rows, out=out)


def groups_first(w: Array) -> Array:
    """Weights (*kernel, groups, a, b) as (groups, *kernel, a, b); a view."""
    n = w.ndim - 3
    return w.transpose(n, *range(n), n + 1, n + 2)


def by_group(z: Array, groups: int) -> Array:
    """(batch, *positions, channels) as (groups, batch *positions, channels of a group)."""
    return z.reshape(-1, groups, z.shape[-1] // groups).transpose(1, 0, 2)
