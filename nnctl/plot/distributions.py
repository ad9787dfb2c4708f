"""How weights or activations are distributed, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.plot.canvas import BLUE, GREY, new_figure, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 50
PANEL_HEIGHT = 1.9
#: A larger share of zeros, as ReLU gives, would dwarf the rest; it is told and not drawn.
MANY_ZEROS = 0.05
BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
#: Examples on which activations are measured.
EXAMPLES = 256


def draw(layers: Mapping[str, Array], quantity: str, title: str, width: float) -> Figure:
    """A histogram for each layer, with mean and standard deviation.

    Raises:
        ConfigError: where there is no layer.
    """
    if not layers:
        raise ConfigError(f"no layer of this network has a {quantity}; nothing to draw")
    columns = min(len(layers), 2 if width < 10 else 3)
    rows = -(-len(layers) // columns)
    figure = new_figure(width, 1.0 + rows * PANEL_HEIGHT, title)
    for axes, (name, values) in zip(panels(figure, len(layers), columns), layers.items(), strict=True):
        _histogram(axes, values.astype(np.float64).ravel())
        axes.set_title(name, loc="left")
    figure.supxlabel(quantity, fontsize=11)
    figure.supylabel("share of the values", fontsize=11)
    return figure


def _histogram(axes: Axes, values: Array) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    zeros = np.mean(values == 0)
    many = zeros > MANY_ZEROS
    counts, edges = np.histogram(values[values != 0] if many else values, BINS)
    axes.stairs(counts / len(values), edges, fill=True, color=BLUE)
    axes.axvline(0, color=GREY, linewidth=0.8)
    text = f"mean {values.mean():.3g}\nst. dev. {values.std():.3g}"
    if many:
        text += f"\n{zeros:.0%} are 0, not drawn"
    axes.text(0.98, 0.95, text, transform=axes.transAxes, ha="right", va="top", fontsize=9, bbox=BEHIND_TEXT)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g}%"))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.margins(y=0.35)
    axes.set_ylim(bottom=0)
