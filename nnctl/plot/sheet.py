"""A contact sheet: examples as pictures, each with what is true and what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnctl.engine.parameters import Array
from nnctl.plot.canvas import new_figure, shortened
from nnctl.plot.tiles import Tiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 6
FONT = 9.0
#: Letters of a caption that fit below a picture.
LONGEST = 17


def draw(pictures: Array, captions: Sequence[tuple[str, ...]], title: str, width: float = 8.0) -> Figure:
    """Pictures (n, height, width), or (n, height, width, 3) in colour, with as many lines below as captions have."""
    columns = min(COLUMNS, len(pictures))
    inside = (width - 0.1) * columns / COLUMNS
    tiles = Tiles(
        len(pictures), columns, inside, pictures.shape[1] / pictures.shape[2], lines=len(captions[0]) + 1, font=FONT
    )
    figure = new_figure(width, tiles.height + 0.5, title)
    axes = figure.add_subplot()
    texts = ["\n".join(shortened(line, LONGEST) for line in lines) for lines in captions]
    tiles.draw(axes, pictures, texts, cmap="gray", vmin=0, vmax=1)
    axes.set_anchor("W")
    return figure
