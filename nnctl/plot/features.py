"""What a convolutional network makes of one example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.plot.canvas import SEQUENTIAL, new_figure
from nnctl.plot.stages import Stage
from nnctl.plot.tiles import Tiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Maps of a layer that are shown, and how many stand in a line.
MOST, COLUMNS = 24, 12
#: In inches: the picture on top, and a line of text.
INPUT_SIDE, HEADING = 1.3, 0.32


def with_maps(every: Sequence[Stage]) -> list[Stage]:
    """The stages that give maps: (batch, height, width, channels), or (batch, length, channels).

    Raises:
        ConfigError: where there are none.
    """
    kept = [stage for stage in every if stage.values.ndim in (3, 4)]
    if not kept:
        raise ConfigError(
            "features: no layer that reads this input gives maps, as convolution and pooling do; "
            "`--what activations` draws what any layer gives"
        )
    return kept


def maps(values: Array) -> Array:
    """The output for one example as pictures (n, height, width); a line of data is one picture, a row a channel."""
    return values.T[None] if values.ndim == 2 else values.transpose(2, 0, 1)


def draw(picture: Array | None, caption: str, drawn: Sequence[Stage], title: str, width: float) -> Figure:
    """The example on top, then the maps of each stage with a scale of their own.

    Args:
        picture: the example (height, width) or (height, width, 3); None where it is no picture.
        caption: what the network says of it.
        drawn: the stages, each for this one example.
        title: of the figure.
        width: in inches.
    """
    blocks = [maps(stage.values[0]) for stage in drawn]
    grids = [_grid(block, width, line=stage.values.ndim == 3) for block, stage in zip(blocks, drawn, strict=True)]
    heights = [grid.height + HEADING for grid in grids]
    first = INPUT_SIDE + HEADING if picture is not None else HEADING
    figure = new_figure(width, first + sum(heights) + 0.7, title)
    top, *rest = figure.subplots(len(blocks) + 1, 1, height_ratios=[first, *heights], squeeze=False)[:, 0]
    top.set_title(caption, loc="left")
    top.set_axis_off()
    if picture is not None:
        Tiles(1, 1, INPUT_SIDE, picture.shape[0] / picture.shape[1]).draw(
            top, picture[None], cmap="gray", vmin=0, vmax=1
        )
        top.set_anchor("W")
    for axes, stage, block, grid in zip(rest, drawn, blocks, grids, strict=True):
        shown = block[: grid.count]
        image = grid.draw(axes, shown, cmap=SEQUENTIAL, vmin=float(block.min()), vmax=float(block.max()))
        axes.set_title(_heading(stage, len(shown), len(block)), loc="left")
        bar = figure.colorbar(image, ax=axes, aspect=12, pad=0.01, fraction=0.04)
        axes.set_anchor("W")  # the colour bar has moved it
        bar.ax.tick_params(labelsize=9)
        bar.set_label(stage.quantity, fontsize=9)
        bar.outline.set_visible(False)
    return figure


def _grid(block: Array, width: float, *, line: bool) -> Tiles:
    """Room for a stage's maps, or for the one picture of a line of data, which takes the whole width."""
    count, aspect = min(len(block), MOST), block.shape[1] / block.shape[2]
    if line:
        return Tiles(1, 1, 0.86 * width, min(aspect, 1.2 / (0.86 * width)))
    return Tiles(count, COLUMNS, 0.86 * width, aspect)


def _heading(stage: Stage, shown: int, all_: int) -> str:
    shape = stage.values.shape[1:]
    text = f"{stage.name}: {' × '.join(map(str, shape))}"
    return text if shown == all_ else f"{text}, the first {shown} channels"
