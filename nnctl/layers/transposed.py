"""Transposed convolution, which makes images larger."""

from math import prod
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from nnctl.engine.parameters import Array, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.layers.convolution import Filters, Filters1d, Filters2d
from nnctl.layers.correlation import add_bias, correlate, gather, outer, scatter, sum_positions
from nnctl.layers.windows import AXES, Count, Counts, Grid, Margin, Margins, both


class Transposed(Filters):
    """The forward and backward pass of transposed convolutions: those of a convolution, changed over.

    The windows lie over the output, and each input gives its filters' weights to one of them.
    """

    @property
    def extra(self) -> tuple[int, ...]:
        """The output padding of each axis."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _extra_below_stride(self) -> Self:
        for extra, sliding in zip(self.extra, self.sliding, strict=True):
            if extra >= sliding.stride:
                raise ValueError(f"output_padding is {extra}; it must be smaller than the stride, {sliding.stride}")
            if extra and sliding.padding == "same":
                raise ValueError("`padding: same` already says how long the output is; leave output_padding out")
        return self

    def grid(self, shape: Shape) -> Grid:
        names = AXES[len(self.sliding)]
        axes = zip(self.sliding, shape[:-1], self.extra, names, strict=True)
        return tuple(sliding.under(count, extra, name) for sliding, count, extra, name in axes)

    def fans(self, channels: int) -> tuple[int, int]:
        """Of an output's window the input fills one place in `stride` along each axis, on average."""
        fan_in, fan_out = super().fans(channels)
        return max(1, round(fan_in / prod(sliding.stride for sliding in self.sliding))), fan_out

    def output_shape(self, shape: Shape) -> Shape:
        self.check(shape)
        return (*(axis.length for axis in self.grid(shape)), self.filters)

    def multiply_adds(self, shape: Shape) -> int:
        return prod((*shape, *self.window)) * (self.filters // self.groups_of(shape[-1]))

    def changed_over(self, weight: Array, channels: int) -> Array:
        """Weights as (*window, groups, filters of a group, channels of a group); a view."""
        return self.by_group(weight, channels).swapaxes(-2, -1)

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        grid, weight = self.grid(x.shape[1:]), self.changed_over(p["weight"], x.shape[-1])
        y = slot.buffer("y", (len(x), *(axis.length for axis in grid), self.filters))
        scatter(x, weight, grid, y, slot)
        if self.bias:
            add_bias(y, p["bias"])
        slot["x"], slot["grid"] = x, grid
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        x: Array = slot["x"]
        channels = x.shape[-1]
        columns = gather(dy, slot["grid"], self.groups_of(channels), slot)
        outer(columns, x, self.changed_over(g["weight"], channels))
        if self.bias:
            sum_positions(dy, g["bias"])
        if not slot.input_gradient:
            return dy
        dx = slot.buffer("dx", x.shape)
        correlate(columns, self.changed_over(p["weight"], channels), dx)
        return dx


class ConvTranspose1d(Transposed, Filters1d):
    """Transposed convolution over one axis: what convolution's backward pass does to its gradient.

        Y[i, f] = sum over the (o, k) with i = o stride + k dilation - before of sum_c X[o, c] W[k, c, f] + b[f]

    Backward, from dY = dJ/dY:

        dJ/dX[o, c] = sum_{k, f} dY[i, f] W[k, c, f]    dJ/dW[k, c, f] = sum_o X[o, c] dY[i, f]    dJ/db = sum_i dY[i]

    Shapes: X (batch, length, channels), W (kernel, channels / groups, filters), Y (batch, new length, filters).
    The new length is length * stride with `padding: same`, and otherwise (length - 1) stride +
    (kernel - 1) dilation + 1 - padding + output_padding. PyTorch keeps W as (channels, filters / groups,
    kernel), TensorFlow as (kernel, filters, channels). Sources as `conv_transpose2d`.

    ```yaml
    {type: conv_transpose1d, filters: 16, kernel: 4, stride: 2}
    ```
    """

    type: Literal["conv_transpose1d"] = "conv_transpose1d"
    stride: Count = Field(2, description="Steps between neighbouring windows: how many times longer the output is.")
    output_padding: Margin = Field(0, description="Added to the length of the output at its end; below the stride.")

    @property
    def extra(self) -> tuple[int, ...]:
        return (self.output_padding,)


class ConvTranspose2d(Transposed, Filters2d):
    """Transposed convolution over images: what convolution's backward pass does to its gradient.

    With i = o stride + k dilation - top and j = q stride + l dilation - left, as in `conv2d`:

        Y[i, j, f] = sum over the (o, k), (q, l) that meet at (i, j) of sum_c X[o, q, c] W[k, l, c, f] + b[f]

    Backward, from dY = dJ/dY; sums run over the batch too:

        dJ/dX[o, q, c] = sum_{k, l, f} dY[i, j, f] W[k, l, c, f]        dJ/db = sum_{i, j} dY[i, j]
        dJ/dW[k, l, c, f] = sum_{o, q} X[o, q, c] dY[i, j, f]

    Shapes: X (batch, height, width, channels), W (height, width of the filter, channels / groups, filters),
    Y (batch, new height, new width, filters). The new height is height * stride with `padding: same`, and
    otherwise (height - 1) stride + (kernel - 1) dilation + 1 - padding + output_padding. PyTorch keeps W as
    (channels, filters / groups, height, width), TensorFlow as (height, width, filters, channels). Filters
    whose size is a multiple of the stride leave no chequered pattern.

    Sources: Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional networks", CVPR 2010; Dumoulin and
    Visin, arXiv:1603.07285, chapter 4; Odena, Dumoulin and Olah, "Deconvolution and checkerboard
    artifacts", Distill (2016).

    ```yaml
    {type: conv_transpose2d, filters: 16, kernel: 4, stride: 2}
    ```
    """

    type: Literal["conv_transpose2d"] = "conv_transpose2d"
    alias: ClassVar[str | None] = "conv_transpose"
    stride: Counts = Field(2, description="Steps between neighbouring windows: how many times larger the output is.")
    output_padding: Margin | Margins = Field(
        0, description="Added to height and width of the output at their end; below the stride."
    )

    @property
    def extra(self) -> tuple[int, ...]:
        return both(self.output_padding)
