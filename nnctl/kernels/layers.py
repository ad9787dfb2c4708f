"""What layers do value by value: rectifiers, bias, the maxima of windows, and adding up where windows overlap.

Arrays that do not lie in one piece are left to the NumPy forms.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from nnctl.activations.rectifiers import Relu
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.kernels._numba import loop
from nnctl.layers import correlation, sweep
from nnctl.layers.correlation import Meeting
from nnctl.layers.sweep import Sweep
from nnctl.layers.windows import Windows


@loop
def _rectify(x: Array, out: Array, zero: Any) -> None:
    for i in range(x.size):
        out[i] = x[i] if (x[i] > zero) | (x[i] != x[i]) else zero


def relu_forward(self: Relu, x: Array, out: Array) -> None:
    """The positive part."""
    if x.flags.c_contiguous and out.flags.c_contiguous:
        _rectify(x.reshape(-1), out.reshape(-1), x.dtype.type(0))
    else:
        Relu.forward.__wrapped__(self, x, out)  # type: ignore[attr-defined]


@loop
def _masked(dy: Array, y: Array, out: Array, one: Any, zero: Any) -> None:
    for i in range(y.size):
        out[i] = dy[i] * (one if y[i] > zero else zero)


def relu_backward(self: Relu, dy: Array, x: Array, y: Array, out: Array) -> None:
    """The gradient where the output is positive."""
    if dy.flags.c_contiguous and y.flags.c_contiguous and out.flags.c_contiguous:
        number = y.dtype.type
        _masked(dy.reshape(-1), y.reshape(-1), out.reshape(-1), number(1), number(0))
    else:
        Relu.backward.__wrapped__(self, dy, x, y, out)  # type: ignore[attr-defined]


def taps_of(windows: Windows) -> Array:
    """Each tap as (k, first input, first output, outputs)."""
    rows = [(t.k, t.inputs.start, t.outputs.start, t.outputs.stop - t.outputs.start) for t in windows.taps]
    return np.array(rows, np.int64).reshape(-1, 4)


@loop
def _maximum(x: Array, taps: Array, numbers: Array, none: Any, stride: int, y: Array, winner: Array) -> None:
    for o in range(x.shape[0]):
        for tap in range(taps.shape[0]):
            _, start, first, count = taps[tap]
            k = numbers[tap]
            for w in range(count):
                i, j = start + w * stride, first + w
                for c in range(x.shape[2]):
                    challenger, best = x[o, i, c], y[o, j, c]
                    improved, latest = k if challenger > best else none, winner[o, j, c]
                    winner[o, j, c] = improved if improved > latest else latest
                    larger = challenger if challenger > best else best
                    y[o, j, c] = larger if challenger == challenger else challenger


def sweep_maximum(x: Array, swept: Sweep, slot: Slot) -> tuple[Array, Array]:
    """The maximum of each window, and its first position."""
    windows = swept.windows
    if windows.whole or not x.flags.c_contiguous:
        y, winner = sweep.sweep_maximum.__wrapped__(x, swept, slot)  # type: ignore[attr-defined]
        return y, winner
    winner = slot.buffer(f"{swept.name} winner", swept.after, np.min_scalar_type(windows.kernel - 1))
    winner[...] = 0
    x, y = x.reshape(swept.before), slot.buffer(f"{swept.name} y", swept.after)
    taps = taps_of(windows)
    if windows.overhangs:
        y[...] = -np.inf
    else:
        y[...] = x[:, windows.taps[0].inputs]
        taps = taps[1:]
    _maximum(x, taps, taps[:, 0].astype(winner.dtype), winner.dtype.type(0), windows.stride, y, winner)
    return y, winner


@loop
def _spread(dy: Array, winner: Array, taps: Array, stride: int, alone: bool, dx: Array, one: Any, zero: Any) -> None:
    for o in range(dx.shape[0]):
        for tap in range(taps.shape[0]):
            k, start, first, count = taps[tap]
            for w in range(count):
                i, j = start + w * stride, first + w
                if alone:
                    for c in range(dx.shape[2]):
                        dx[o, i, c] = dy[o, j, c] * (one if winner[o, j, c] == k else zero)
                else:
                    for c in range(dx.shape[2]):
                        dx[o, i, c] += dy[o, j, c] * (one if winner[o, j, c] == k else zero)


def spread_maximum(dy: Array, winner: Array, swept: Sweep, slot: Slot) -> Array:
    """Each window's gradient to the input that was its maximum."""
    windows = swept.windows
    if windows.whole or not dy.flags.c_contiguous:
        spread: Array = sweep.spread_maximum.__wrapped__(dy, winner, swept, slot)  # type: ignore[attr-defined]
        return spread
    dy, dx = dy.reshape(swept.after), slot.buffer(f"{swept.name} dx", swept.before)
    if not windows.tiles:
        dx[...] = 0
    number = dx.dtype.type
    _spread(dy, winner, taps_of(windows), windows.stride, windows.disjoint, dx, number(1), number(0))
    return dx


@loop
def _add_planes(out: Array, part: Array) -> None:
    for n in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for c in range(out.shape[3]):
                    out[n, i, j, c] += part[n, i, j, c]


def add_meeting(out: Array, part: Array, meeting: Meeting) -> None:
    """Add what outputs give back to the inputs they meet."""
    if out.ndim == 4:
        _add_planes(out[meeting.inputs], part[meeting.outputs])
    else:
        correlation.add_meeting.__wrapped__(out, part, meeting)  # type: ignore[attr-defined]


@loop
def _add_row(rows: Array, b: Array) -> None:
    for n in range(rows.shape[0]):
        for c in range(rows.shape[1]):
            rows[n, c] += b[c]


def add_bias(z: Array, b: Array) -> None:
    """Add b to every position."""
    _add_row(z.reshape(-1, z.shape[-1]), b)


KERNELS: dict[Callable[..., Any], Callable[..., Any]] = {
    Relu.forward: relu_forward,
    Relu.backward: relu_backward,
    sweep.sweep_maximum: sweep_maximum,
    sweep.spread_maximum: spread_maximum,
    correlation.add_meeting: add_meeting,
    correlation.add_bias: add_bias,
}
