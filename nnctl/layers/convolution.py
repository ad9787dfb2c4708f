"""Convolution over one axis or two: filters that slide over their input.

`Filters` holds the settings, `Convolution` both passes; the products they are made of are in `correlation`,
and how windows lie along an axis is in `windows`.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.graph import Signal
from nnctl.engine.parameters import Array, Declarations, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers.correlation import (
    add_bias,
    by_group,
    correlate,
    correlate_each,
    gather,
    outer,
    outer_each,
    scatter,
    scatter_each,
    sum_positions,
)
from nnctl.layers.margins import Mode, check_margins, folded, padded, without_padding
from nnctl.layers.weighted import Weighted
from nnctl.layers.windows import (
    AXES,
    Count,
    Counts,
    Grid,
    Padding1d,
    Padding2d,
    Sliding,
    both,
    both_paddings,
    check_axes,
    spread_steps,
    with_outside,
)

PADDING = "Around the input: `same` for ceil(length / stride) outputs, `valid` for nothing, or how many on each side"


class Filters(Weighted):
    """Filters of channels, in groups, that slide along the axes there are; a bias a filter."""

    principal: ClassVar[str | None] = "filters"
    filters: int = Field(gt=0, description="Number of filters, which is the number of channels that come out.")
    groups: Count | Literal["channels"] = Field(
        1,
        description="Groups that inputs and filters are divided into, each filter seeing its own group's inputs; "
        "`channels` is a group for each input channel (depthwise).",
    )

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        """How the filters slide along each axis."""
        raise NotImplementedError

    @property
    def window(self) -> Shape:
        """The size of a filter along each axis."""
        return tuple(sliding.kernel for sliding in self.sliding)

    def grid(self, shape: Shape) -> Grid:
        """The windows along each axis, for inputs of a shape."""
        names = AXES[len(self.sliding)]
        return tuple(s.over(n, name) for s, n, name in zip(self.sliding, shape[:-1], names, strict=True))

    def groups_of(self, channels: int) -> int:
        """The number of groups."""
        return channels if self.groups == "channels" else self.groups

    def check(self, shape: Shape) -> None:
        """Raise ConfigError for inputs these filters cannot slide over."""
        check_axes(len(self.sliding), shape)
        self.check_groups(shape[-1])

    def check_groups(self, channels: int) -> None:
        """Raise ConfigError where channels or filters cannot be divided into the groups."""
        groups = self.groups_of(channels)
        if channels % groups or self.filters % groups:
            raise ConfigError(
                f"finds {channels} channels, {self.filters} filters and {groups} groups; "
                "channels and filters must both be multiples of `groups`",
                "groups",
            )

    def fans(self, channels: int) -> tuple[int, int]:
        """How many inputs feed a unit, and how many units an input."""
        groups, field = self.groups_of(channels), prod(self.window)
        return field * (channels // groups), field * self.filters // groups

    def parameters(self, shape: Shape) -> Declarations:
        channels = shape[-1]
        return self.tensors((*self.window, channels // self.groups_of(channels), self.filters), *self.fans(channels))

    def by_group(self, weight: Array, channels: int) -> Array:
        """Weights as (*window, groups, channels of a group, filters of a group); a view."""
        return weight.reshape(*weight.shape[:-1], self.groups_of(channels), -1).swapaxes(-3, -2)


class Filters1d(Filters):
    """Filters that slide along one axis."""

    axes: ClassVar[int | None] = 1
    kernel: Count = Field(3, description="Length of a filter.")
    stride: Count = Field(1, description="Steps between neighbouring windows.")
    padding: Padding1d = Field("same", description=f"{PADDING}; `[before, after]` where they differ.")
    dilation: Count = Field(1, description="Distance between neighbouring inputs of a filter.")

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        return (Sliding(self.kernel, self.stride, self.padding, self.dilation),)


class Filters2d(Filters):
    """Filters that slide along height and width."""

    axes: ClassVar[int | None] = 2
    kernel: Counts = Field(3, description="Size of a filter: one number, or [height, width].")
    stride: Counts = Field(1, description="Steps between neighbouring windows: one number, or [vertical, horizontal].")
    padding: Padding2d = Field(
        "same", description=f"{PADDING}; `[height, width]` or `[[top, bottom], [left, right]]` where they differ."
    )
    dilation: Counts = Field(1, description="Distance between neighbouring inputs of a filter; one number or a pair.")

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        settings = both(self.kernel), both(self.stride), both_paddings(self.padding), both(self.dilation)
        return tuple(map(Sliding, *settings))


class Convolution(Filters):
    """Both passes of convolution, over any number of axes."""

    padding_mode: Mode = Field(
        "zeros", description="What the padding holds: zeros, the input mirrored at its ends, or its ends repeated."
    )

    def output_shape(self, shape: Shape) -> Shape:
        self.check(shape)
        grid = self.grid(shape)
        check_margins(grid, self.padding_mode)
        return (*(axis.count for axis in grid), self.filters)

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * self.fans(shape[-1])[0]

    def depthwise(self, channels: int) -> bool:
        """Whether each channel is a group with one filter."""
        return self.groups_of(channels) == channels == self.filters > 1

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        channels, grid = x.shape[-1], self.grid(x.shape[1:])
        weight = self.by_group(p["weight"], channels)
        slot["margins"] = grid
        if self.padding_mode != "zeros":
            x, grid = padded(x, grid, self.padding_mode, slot), without_padding(grid)
        y = slot.buffer("y", (len(x), *(axis.count for axis in grid), self.filters))
        if self.depthwise(channels):
            correlate_each(x, weight[..., 0, 0], grid, y, slot)
        else:
            slot["columns"] = gather(x, grid, self.groups_of(channels), slot)
            correlate(slot["columns"], weight, y)
        if self.bias:
            add_bias(y, p["bias"])
        slot["x"], slot["grid"] = x, grid
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        x, grid = slot["x"], slot["grid"]
        channels = x.shape[-1]
        weight, gradient = self.by_group(p["weight"], channels), self.by_group(g["weight"], channels)
        if self.depthwise(channels):
            outer_each(x, dy, grid, gradient[..., 0, 0])
        else:
            outer(slot["columns"], dy, gradient)
        if self.bias:
            sum_positions(dy, g["bias"])
        if not slot.input_gradient:
            return dy
        dx = slot.buffer("dx", x.shape)
        if self.depthwise(channels):
            scatter_each(dy, weight[..., 0, 0], grid, dx, slot)
        else:
            scatter(dy, weight, grid, dx, slot)
        return dx if self.padding_mode == "zeros" else folded(dx, slot["margins"], self.padding_mode)


class Conv1d(Convolution, Filters1d):
    """Convolution over one axis: each filter is a weighted sum of the inputs in a window that slides.

    Forward, for output o and filter f, with C the channels of f's group:

        Y[o, f] = sum_{k, c in C} X[o stride + k dilation - before, c] W[k, c, f] + b[f]

    Backward, from dY = dJ/dY, where i = o stride + k dilation - before and sums run over the batch too:

        dJ/dW[k, c, f] = sum_o X[i, c] dY[o, f]        dJ/db = sum_o dY[o]
        dJ/dX[i, c] = sum over the (o, k) that meet at i of sum_f dY[o, f] W[k, c, f]

    Shapes: X (batch, length, channels), W (kernel, channels / groups, filters), b (filters,),
    Y (batch, new length, filters). The filter is not turned over, as in all libraries; PyTorch keeps
    channels before positions and W as (filters, channels / groups, kernel), and pads nothing by default.

    Sequences are taken each by itself: their windows never reach into a neighbour, and beyond a sequence's ends
    there are zeros. Each gets the length that an array of so many steps would have; there it is an error when not
    even one window fits, here such a sequence has no steps left.

    Source: Waibel, Hanazawa, Hinton, Shikano and Lang, "Phoneme recognition using time-delay neural
    networks", IEEE Transactions on ASSP 37 (1989).

    ```yaml
    {type: conv1d, filters: 32, kernel: 5, padding: valid, activation: relu}
    ```
    """

    type: Literal["conv1d"] = "conv1d"
    takes_sequences: ClassVar[bool] = True

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        (one,) = given
        if not one.steps or one.tokens:
            return super().signal(name, given)
        if len(one.shape) != 1:
            raise ConfigError(f"takes sequences whose steps are (channels,), and finds steps of shape {one.shape}")
        if self.padding_mode != "zeros":
            raise ConfigError(
                f"cannot pad sequences with `padding_mode: {self.padding_mode}`, as some are too short to be mirrored; "
                "leave it out for zeros",
                "padding_mode",
            )
        self.check_groups(one.shape[-1])
        return replace(self.sliding[0].signal(name, one), shape=(self.filters,))

    def lengths(self, n: Array) -> Array:
        return self.sliding[0].counts(n)

    def multiply_adds(self, shape: Shape) -> int:
        """Of sequences, those of one step."""
        if len(shape) == 1:
            return self.filters * self.fans(shape[-1])[0] // self.stride
        return super().multiply_adds(shape)

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        if slot.lengths is None:
            return super().forward(p, x, slot)
        channels, groups = x.shape[-1], self.groups_of(x.shape[-1])
        steps = self.sliding[0].steps(slot.lengths)  # (windows, kernel)
        windows = with_outside(x)[steps].reshape(*steps.shape, groups, channels // groups).transpose(2, 0, 1, 3)
        columns = windows.reshape(groups, len(steps), self.fans(channels)[0])  # (groups, windows, kernel a)
        y = slot.buffer("y", (len(steps), self.filters))
        correlate(columns, self.by_group(p["weight"], channels), y)
        if self.bias:
            y += p["bias"]
        slot["x"], slot["steps"], slot["columns"] = x, steps, columns
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        if slot.lengths is None:
            return super().backward(p, g, dy, slot)
        x, steps = slot["x"], slot["steps"]
        weight, gradient = (self.by_group(views["weight"], x.shape[-1]) for views in (p, g))
        outer(slot["columns"], dy, gradient)
        if self.bias:
            np.add.reduce(dy, axis=0, out=g["bias"])
        if not slot.input_gradient:
            return dy
        dx = slot.buffer("dx", x.shape)
        dx[...] = 0
        rows, part = by_group(dy, weight.shape[1]), slot.buffer("part", (len(dy), x.shape[-1]))
        for k in range(self.kernel):
            np.matmul(rows, weight[k].swapaxes(-2, -1), out=by_group(part, weight.shape[1]))
            spread_steps(part, steps[:, k], dx)
        return dx


class Conv2d(Convolution, Filters2d):
    """Convolution over images: each filter is a weighted sum of the inputs in a window that slides.

    Forward, for output (o, q) and filter f, with C the channels of f's group:

        Y[o, q, f] = sum_{k, l, c in C} X[i, j, c] W[k, l, c, f] + b[f]
        i = o stride + k dilation - top        j = q stride + l dilation - left

    Backward, from dY = dJ/dY; sums run over the batch too:

        dJ/dW[k, l, c, f] = sum_{o, q} X[i, j, c] dY[o, q, f]        dJ/db = sum_{o, q} dY[o, q]
        dJ/dX[i, j, c] = sum over the (o, k), (q, l) that meet at (i, j) of sum_f dY[o, q, f] W[k, l, c, f]

    Shapes: X (batch, height, width, channels), W (height, width of the filter, channels / groups, filters),
    b (filters,), Y (batch, new height, new width, filters). The filter is not turned over, as in all
    libraries; TensorFlow keeps W in this order, PyTorch keeps images as (channels, height, width), W as
    (filters, channels / groups, height, width), and pads nothing by default.

    Sources: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998); groups: Krizhevsky, Sutskever and Hinton, NIPS 2012; dilation: Yu and
    Koltun, "Multi-scale context aggregation by dilated convolutions", ICLR 2016.

    ```yaml
    {type: conv2d, filters: 32, kernel: 3, stride: 2, activation: relu}
    ```
    """

    type: Literal["conv2d"] = "conv2d"
    alias: ClassVar[str | None] = "conv"
