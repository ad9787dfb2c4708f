"""The settings of layers that slide filters over their input."""

from typing import ClassVar, Literal

from pydantic import Field

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Shape
from nnctl.errors import ConfigError
from nnctl.layers.windows import Count, Counts, Padding1d, Padding2d, Sliding, both, both_paddings

AXES = ("height", "width")
PADDING = "Zeros around the input: `same` for ceil(length / stride) outputs, `valid` for none, or how many on each side"


class Filters(Layer):
    """Filters, in groups. Data along one axis are taken as images of height 1."""

    principal: ClassVar[str | None] = "filters"

    filters: int = Field(gt=0, description="Number of filters, which is the number of channels that come out.")
    groups: Count | Literal["channels"] = Field(
        1,
        description="Groups that inputs and filters are divided into, each filter seeing its own group's inputs; "
        "`channels` is a group for each input channel (depthwise).",
    )

    @property
    def sliding(self) -> tuple[Sliding, Sliding]:
        """How the filters slide along height and width."""
        raise NotImplementedError

    @property
    def window(self) -> Shape:
        """The size of a filter along each axis there is."""
        raise NotImplementedError

    def groups_of(self, channels: int) -> int:
        """The number of groups."""
        return channels if self.groups == "channels" else self.groups

    def image(self, shape: Shape) -> Shape:
        """The shape of an input as an image, (height, width, channels)."""
        if len(shape) != len(self.window) + 1:
            raise ConfigError(wrong_axes(len(self.window), shape))
        groups = self.groups_of(shape[-1])
        if shape[-1] % groups or self.filters % groups:
            raise ConfigError(
                f"finds {shape[-1]} channels, {self.filters} filters and {groups} groups; "
                "channels and filters must both be multiples of `groups`"
            )
        return as_image(shape)


class Filters1d(Filters):
    """Filters that slide along one axis."""

    axes: ClassVar[int | None] = 1

    kernel: Count = Field(3, description="Length of a filter.")
    stride: Count = Field(1, description="Steps between neighbouring windows.")
    padding: Padding1d = Field("same", description=f"{PADDING}; `[before, after]` where they differ.")
    dilation: Count = Field(1, description="Distance between neighbouring inputs of a filter.")

    @property
    def sliding(self) -> tuple[Sliding, Sliding]:
        return Sliding(1), Sliding(self.kernel, self.stride, self.padding, self.dilation)

    @property
    def window(self) -> Shape:
        return (self.kernel,)


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
    def sliding(self) -> tuple[Sliding, Sliding]:
        kernel, stride, dilation = both(self.kernel), both(self.stride), both(self.dilation)
        padding = both_paddings(self.padding)
        return (
            Sliding(kernel[0], stride[0], padding[0], dilation[0]),
            Sliding(kernel[1], stride[1], padding[1], dilation[1]),
        )

    @property
    def window(self) -> Shape:
        return both(self.kernel)


def wrong_axes(axes: int, shape: Shape) -> str:
    """What to say to inputs without so many axes of positions and one of channels."""
    hint = f"; `- reshape: {[*shape, 1]}` before it makes them one channel" if len(shape) == axes else ""
    return f"takes inputs of shape {SHAPES[axes]}, and finds {shape}{hint}"


SHAPES = {1: "(length, channels)", 2: "(height, width, channels)"}


def as_image(shape: Shape) -> Shape:
    """(length, channels) as (1, length, channels); (height, width, channels) as it is."""
    return (1, *shape)[-3:]
