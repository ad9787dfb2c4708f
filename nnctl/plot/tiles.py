"""Small pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from nnctl.engine.parameters import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

GAP = 0.06
LINE = 1.3  # height of a line of text, in font sizes


@dataclass(frozen=True)
class Tiles:
    """`count` tiles in rows of `columns`, which fill a width; all lengths in inches.

    Attributes:
        aspect: height of a tile, in widths.
        lines: of text below each tile, of `font` points.
    """

    count: int
    columns: int
    width: float
    aspect: float = 1.0
    lines: int = 0
    font: float = 8.0

    @property
    def side(self) -> float:
        """The width of a tile."""
        return self.width / self.columns - GAP

    @property
    def step(self) -> float:
        """From the top of a row to that of the next."""
        return self.side * self.aspect + GAP + self.lines * self.font * LINE / 72

    @property
    def height(self) -> float:
        """Of all rows."""
        return -(-self.count // self.columns) * self.step

    def corner(self, i: int) -> tuple[float, float]:
        """The left and the top of tile i, from the top left."""
        return i % self.columns * (self.side + GAP), i // self.columns * self.step

    def draw(self, axes: Axes, pictures: Array, captions: Sequence[str] = (), **look: Any) -> AxesImage:
        """Pictures (n, height, width), or (n, height, width, 3) in colour, with a caption below each."""
        for i, picture in enumerate(pictures):
            left, top = self.corner(i)
            bottom = top + self.side * self.aspect
            image = axes.imshow(picture, extent=(left, left + self.side, bottom, top), **look)
            if captions:
                place = (left + self.side / 2, bottom + 0.02)
                axes.text(*place, captions[i], fontsize=self.font, ha="center", va="top", linespacing=1.1)
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        axes.set_axis_off()
        return image


def fitting_columns(count: int, aspect: float) -> int:
    """How many columns make a block about three times as wide as high."""
    return min(count, max(1, round(sqrt(3.0 * count * aspect))))
