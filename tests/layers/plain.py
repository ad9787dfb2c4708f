"""Convolution and pooling as their definitions read: one multiplication at a time, on zero-padded images."""

from collections.abc import Iterator
from itertools import product
from math import ceil
from typing import Any

import numpy as np

from nnctl.engine.parameters import Array

#: Kernel, stride, dilation and padding, each of two axes.
Geometry = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[tuple[int, int], tuple[int, int]]]


def amounts(
    padding: str | int | tuple[int, int], length: int, kernel: int, stride: int, dilation: int
) -> tuple[int, int]:
    """The padding before and after one axis; `same` has ceil(length / stride) outputs, the odd one at the end."""
    if padding == "same":
        missing = max((ceil(length / stride) - 1) * stride + dilation * (kernel - 1) + 1 - length, 0)
        return missing // 2, missing - missing // 2
    if padding == "valid":
        return 0, 0
    return padding if isinstance(padding, tuple) else (int(padding), int(padding))


def count(
    length: int, kernel: int, stride: int, dilation: int, margins: tuple[int, int], *, ceil_mode: bool = False
) -> int:
    """The number of windows, found by laying one after the other; in ceil mode until one reaches the end."""
    n, start, end = 0, 0, length + sum(margins)
    while start + dilation * (kernel - 1) < end:
        n, start = n + 1, start + stride
    reached = start - stride + dilation * (kernel - 1) == end - 1
    return n + (ceil_mode and not reached and start < length + margins[0])


def windows(
    shape: Any, kernel: Any, stride: Any, dilation: Any, margins: Any, *, ceil_mode: bool = False
) -> Iterator[tuple[tuple[int, int], tuple[int, int], tuple[int, int] | None]]:
    """((o, q), (k, l), (i, j)) for every output, every place in the window, and the input there if one is.

    Places beyond the padding are none.
    """
    axes = zip(shape, kernel, stride, dilation, margins, strict=True)
    counts = [count(*axis, ceil_mode=ceil_mode) for axis in axes]
    for o, q in product(*map(range, counts)):
        for k, m in product(*map(range, kernel)):
            i = o * stride[0] + k * dilation[0] - margins[0][0]
            j = q * stride[1] + m * dilation[1] - margins[1][0]
            if i >= shape[0] + margins[0][1] or j >= shape[1] + margins[1][1]:
                continue
            yield (o, q), (k, m), ((i, j) if 0 <= i < shape[0] and 0 <= j < shape[1] else None)


def convolution(
    x: Array,
    w: Array,
    b: Array,
    dy: Array,
    groups: int,
    geometry: Geometry,
) -> tuple[Array, Array, Array, Array]:
    """y, dx, dw and db of images x (batch, height, width, channels) and filters w (kh, kw, inputs, filters)."""
    inputs, filters = w.shape[2:]
    y = np.zeros(dy.shape)
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for (o, q), (k, m), place in windows(x.shape[1:3], *geometry):
        if place is None:
            continue
        i, j = place
        for n, f, c in product(range(len(x)), range(filters), range(inputs)):
            channel = f // (filters // groups) * inputs + c
            y[n, o, q, f] += x[n, i, j, channel] * w[k, m, c, f]
            dx[n, i, j, channel] += dy[n, o, q, f] * w[k, m, c, f]
            dw[k, m, c, f] += dy[n, o, q, f] * x[n, i, j, channel]
    return y + b, dx, dw, dy.sum(axis=(0, 1, 2))


def pool(
    x: Array,
    dy: Array,
    geometry: Geometry,
    kind: str,
    *,
    ceil_mode: bool = False,
) -> tuple[Array, Array]:
    """y and dx of pooling; `kind` is max, mean, or zeros (the mean with padding counted)."""
    seen: dict[tuple[int, int], list[tuple[int, int] | None]] = {}
    for at, _, place in windows(x.shape[1:3], *geometry, ceil_mode=ceil_mode):
        seen.setdefault(at, []).append(place)
    y, dx = np.zeros(dy.shape), np.zeros(x.shape)
    for ((o, q), places), n, c in product(seen.items(), range(len(x)), range(x.shape[-1])):
        inside = [place for place in places if place]
        values = [x[n, i, j, c] for i, j in inside]
        if kind == "max":
            y[n, o, q, c] = max(values)
            winner = inside[values.index(max(values))]  # the first
            dx[n, *winner, c] += dy[n, o, q, c]
        else:
            total = len(inside) if kind == "mean" else len(places)
            y[n, o, q, c] = sum(values) / total
            for i, j in inside:
                dx[n, i, j, c] += dy[n, o, q, c] / total
    return y, dx
