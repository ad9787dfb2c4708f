"""What the first layer looks for: its filters, or the weights of its units."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.plot.canvas import DIVERGING, new_figure
from nnctl.plot.pictures import picture_shape
from nnctl.plot.stages import readers
from nnctl.plot.tiles import Tiles, fitting_columns
from nnctl.runs.model import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The first of them are shown.
MOST = 64
#: Units and inputs of the largest matrix whose sides are named.
MOST_NAMES = 40


@dataclass(frozen=True)
class Filters:
    """The weights of one layer.

    Attributes:
        layer: its name.
        pictures: (n, height, width), or (n, height, width, 3) where filters see colours; None where the inputs
            are no picture.
        matrix: (inputs, units), where there are no pictures.
        each: what a picture is called: a filter, or a unit.
        captions: of the pictures.
    """

    layer: str
    pictures: Array | None
    matrix: Array | None
    each: str
    captions: tuple[str, ...]
    inputs: tuple[str, ...] = ()


def filters_of(model: Model, name: str) -> Filters:
    """The first layer with weights that an input reaches, as pictures where that is possible.

    Raises:
        ConfigError: where no layer has weights.
    """
    layout, reached = model.network.layout, readers(model.network, name)
    named = [full for full, parameter in layout.parameters.items() if parameter.role == "weight"]
    first = next((full for full in named if full.rpartition(".")[0] in reached), None)
    if first is None:
        raise ConfigError("filters: no layer of this network has weights; nothing to draw")
    layer, weight = first.rpartition(".")[0], layout.view(model.theta, first).astype(np.float64)
    numbers = tuple(str(i) for i in range(1, weight.shape[-1] + 1))
    if weight.ndim == 2:
        answers = tuple(unit for target in model.fitted.outputs.values() for unit in target.names)
        captions = answers if len(named) == 1 and weight.shape[-1] == len(answers) else numbers
        shape = picture_shape(model, name)
        if shape is None or prod(shape) != len(weight):  # read beside other inputs, or after other layers
            own = model.fitted.inputs[name].names
            every = tuple(unit for each in model.fitted.inputs.values() for unit in each.names)
            inputs = next((names for names in (own, every) if len(names) == len(weight)), ())
            return Filters(layer, None, weight, "unit", captions, inputs)
        pictures = weight.T.reshape(-1, *shape)
        return Filters(layer, pictures[..., 0] if shape[-1] == 1 else pictures, None, "unit", captions)
    if weight.ndim == 3:  # (kernel, channels, filters): time from left to right, a line for each channel
        return Filters(layer, weight.transpose(2, 1, 0), None, "filter", numbers)
    by_filter = weight.transpose(3, 0, 1, 2)  # (filters, kh, kw, channels)
    if by_filter.shape[-1] == 3 and picture_shape(model, name) is not None:
        return Filters(layer, by_filter, None, "filter", numbers)
    channels = by_filter.shape[-1]
    pictures = by_filter.transpose(0, 3, 1, 2).reshape(-1, *by_filter.shape[1:3])
    captions = numbers if channels == 1 else tuple(f"{f}, channel {c + 1}" for f in numbers for c in range(channels))
    return Filters(layer, pictures, None, "filter", captions)


def draw(first: Filters, title: str, width: float) -> Figure:
    """Blue adds to a unit's net input where the input is large, red takes away."""
    if first.pictures is None:
        return _draw_matrix(first, title, width)
    count = min(len(first.pictures), MOST)
    pictures, captions = first.pictures[:count], first.captions[:count]
    shown = (
        f"{len(first.pictures)} {first.each}s"
        if count == len(first.pictures)
        else (f"the first {count} of {len(first.pictures)} {first.each}s")
    )
    size = " × ".join(map(str, pictures.shape[1:]))
    aspect = pictures.shape[1] / pictures.shape[2]
    tiles = Tiles(count, fitting_columns(count, aspect), 0.82 * width, aspect, lines=1)
    figure = new_figure(width, tiles.height + 0.75, title)
    axes = figure.add_subplot()
    largest = float(np.abs(first.pictures).max()) or 1.0
    colours = pictures.ndim == 4
    if colours:
        pictures = 0.5 + 0.5 * pictures / largest
    image = tiles.draw(axes, pictures, captions, cmap=DIVERGING, vmin=-largest, vmax=largest)
    note = f"{first.layer}: {shown}, {size}" + (f"; grey is 0, full colour ±{largest:.3g}" if colours else "")
    axes.set_title(note, loc="left")
    if not colours:
        _colour_bar(figure, image)
    axes.set_anchor("W")
    return figure


def _draw_matrix(first: Filters, title: str, width: float) -> Figure:
    """The weights as a matrix, a line for each input and a column for each unit."""
    matrix = first.matrix if first.matrix is not None else np.zeros((1, 1))
    inputs, units = matrix.shape
    figure = new_figure(width, float(np.clip(0.24 * inputs, 2.5, 1.1 * width)) + 1.2, title)
    axes = figure.add_subplot()
    largest = float(np.abs(matrix).max()) or 1.0
    image = axes.imshow(matrix, cmap=DIVERGING, vmin=-largest, vmax=largest, aspect="auto")
    axes.set_title(f"{first.layer}: {inputs} inputs, {units} units", loc="left")
    axes.set_xlabel("unit")
    if inputs <= MOST_NAMES and first.inputs:
        axes.set_yticks(range(inputs), first.inputs, fontsize=9)
    else:
        axes.set_ylabel("input")
    if units <= MOST_NAMES:
        slanted = max(map(len, first.captions)) * units > 60
        axes.set_xticks(range(units), first.captions, fontsize=9, rotation=90 if slanted else 0)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _colour_bar(figure, image)
    return figure


def _colour_bar(figure: Figure, image: object) -> None:
    bar = figure.colorbar(image, ax=figure.axes[0], shrink=0.8, aspect=24)  # type: ignore[arg-type]
    bar.set_label("weight")
    bar.outline.set_visible(False)
