"""Padding with the input's own values: mirrored at its ends, or its ends repeated.

Along an axis of n values, the value put at i < 0 or i >= n is that of

    reflect      -i            or  2 (n - 1) - i
    replicate    0             or  n - 1

Axis after axis, so that corners are filled from what the axis before has filled. The adjoint goes back the same
way: it adds the gradient of each value put to that of the value it was taken from, the last axis first.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers.windows import Grid, Windows

Mode = Literal["zeros", "reflect", "replicate"]


def padded(x: Array, grid: Grid, mode: Mode, slot: Slot) -> Array:
    """X with the padding of the grid around it."""
    lengths = (axis.before + axis.length + axis.after for axis in grid)
    y = slot.buffer("around", (len(x), *lengths, x.shape[-1]))
    y[_inside(grid)] = x
    for to, source in _places(grid, mode):
        y[to] = y[source]
    return y


def folded(dy: Array, grid: Grid, mode: Mode) -> Array:
    """What `padded` gives back to x; changes dy."""
    for to, source in reversed(list(_places(grid, mode))):
        dy[source] += dy[to]
    return dy[_inside(grid)]


def without_padding(grid: Grid) -> Grid:
    """The windows over what is padded already."""
    return tuple(replace(axis, length=axis.before + axis.length + axis.after, before=0, after=0) for axis in grid)


def check_margins(grid: Grid, mode: Mode) -> None:
    """Raise ConfigError where there is too little to mirror."""
    for axis in grid:
        if mode == "reflect" and max(axis.before, axis.after) >= axis.length:
            raise ConfigError(
                f"padding {max(axis.before, axis.after)} cannot mirror an input of {axis.length}; "
                "use less, or `padding_mode: replicate`",
                "padding",
            )


def _inside(grid: Grid) -> tuple[slice, ...]:
    return (slice(None), *(slice(axis.before, axis.before + axis.length) for axis in grid))


def _places(grid: Grid, mode: Mode) -> Iterator[tuple[tuple[slice | int, ...], tuple[slice | int, ...]]]:
    """Where a value is put and where it is taken from, for every place of the padding of every axis."""
    for number, axis in enumerate(grid):
        across = (slice(None),) * (number + 1)
        for i in (*range(-axis.before, 0), *range(axis.length, axis.length + axis.after)):
            yield (*across, axis.before + i), (*across, axis.before + _source(i, axis, mode))


def _source(i: int, axis: Windows, mode: Mode) -> int:
    if mode == "reflect":
        return -i if i < 0 else 2 * (axis.length - 1) - i
    return 0 if i < 0 else axis.length - 1
