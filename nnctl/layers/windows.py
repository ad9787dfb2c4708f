"""How windows lie along an axis: the geometry that convolution, pooling and their gradients share.

Along an axis of `length` values, output o and position k of a window meet at input

    i = o stride + k dilation - before            0 <= k < kernel

and where i lies outside, the window hangs over the padding. A *tap* is everything that happens at one k:
the inputs i and the outputs o that meet there, as two slices of equal length. A sum over windows is a loop
over a few taps, each a whole-array operation; its adjoint is the same loop with the slices changed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from nnctl.engine.graph import Signal
from nnctl.engine.parameters import Array, Shape
from nnctl.engine.sequences import steps_of
from nnctl.errors import ConfigError
from nnctl.spec import Listed

#: What the axes of positions are called, where there are so many.
AXES = {1: ("length",), 2: ("height", "width")}
Count = Annotated[int, Field(gt=0)]
Margin = Annotated[int, Field(ge=0)]
#: One number for both axes, or (height, width).
Counts = Count | Annotated[tuple[Count, Count], Listed]
Margins = Annotated[tuple[Margin, Margin], Listed]
AxisPadding = Literal["same", "valid"] | int | tuple[int, int]
Padding1d = Literal["same", "valid"] | Margin | Margins
Padding2d = Literal["same", "valid"] | Margin | Margins | Annotated[tuple[Margins, Margins], Listed]


class Tap(NamedTuple):
    """Position k of the windows: the inputs and the outputs that meet there."""

    k: int
    inputs: slice
    outputs: slice


@dataclass(frozen=True)
class Windows:
    """Windows along one axis; `before` and `after` are the padding at its ends.

    The last window may hang over the padding by `beyond`, where a part of a window counts as one.
    """

    length: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    beyond: int = 0

    @property
    def extent(self) -> int:
        """How far a window reaches, holes included."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def count(self) -> int:
        """The number of windows, which is the length of the output."""
        return (self.length + self.before + self.after + self.beyond - self.extent) // self.stride + 1

    @property
    def overhangs(self) -> bool:
        """Whether some windows may reach over the ends of the input."""
        return bool(self.before or self.after or self.beyond)

    @property
    def whole(self) -> bool:
        """Whether the windows are single values, one at each: nothing to gather."""
        return self.extent == self.stride == 1 and not self.overhangs

    @property
    def disjoint(self) -> bool:
        """Whether no input is in two windows."""
        return self.stride >= self.extent

    @property
    def tiles(self) -> bool:
        """Whether every input is in exactly one window."""
        return self.disjoint and sum(self.inside) == self.length

    @cached_property
    def taps(self) -> tuple[Tap, ...]:
        """The taps at which any inputs and outputs meet."""
        return tuple(self._taps())

    @cached_property
    def inside(self) -> list[int]:
        """How many values of each window are inputs, not padding."""
        return self.within(0, self.length)

    def within(self, start: int, stop: int) -> list[int]:
        """How many values of each window lie between two places, counted from the first input."""
        return [
            sum(start <= o * self.stride + k * self.dilation - self.before < stop for k in range(self.kernel))
            for o in range(self.count)
        ]

    def _taps(self) -> Iterator[Tap]:
        for k in range(self.kernel):
            offset = k * self.dilation - self.before
            first = max(0, -(offset // self.stride))  # the first o with o stride + offset >= 0
            last = min(self.count - 1, (self.length - 1 - offset) // self.stride)
            if first <= last:
                start, stop = first * self.stride + offset, last * self.stride + offset + 1
                yield Tap(k, slice(start, stop, self.stride), slice(first, last + 1))


#: The windows along each axis.
Grid = tuple[Windows, ...]


@dataclass(frozen=True)
class Sliding:
    """How a layer's windows slide along an axis, whatever its length.

    Padding `same` gives ceil(length / stride) outputs, with the odd value of padding at the end, as in
    TensorFlow (and in PyTorch, which has it for stride 1 only). With `ceil`, a window that only begins inside
    counts too: its rest hangs over the end.
    """

    kernel: int
    stride: int = 1
    padding: AxisPadding = "valid"
    dilation: int = 1
    ceil: bool = False

    def over(self, length: int, axis: str) -> Windows:
        """The windows over an input of this length; ConfigError where not even one fits."""
        windows = _over(self, length)
        if windows.count < 1:
            padding = windows.before + windows.after
            raise ConfigError(
                f"a window of {windows.extent} does not fit the {axis} of its input, {length}"
                + (f" with {padding} of padding" if padding else "")
                + "; use a smaller window, `padding: same`, or less pooling before it"
            )
        return windows

    def counts(self, lengths: Array) -> Array:
        """How many windows lie over each of the sequences with lengths (batch,).

        There is none over a sequence without steps, nor over one that is too short for a window.
        """
        different, which = np.unique(lengths, return_inverse=True)
        counts = [max(0, _over(self, int(n)).count) if n else 0 for n in different]
        return np.array(counts, np.int64)[which]

    def steps(self, lengths: Array) -> Array:
        """The steps that each window over sequences holds, (windows, kernel), counted over the whole batch.

        -1 stands for what lies outside of the window's own sequence.
        """
        which, first = self._laid(lengths)
        i = first[:, None] + self.dilation * np.arange(self.kernel)  # (windows, kernel)
        inside = (i >= 0) & (i < lengths[which, None])
        return np.where(inside, i + (np.cumsum(lengths) - lengths)[which, None], -1)

    def sizes(self, lengths: Array) -> Array:
        """How many values, of steps and of padding, each window over sequences holds (windows,)."""
        which, first = self._laid(lengths)
        ends = np.array([int(n) + self._margins(int(n))[1] for n in lengths], np.int64)
        return np.minimum(self.kernel, -(-(ends[which] - first) // self.dilation))

    def _laid(self, lengths: Array) -> tuple[Array, Array]:
        """Whose each window over sequences is, and at which of its steps it begins, below 0 in the padding."""
        counts = self.counts(lengths)
        before = np.array([self._margins(int(n))[0] for n in lengths], np.int64)
        which = np.repeat(np.arange(len(lengths)), counts)  # (windows,)
        return which, steps_of(0 * counts, counts) * self.stride - before[which]

    def signal(self, name: str, given: Signal) -> Signal:
        """What sequences become that have a step for each window; `name` decides their lengths where these change."""
        before, after = self._margins(1)
        if self.stride == 1 and before + after == (self.kernel - 1) * self.dilation:
            return given
        return replace(given, steps=max(1, _over(self, given.steps).count), clock=name)

    def under(self, count: int, extra: int, axis: str) -> Windows:
        """The windows, `count` of them, over the output of a transposed convolution.

        Of the `stride` lengths that have this many windows, it is the shortest plus `extra`; `same` has
        count * stride.
        """
        if self.padding == "same":
            return self.over(count * self.stride, axis)
        extent, (before, after) = (self.kernel - 1) * self.dilation + 1, self._margins(0)
        length = (count - 1) * self.stride + extent - before - after + extra
        if length < 1:
            raise ConfigError(f"padding {before} and {after} leaves nothing of the {axis}; use less", "padding")
        return self.over(length, axis)

    def _margins(self, length: int) -> tuple[int, int]:
        """The padding before and after."""
        if self.padding == "same":
            extent = (self.kernel - 1) * self.dilation + 1
            total = max(0, (-(-length // self.stride) - 1) * self.stride + extent - length)
            return total // 2, total - total // 2
        if self.padding == "valid":
            return 0, 0
        return both(self.padding)


def spread_steps(part: Array, steps: Array, dx: Array) -> None:
    """Add to each step what one position of the windows gives it: part (windows, ...), and steps (windows,) or -1.

    At one position no two windows hold the same step.
    """
    inside = steps >= 0
    dx[steps[inside]] += part[inside]


def with_outside(x: Array) -> Array:
    """The steps of sequences and, as the last, -1, what lies outside of them: zeros."""
    return np.concatenate([x, np.zeros((1, *x.shape[1:]), x.dtype)])


@lru_cache(maxsize=1024)
def _over(sliding: Sliding, length: int) -> Windows:
    before, after = sliding._margins(length)
    windows = Windows(length, sliding.kernel, sliding.stride, sliding.dilation, before, after)
    if sliding.ceil:
        begun = -(-(length + before + after - windows.extent) // sliding.stride)  # the last window, counted from 0
        begun = min(begun, (length + before - 1) // sliding.stride)  # one that begins after the input holds nothing
        beyond = begun * sliding.stride + windows.extent - (length + before + after)
        windows = replace(windows, beyond=max(0, beyond))
    return windows


def check_axes(axes: int, shape: Shape) -> None:
    """Raise ConfigError for inputs without so many axes of positions and one of channels."""
    if len(shape) != axes + 1:
        hint = f"; `- reshape: {[*shape, 1]}` before it makes them one channel" if len(shape) == axes else ""
        raise ConfigError(f"takes inputs of shape ({', '.join(AXES[axes])}, channels), and finds {shape}{hint}")


def both(value: int | tuple[int, int]) -> tuple[int, int]:
    """A number for two sides or axes, or one for each."""
    return value if isinstance(value, tuple) else (value, value)


def both_paddings(padding: AxisPadding | tuple[tuple[int, int], tuple[int, int]]) -> tuple[AxisPadding, AxisPadding]:
    """The padding of the height and of the width; a pair is one number for each."""
    return padding if isinstance(padding, tuple) else (padding, padding)
