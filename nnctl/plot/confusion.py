"""What was taken for what, as a heat map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.plot.canvas import new_figure, panels, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

#: Light for none, dark for all; the counts stay readable on it.
COLOURS = "Blues"
LONGEST_NAME = 18
#: Counts smaller than this, in points, are left out; so are names, some of them.
SMALLEST_TEXT = 5.0
#: With more classes than this, squares of none stay empty.
ZEROS_UP_TO = 20


def draw(names: Sequence[str], matrix: Array, title: str, width: float) -> Figure:
    """A square for every pair of true and predicted class; for labels, (k, 2, 2), a small matrix for each."""
    if matrix.ndim == 2:
        figure = new_figure(width, 0.84 * width + 0.2, title)
        axes = figure.add_subplot()
        image = heat_map(axes, short_names(names), matrix, 0.66 * width / len(matrix))
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
    else:
        columns = min(len(matrix), max(1, int(width / 2.6)))
        rows = -(-len(matrix) // columns)
        figure = new_figure(width, 0.8 + 0.84 * width / columns * rows, title)
        for axes, name, part in zip(panels(figure, len(matrix), columns), short_names(names), matrix, strict=True):
            image = heat_map(axes, ["no", "yes"], part, 0.5 * width / columns / 2)
            axes.set_title(name)
        figure.supxlabel("predicted", fontsize=11)
        figure.supylabel("true", fontsize=11)
    bar = figure.colorbar(image, ax=figure.axes, shrink=0.7, aspect=28, format=lambda share, _: f"{share:.0%}")
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    return figure


def heat_map(axes: Axes, names: Sequence[str], matrix: Array, cell: float) -> AxesImage:
    """A matrix of counts, each row coloured by its shares; `cell` is the side of a square in inches."""
    counts = matrix.astype(np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    image = axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1)
    texts = [[_count(value) for value in row] for row in matrix.tolist()]
    longest = max(len(text) for row in texts for text in row)
    size = min(11.0, 72 * cell * 0.4, 72 * cell / (0.75 * longest))
    if size >= SMALLEST_TEXT:
        for (i, j), share in np.ndenumerate(shares):
            if matrix[i, j] == 0 and len(matrix) > ZEROS_UP_TO:
                continue
            colour = "#b0b0b0" if matrix[i, j] == 0 else "white" if share > 0.55 else "black"
            axes.text(j, i, texts[i][j], ha="center", va="center", fontsize=size, color=colour)
    _name_ticks(axes, names, cell)
    return image


def _name_ticks(axes: Axes, names: Sequence[str], cell: float) -> None:
    """The classes along both sides; every second, third ... where there is no room for all."""
    size = min(11.0, max(SMALLEST_TEXT + 1.5, 72 * cell * 0.55))
    step = max(1, int(np.ceil(size * 1.15 / (72 * cell))))
    places = range(0, len(names), step)
    shown = [names[i] for i in places]
    slanted = max(map(len, shown)) * size * 0.62 > 72 * cell * step
    axes.set_xticks(places, shown, fontsize=size, rotation=45 if slanted else 0, ha="right" if slanted else "center")
    if slanted:
        axes.tick_params(axis="x", pad=1)
        for label in axes.get_xticklabels():
            label.set_rotation_mode("anchor")
    axes.set_yticks(places, shown, fontsize=size)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _count(value: float) -> str:
    """A count; sums of weights to three digits."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"


def short_names(names: Sequence[str]) -> list[str]:
    """Names of at most `LONGEST_NAME` letters that are as different as the names are.

    Long ones are cut at the end, or in the middle, or at their common beginning: the first way that keeps them apart;
    where none does, they are numbered.
    """
    long = [name for name in names if len(name) > LONGEST_NAME]
    alike = (len(set(letters)) == 1 for letters in zip(*long, strict=False))
    start = sum(takewhile(bool, alike))
    ways: tuple[Callable[[str], str], ...] = (
        _cut,
        lambda name: shortened(name, LONGEST_NAME),
        lambda name: _cut(f"…{name[start:]}"),
    )
    for way in ways:
        shown = [way(name) if len(name) > LONGEST_NAME else name for name in names]
        if len(set(shown)) == len(set(names)):
            return shown
    return [shortened(f"{i} {name}", LONGEST_NAME) for i, name in enumerate(names, start=1)]


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
