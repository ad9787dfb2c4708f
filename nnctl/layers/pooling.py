"""Pooling over windows: the maximum or the mean."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers.correlation import Grid
from nnctl.layers.filters import AXES, as_image, wrong_axes
from nnctl.layers.sweep import Sweep, spread_maximum, spread_sum, sweep_maximum, sweep_sum
from nnctl.layers.windows import Count, Counts, Padding1d, Padding2d, Sliding, both, both_paddings


class Pool(Layer):
    """Windows that slide over each channel. Data along one axis are taken as images of height 1.

    Both the maximum and the sum over a window are those of its rows' maxima and sums, so that a
    pass along the width and one along the height do it, with kh + kw steps instead of kh kw.
    """

    principal: ClassVar[str | None] = "size"

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        """How windows slide along each axis there is."""
        raise NotImplementedError

    def grid(self, image: Shape) -> Grid:
        """The windows along height and width of an image of this shape."""
        height, width = (Sliding(1), *self.sliding)[-2:]
        return height.over(image[0], AXES[0]), width.over(image[1], AXES[1])

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != len(self.sliding) + 1:
            raise ConfigError(wrong_axes(len(self.sliding), shape))
        grid = self.grid(as_image(shape))
        for axis in grid:
            if max(axis.before, axis.after) >= axis.kernel:
                raise ConfigError(
                    f"padding {max(axis.before, axis.after)} makes windows of {axis.kernel} without inputs"
                )
        return (*(axis.count for axis in grid), shape[-1])[-len(shape) :]

    def sweeps(self, shape: Shape) -> tuple[Sweep, Sweep]:
        """The pass along the width of inputs (batch, ...) and the one along the height of what that gives."""
        batch, image = shape[0], as_image(shape[1:])
        (height, width), channels = self.grid(image), image[-1]
        return (
            Sweep(width, batch * image[0], channels, "across"),
            Sweep(height, batch, width.count * channels, "down"),
        )


class Pool1d(Pool):
    """Windows along one axis."""

    axes: ClassVar[int | None] = 1

    size: Count = Field(2, description="Length of a window.")
    stride: Count | None = Field(None, description="Steps between neighbouring windows; left out, the size.")
    padding: Padding1d = Field("valid", description="`same`, `valid` (none), or how many on each side.")

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        return (Sliding(self.size, self.stride or self.size, self.padding),)


class Pool2d(Pool):
    """Windows along height and width."""

    axes: ClassVar[int | None] = 2

    size: Counts = Field(2, description="Size of a window: one number, or [height, width].")
    stride: Counts | None = Field(None, description="Steps between neighbouring windows; left out, the size.")
    padding: Padding2d = Field(
        "valid",
        description="`same`, `valid` (none), or how many: all sides, a pair, or [[top, bottom], [left, right]].",
    )

    @property
    def sliding(self) -> tuple[Sliding, ...]:
        padding = both_paddings(self.padding)
        return tuple(map(Sliding, both(self.size), both(self.stride or self.size), padding))


class MaxPool(Pool):
    """The forward and backward pass of maximum pooling."""

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        across, down = self.sweeps(x.shape)
        slot["shape"] = x.shape
        rows, slot["column"] = sweep_maximum(x, across, slot)
        y, slot["row"] = sweep_maximum(rows, down, slot)
        return y.reshape(len(x), *self.output_shape(x.shape[1:]))

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        across, down = self.sweeps(slot["shape"])
        rows = spread_maximum(dy, slot["row"], down, slot)
        return spread_maximum(rows, slot["column"], across, slot).reshape(slot["shape"])

    def pieces(self, slot: Slot) -> Array | None:
        return np.concatenate([slot["column"].ravel(), slot["row"].ravel()])


class MaxPool1d(MaxPool, Pool1d):
    """The largest input in each window, channel by channel.

        Y[o, c] = max_k X[o stride + k - before, c]
        dJ/dX[i, c] = sum of dJ/dY[o, c] over the windows o that i is the maximum of

    Of equal inputs the first is the maximum; padding never is. Shapes: X (batch, length, channels),
    Y (batch, new length, channels). Source: Zhou and Chellappa, "Computation of optical flow using a
    neural network", ICNN 1988.

    ```yaml
    {type: max_pool1d, size: 2}
    ```
    """

    type: Literal["max_pool1d"] = "max_pool1d"


class MaxPool2d(MaxPool, Pool2d):
    """The largest input in each window, channel by channel.

        Y[o, q, c] = max_{k, l} X[o stride + k - top, q stride + l - left, c]
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

    def _share(self, shape: Shape, dtype: DTypeLike) -> Array:
        """One over the number of values in each window, (new height, new width, 1)."""
        height, width = (
            np.full(axis.count, axis.kernel) if self.count_padding else np.array(axis.inside)
            for axis in self.grid(as_image(shape[1:]))
        )
        share: Array = 1 / np.multiply.outer(height, width)[..., None]
        return share.astype(dtype)

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        across, down = self.sweeps(x.shape)
        slot["shape"] = x.shape
        y = sweep_sum(sweep_sum(x, across, slot), down, slot)
        share = self._share(x.shape, x.dtype)
        y = y.reshape(len(x), *share.shape[:2], x.shape[-1])
        y = np.multiply(y, share, out=slot.buffer("y", y.shape))
        return y.reshape(len(x), *self.output_shape(x.shape[1:]))

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        shape: Shape = slot["shape"]
        across, down = self.sweeps(shape)
        share = self._share(shape, dy.dtype)
        d = slot.buffer("d", (len(dy), *share.shape[:2], shape[-1]))
        np.multiply(dy.reshape(d.shape), share, out=d)
        return spread_sum(spread_sum(d, down, slot), across, slot).reshape(shape)


class AveragePool1d(AveragePool, Pool1d):
    """The mean of each window, channel by channel.

        Y[o, c] = 1/n_o sum_k X[o stride + k - before, c]
        dJ/dX[i, c] = sum over the windows o with i in them of dJ/dY[o, c] / n_o

    n_o is the number of inputs in the window, as in TensorFlow; with `count_padding` it is the size, as is
    PyTorch's default. Shapes: X (batch, length, channels), Y (batch, new length, channels). Source: LeCun,
    Bottou, Bengio and Haffner, Proceedings of the IEEE 86 (1998).

    ```yaml
    {type: average_pool1d, size: 4}
    ```
    """

    type: Literal["average_pool1d"] = "average_pool1d"


class AveragePool2d(AveragePool, Pool2d):
    """The mean of each window, channel by channel.

        Y[o, q, c] = 1/n_oq sum_{k, l} X[o stride + k - top, q stride + l - left, c]
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
