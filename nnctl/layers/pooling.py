"""Pooling over windows: the maximum or the mean."""

from collections.abc import Sequence
from functools import reduce
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field

from nnctl.activations import Relu
from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers.activation import Activation
from nnctl.layers.sweep import spread_maximum, spread_sum, sweep_maximum, sweep_sum, sweeps
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


class Pool(Layer):
    """Windows that slide over each channel.

    Both the maximum and the sum over a window are those of its rows' maxima and sums, so that a pass along
    each axis, the last one first, does it: with kh + kw steps instead of kh kw.
    """

    principal: ClassVar[str | None] = "size"
    ceil_mode: bool = Field(
        False, description="Whether a window counts that begins inside and ends outside, where the size does not fit."
    )

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        """How windows slide along each axis."""
        raise NotImplementedError

    def grid(self, shape: Shape) -> Grid:
        """The windows along each axis, for inputs of a shape."""
        names = AXES[len(self.sliding)]
        return tuple(s.over(n, name) for s, n, name in zip(self.sliding, shape[:-1], names, strict=True))

    def output_shape(self, shape: Shape) -> Shape:
        check_axes(len(self.sliding), shape)
        grid = self.grid(shape)
        for axis in grid:
            if not min(axis.inside):
                raise ConfigError(
                    f"padding {max(axis.before, axis.after)} makes windows of {axis.kernel} without inputs",
                    "padding",
                )
        return (*(axis.count for axis in grid), shape[-1])


class Pool1d(Pool):
    """Windows along one axis, or along the time of sequences, of each by itself."""

    axes: ClassVar[int | None] = 1
    takes_sequences: ClassVar[bool] = True

    size: Count = Field(2, description="Length of a window.")
    stride: Count | None = Field(None, description="Steps between neighbouring windows; left out, the size.")
    padding: Padding1d = Field("valid", description="`same`, `valid` (none), or how many on each side.")
    dilation: Count = Field(1, description="Distance between neighbouring inputs of a window.")

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        return (Sliding(self.size, self.stride or self.size, self.padding, self.dilation, self.ceil_mode),)

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        (one,) = given
        if not one.steps or one.tokens:
            return super().signal(name, given)
        if len(one.shape) != 1:
            raise ConfigError(f"takes sequences whose steps are (channels,), and finds steps of shape {one.shape}")
        (sliding,) = self.sliding
        self.output_shape((max(one.steps, (sliding.kernel - 1) * sliding.dilation + 1), *one.shape))
        return sliding.signal(name, one)

    def lengths(self, n: Array) -> Array:
        return self.sliding[0].counts(n)


class Pool2d(Pool):
    """Windows along height and width."""

    axes: ClassVar[int | None] = 2

    size: Counts = Field(2, description="Size of a window: one number, or [height, width].")
    stride: Counts | None = Field(None, description="Steps between neighbouring windows; left out, the size.")
    padding: Padding2d = Field(
        "valid",
        description="`same`, `valid` (none), or how many: all sides, a pair, or [[top, bottom], [left, right]].",
    )
    dilation: Counts = Field(1, description="Distance between neighbouring inputs of a window; one number or a pair.")

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        sizes, strides, dilations = both(self.size), both(self.stride or self.size), both(self.dilation)
        axes = zip(sizes, strides, both_paddings(self.padding), dilations, strict=True)
        return tuple(Sliding(*axis, ceil=self.ceil_mode) for axis in axes)


class MaxPool(Pool):
    """The forward and backward pass of maximum pooling.

    max_k relu(x_k) = relu(max_k x_k), and so are the gradients, to the bit: where it follows a rectifier they change
    places, and the rectifier has a quarter of the values to work on. A step of a convolutional network is about 4 %
    shorter.
    """

    def may_precede(self, neighbour: Layer) -> bool:
        return isinstance(neighbour, Activation) and isinstance(neighbour.function, Relu)

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["shape"], slot["swept"] = x.shape, []
        y, grid = x, self.grid(x.shape[1:])
        for sweep in sweeps(x.shape, grid):
            y, winner = sweep_maximum(y, sweep, slot)
            slot["swept"].append((sweep, winner))
        return y.reshape(len(x), *(axis.count for axis in grid), x.shape[-1])

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        for sweep, winner in reversed(slot["swept"]):
            dy = spread_maximum(dy, winner, sweep, slot)
        return dy.reshape(slot["shape"])

    def pieces(self, slot: Slot) -> Array | None:
        return np.concatenate([winner.ravel() for _, winner in slot["swept"]])


class MaxPool1d(MaxPool, Pool1d):
    """The largest input in each window, channel by channel.

        Y[o, c] = max_k X[o stride + k dilation - before, c]
        dJ/dX[i, c] = sum of dJ/dY[o, c] over the windows o that i is the maximum of

    Of equal inputs the first is the maximum; padding never is. Shapes: X (batch, length, channels),
    Y (batch, new length, channels). Source: Zhou and Chellappa, "Computation of optical flow using a
    neural network", ICNN 1988.

    Sequences are taken each by itself, and get the length that an array of so many steps would have. One that is too
    short for a window has no steps left, and a window that holds padding alone gives 0.

    ```yaml
    {type: max_pool1d, size: 2}
    ```
    """

    type: Literal["max_pool1d"] = "max_pool1d"

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        if slot.lengths is None:
            return super().forward(p, x, slot)
        steps = self.sliding[0].steps(slot.lengths)  # (windows, size)
        first = np.take_along_axis(steps, np.argmax(steps >= 0, axis=1, keepdims=True), axis=1)
        steps = np.where(steps < 0, first, steps)[..., None]  # what lies outside is no maximum: the first step instead
        x = with_outside(x)
        slot["shape"], winner = x.shape, np.argmax(x[steps[..., 0]], axis=1, keepdims=True)  # (windows, 1, channels)
        slot["winner"] = np.take_along_axis(steps, winner, axis=1)[:, 0]  # the steps of the maxima, (windows, channels)
        return np.take_along_axis(x, slot["winner"], axis=0)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        if slot.lengths is None:
            return super().backward(p, g, dy, slot)
        dx = np.zeros(slot["shape"], dy.dtype)
        np.add.at(dx, (slot["winner"], np.arange(dy.shape[1])), dy)
        return dx[:-1]

    def pieces(self, slot: Slot) -> Array | None:
        return super().pieces(slot) if slot.lengths is None else slot["winner"]


