"""One pass of pooling along one axis, and its backward pass: the maxima or the sums of windows."""

from math import prod
from typing import NamedTuple

import numpy as np

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array, Shape
from nnctl.engine.slot import Slot
from nnctl.layers.windows import Grid, Windows


class Sweep(NamedTuple):
    """Windows along the middle axis of data (outer, length, inner); `name` is that of its buffers."""

    windows: Windows
    outer: int
    inner: int
    name: str

    @property
    def before(self) -> Shape:
        """The shape of what the windows lie over."""
        return self.outer, self.windows.length, self.inner

    @property
    def after(self) -> Shape:
        """The shape of what comes out."""
        return self.outer, self.windows.count, self.inner


def sweeps(shape: Shape, grid: Grid) -> list[Sweep]:
    """The passes over data of a shape (batch, ...): along the last axis, then along the one before, and so on."""
    passes, inner = [], shape[-1]
    for i in reversed(range(len(grid))):
        passes.append(Sweep(grid[i], prod(shape[: i + 1]), inner, f"axis {i + 1}"))
        inner *= grid[i].count
    return passes


@compilable
def sweep_maximum(x: Array, sweep: Sweep, slot: Slot) -> tuple[Array, Array]:
    """The maximum of each window, and the first position in the window that has it."""
    x, windows = x.reshape(sweep.before), sweep.windows
    counts = np.min_scalar_type(windows.kernel - 1)
    winner = slot.buffer(f"{sweep.name} winner", sweep.after, counts)
    winner[...] = 0
    if windows.whole:
        return x, winner
    y = slot.buffer(f"{sweep.name} y", sweep.after)
    better = slot.buffer(f"{sweep.name} better", sweep.after, counts)
    best, taps = y, windows.taps
    if windows.overhangs:
        y[...] = -np.inf
    else:  # every tap meets every window, so the first is the best so far, and need not be copied
        best, taps = x[:, taps[0].inputs], taps[1:]
    for k, inputs, outputs in taps:
        challenger, improved = x[:, inputs], better[:, outputs]
        np.greater(challenger, best[:, outputs], out=improved)
        np.maximum(challenger, best[:, outputs], out=y[:, outputs])
        improved *= counts.type(k)
        np.maximum(winner[:, outputs], improved, out=winner[:, outputs])  # k rises: the latest to improve
        best = y
    return best, winner


@compilable
def spread_maximum(dy: Array, winner: Array, sweep: Sweep, slot: Slot) -> Array:
    """Give each window's gradient to the input that was its maximum."""
    dy, windows = dy.reshape(sweep.after), sweep.windows
    if windows.whole:
        return dy
    dx = slot.buffer(f"{sweep.name} dx", sweep.before)
    hit = slot.buffer(f"{sweep.name} hit", sweep.after, np.bool_)
    if not windows.tiles:
        dx[...] = 0
    for k, inputs, outputs in windows.taps:
        np.equal(winner, k, out=hit)
        if windows.disjoint:
            np.multiply(dy[:, outputs], hit[:, outputs], out=dx[:, inputs])
        else:
            part = np.multiply(dy, hit, out=slot.buffer(f"{sweep.name} part", sweep.after))
            dx[:, inputs] += part[:, outputs]
    return dx


def sweep_sum(x: Array, sweep: Sweep, slot: Slot) -> Array:
    """The sum of each window."""
    x = x.reshape(sweep.before)
    if sweep.windows.whole:
        return x
    y = slot.buffer(f"{sweep.name} y", sweep.after)
    y[...] = 0
    for _, inputs, outputs in sweep.windows.taps:
        y[:, outputs] += x[:, inputs]
    return y


def spread_sum(dy: Array, sweep: Sweep, slot: Slot) -> Array:
    """Give each window's gradient to all of its inputs."""
    dy = dy.reshape(sweep.after)
    if sweep.windows.whole:
        return dy
    dx = slot.buffer(f"{sweep.name} dx", sweep.before)
    dx[...] = 0
    for _, inputs, outputs in sweep.windows.taps:
        dx[:, inputs] += dy[:, outputs]
    return dx
