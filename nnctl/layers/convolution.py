"""Convolution over one axis or two."""

from math import prod
from typing import ClassVar, Literal

from nnctl.engine.parameters import Array, Declarations, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.layers.correlation import Grid, add_bias, correlate, gather, outer, scatter, sum_positions
from nnctl.layers.depthwise import correlate_each, outer_each, scatter_each
from nnctl.layers.filters import AXES, Filters, Filters1d, Filters2d, as_image
from nnctl.layers.weighted import Weighted


class Convolution(Weighted, Filters):
    """What all convolutions share: their parameters, and the forms that these take inside."""

    def grid(self, image: Shape) -> Grid:
        """The windows along height and width of an image of this shape."""
        height, width = self.sliding
        return height.over(image[0], AXES[0]), width.over(image[1], AXES[1])

    def output_image(self, image: Shape) -> Shape:
        """The shape that comes out of an image of this shape."""
        return (*(axis.count for axis in self.grid(image)), self.filters)

    def output_shape(self, shape: Shape) -> Shape:
        return self.output_image(self.image(shape))[-len(shape) :]

    def parameters(self, shape: Shape) -> Declarations:
        self.output_shape(shape)
        groups = self.groups_of(shape[-1])
        inputs, field = shape[-1] // groups, prod(self.window)
        fans = field * inputs, field * self.filters // groups
        return self.tensors((*self.window, inputs, self.filters), *fans)

    def multiply_adds(self, shape: Shape) -> int:
        inputs = shape[-1] // self.groups_of(shape[-1])
        return prod(self.output_shape(shape)) * prod(self.window) * inputs

    def by_group(self, weight: Array, channels: int) -> Array:
        """Weights as (kh, kw, groups, channels of a group, filters of a group); a view."""
        groups, kernel = self.groups_of(channels), [sliding.kernel for sliding in self.sliding]
        shape = (*kernel, channels // groups, groups, self.filters // groups)
        return weight.reshape(shape).transpose(0, 1, 3, 2, 4)


class Correlating(Convolution):
    """The forward and backward pass of `conv1d` and `conv2d`."""

    def depthwise(self, channels: int) -> bool:
        """Whether each channel is a group with one filter."""
        return self.groups_of(channels) == channels == self.filters > 1

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        channels, image = x.shape[-1], as_image(x.shape[1:])
        grid, weight, images = self.grid(image), self.by_group(p["weight"], channels), x.reshape(-1, *image)
        slot["shape"] = x.shape
        y = slot.buffer("y", (len(x), *self.output_image(image)))
        if self.depthwise(channels):
            slot["images"] = images
            correlate_each(images, weight[:, :, :, 0, 0], grid, y, slot)
        else:
            slot["columns"] = gather(images, grid, self.groups_of(channels), slot)
            correlate(slot["columns"], weight, y)
        if self.bias:
            add_bias(y, p["bias"])
        return y.reshape(len(x), *y.shape[1 - x.ndim :])

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        shape: Shape = slot["shape"]
        channels, image = shape[-1], as_image(shape[1:])
        grid, weight = self.grid(image), self.by_group(p["weight"], channels)
        gradient = self.by_group(g["weight"], channels)
        dy = dy.reshape(len(dy), *self.output_image(image))
        if self.depthwise(channels):
            outer_each(slot["images"], dy, grid, gradient[:, :, :, 0, 0])
        else:
            outer(slot["columns"], dy, gradient)
        if self.bias:
            sum_positions(dy, g["bias"])
        if not slot.input_gradient:
            return dy
        dx = slot.buffer("dx", (len(dy), *image))
        if self.depthwise(channels):
            scatter_each(dy, weight[:, :, :, 0, 0], grid, dx, slot)
        else:
            scatter(dy, weight, grid, dx, slot)
        return dx.reshape(shape)


class Conv1d(Correlating, Filters1d):
    """Convolution over one axis: each filter is a weighted sum of the inputs in a window that slides.

    Forward, for output o and filter f, with C the channels of f's group:

        Y[o, f] = sum_{k, c in C} X[o stride + k dilation - before, c] W[k, c, f] + b[f]

    Backward, from dY = dJ/dY, where i = o stride + k dilation - before and sums run over the batch too:

        dJ/dW[k, c, f] = sum_o X[i, c] dY[o, f]        dJ/db = sum_o dY[o]
        dJ/dX[i, c] = sum over the (o, k) that meet at i of sum_f dY[o, f] W[k, c, f]

    Shapes: X (batch, length, channels), W (kernel, channels / groups, filters), b (filters,),
    Y (batch, new length, filters). The filter is not turned over, as in all libraries; PyTorch keeps
    channels before positions and W as (filters, channels / groups, kernel), and pads nothing by default.

    Source: Waibel, Hanazawa, Hinton, Shikano and Lang, "Phoneme recognition using time-delay neural
    networks", IEEE Transactions on ASSP 37 (1989).

    ```yaml
    {type: conv1d, filters: 32, kernel: 5, padding: valid, activation: relu}
    ```
    """

    type: Literal["conv1d"] = "conv1d"


class Conv2d(Correlating, Filters2d):
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