class MaxPool2d(MaxPool, Pool2d):
    """The largest input in each window, channel by channel.

        Y[o, q, c] = max_{k, l} X[o stride + k dilation - top, q stride + l dilation - left, c]
        dJ/dX[i, j, c] = sum of dJ/dY[o, q, c] over the windows (o, q) that (i, j) is the maximum of

    Of equal inputs the first, row by row, is the maximum, as in PyTorch; padding never is. Shapes:
    X (batch, height, width, channels), Y (batch, new height, new width, channels). Source: Zhou and
    Chellappa, "Computation of optical flow using a neural network", ICNN 1988.

    ```yaml
    {type: max_pool2d, size: 3, stride: 2, padding: 1}
    ```
    """

    type: Literal["max_pool2d"] = "max_pool2d"
    alias: ClassVar[str | None] = "max_pool"


class AveragePool(Pool):
    """The forward and backward pass of average pooling."""

    count_padding: bool = Field(False, description="Whether padding counts, as zeros, in the mean.")

    def _share(self, grid: Grid, dtype: DTypeLike) -> Array:
        """One over the number of values in each window, (*counts, 1); what is beyond the padding is none."""
        numbers = (
            np.array(axis.within(-axis.before, axis.length + axis.after) if self.count_padding else axis.inside)
            for axis in grid
        )
        share: Array = 1 / reduce(np.multiply.outer, numbers)[..., None]
        return share.astype(dtype)

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        y, grid = x, self.grid(x.shape[1:])
        slot["shape"], slot["share"], slot["sweeps"] = x.shape, self._share(grid, x.dtype), sweeps(x.shape, grid)
        for sweep in slot["sweeps"]:
            y = sweep_sum(y, sweep, slot)
        y = y.reshape(len(x), *(axis.count for axis in grid), x.shape[-1])
        mean: Array = np.multiply(y, slot["share"], out=slot.buffer("y", y.shape))
        return mean

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        dy = np.multiply(dy, slot["share"], out=slot.buffer("d", dy.shape))
        for sweep in reversed(slot["sweeps"]):
            dy = spread_sum(dy, sweep, slot)
        return dy.reshape(slot["shape"])


class AveragePool1d(AveragePool, Pool1d):
    """The mean of each window, channel by channel.

        Y[o, c] = 1/n_o sum_k X[o stride + k dilation - before, c]
        dJ/dX[i, c] = sum over the windows o with i in them of dJ/dY[o, c] / n_o

    n_o is the number of inputs in the window, as in TensorFlow; with `count_padding` it is the size, as is
    PyTorch's default. Shapes: X (batch, length, channels), Y (batch, new length, channels). Source: LeCun,
    Bottou, Bengio and Haffner, Proceedings of the IEEE 86 (1998).

    Sequences are taken each by itself, and get the length that an array of so many steps would have. One that is too
    short for a window has no steps left, and a window that holds padding alone gives 0.

    ```yaml
    {type: average_pool1d, size: 4}
    ```
    """

    type: Literal["average_pool1d"] = "average_pool1d"

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        if slot.lengths is None:
            return super().forward(p, x, slot)
        sliding = self.sliding[0]
        steps = sliding.steps(slot.lengths)  # (windows, size)
        n = sliding.sizes(slot.lengths) if self.count_padding else np.add.reduce(steps >= 0, axis=1)
        slot["shape"], slot["steps"] = x.shape, steps
        slot["share"] = (1 / np.maximum(n, 1))[:, None].astype(x.dtype)
        x, y = with_outside(x), np.zeros((len(steps), x.shape[-1]), x.dtype)
        for k in range(self.size):
            y += x[steps[:, k]]
        y *= slot["share"]
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        if slot.lengths is None:
            return super().backward(p, g, dy, slot)
        dx, part = np.zeros(slot["shape"], dy.dtype), dy * slot["share"]
        for k in range(self.size):
            spread_steps(part, slot["steps"][:, k], dx)
        return dx


class AveragePool2d(AveragePool, Pool2d):
    """The mean of each window, channel by channel.

        Y[o, q, c] = 1/n_oq sum_{k, l} X[o stride + k dilation - top, q stride + l dilation - left, c]
        dJ/dX[i, j, c] = sum over the windows (o, q) with (i, j) in them of dJ/dY[o, q, c] / n_oq

    n_oq is the number of inputs in the window, as in TensorFlow; with `count_padding` it is the size of the
    window, as is PyTorch's default (`count_include_pad`). Shapes: X (batch, height, width, channels),
    Y (batch, new height, new width, channels). Source: LeCun, Bottou, Bengio and Haffner, Proceedings of
    the IEEE 86 (1998); there, each mean had a trained gain and shift.

    ```yaml
    {type: average_pool2d, size: 3, stride: 2, padding: same}
    ```
    """

    type: Literal["average_pool2d"] = "average_pool2d"
    alias: ClassVar[str | None] = "average_pool"
