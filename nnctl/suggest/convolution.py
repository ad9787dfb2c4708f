"""A convolutional network for images: as deep as they are large, as wide as there are examples for it."""

from __future__ import annotations

from math import ceil
from typing import Any, NamedTuple

from nnctl.config.architecture import Wanted, build
from nnctl.config.model import Model
from nnctl.data.loading import LoadedData
from nnctl.data.sources.images import ImageSource
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.graph import Signal
from nnctl.engine.parameters import Shape
from nnctl.suggest.commented import Because, plain
from nnctl.suggest.training import Pace

#: Smaller arrays have no neighbourhoods worth a filter.
LEAST_SIDE = 8
#: Grey, grey with transparency, red-green-blue, and with transparency.
MOST_CHANNELS = 4
#: The first layer brings larger images down to this, as most of the time goes into the first layers.
LARGE_SIDE = 64
MOST_FILTERS = 64
LEAST_FILTERS = 8
DROPOUT = 0.3
#: Multiply-adds forward over a whole training: some minutes on two cores.
BUDGET = 1e12
FEWEST_EPOCHS = 5


class Size(NamedTuple):
    """What suits training sets from `rows` images on; `dense` units lie between filters and output, 0 for none."""

    rows: int
    filters: int
    dense: int
    pace: Pace


SIZES = (
    Size(0, 8, 0, Pace(batch=16, rate=0.002, epochs=150, patience=15)),
    Size(1_000, 16, 64, Pace(batch=32, rate=0.001, epochs=100, patience=8)),
    Size(10_000, 16, 128, Pace(batch=64, rate=0.001, epochs=20, patience=4)),
)


def is_image(shape: Shape) -> bool:
    """Whether examples of a shape are taken for images: (h, w), or (h, w, channels) with few channels."""
    return len(shape) in (2, 3) and min(shape[:2]) >= LEAST_SIDE and max(shape[2:], default=1) <= MOST_CHANNELS


def convolutional(data: LoadedData, name: str) -> tuple[list[Any], Pace, str, str]:
    """The layers for an input of images, the pace of its training, what an image costs, in words, and why."""
    rows, shape = len(data.train), data.inputs[name].shape
    size = max(size for size in SIZES if size.rows <= rows)
    filters = size.filters
    # Narrower until the fewest epochs are affordable.
    while filters > LEAST_FILTERS and FEWEST_EPOCHS * rows * _cost(data, name, _layers(shape, filters, size)) > BUDGET:
        filters //= 2
    layers = _layers(shape, filters, size)
    cost = _cost(data, name, layers)
    epochs = min(size.pace.epochs, max(FEWEST_EPOCHS, round(BUDGET / (rows * cost))))
    words = f"{max(cost / 1e6, 0.1):.1f} million multiply-adds an image"
    reason = (
        f"filters slide over images of {shape[0]} x {shape[1]}, at first {filters}, as there are {rows} to train on"
    )
    if name == INPUT and not isinstance(data.resolved.source or data.resolved.train, ImageSource):
        reason += "; if these are no images, write `hidden: [64]` instead of layers"
    return layers, size.pace._replace(epochs=epochs), words, reason


def _cost(data: LoadedData, name: str, layers: list[Any]) -> int:
    target = next(iter(data.targets.values()))
    loss, _ = target.suited_loss
    model = Model.model_validate({"layers": plain(layers)})
    wanted = {OUTPUT: Wanted(target.outputs(loss), loss)}
    return build(model, {INPUT: Signal(data.inputs[name].shape)}, wanted).network.multiply_adds


def _layers(shape: Shape, filters: int, size: Size) -> list[Any]:
    """Convolutions, each followed by pooling, until both sides are below 8; then the output."""
    strides = [ceil(side / LARGE_SIDE) for side in shape[:2]]
    sides = [ceil(side / stride) for side, stride in zip(shape[:2], strides, strict=True)]
    layers: list[Any] = [_first(filters, strides, sides)]
    while True:
        window = [2 if side >= LEAST_SIDE else 1 for side in sides]
        sides = [side // step for side, step in zip(sides, window, strict=True)]
        layers += [_pool(window), "relu"]
        if max(sides) < LEAST_SIDE:
            break
        filters = min(2 * filters, MOST_FILTERS)
        layers.append({"conv": filters})
    inputs = sides[0] * sides[1] * filters
    pooled = "global_average_pool instead has far fewer weights behind it, and forgets where things were"
    layers += [Because("flatten", f"to {inputs} numbers; {pooled}"), _dropout("half as much if it learns too slowly")]
    if size.dense:
        layers += [{"dense": size.dense, "activation": "relu"}, _dropout("")]
    return [*layers, Because("dense", "the output, as many units as the target needs")]


def _first(filters: int, strides: list[int], sides: list[int]) -> Any:
    if max(strides) == 1:
        return Because({"conv": filters}, "filters of 3 x 3")
    stride = strides[0] if strides[0] == strides[1] else strides
    reason = f"large images: these steps bring them to {sides[0]} x {sides[1]}"
    return Because({"conv": filters, "kernel": 2 * max(strides) + 1, "stride": stride}, reason)


def _pool(window: list[int]) -> dict[str, Any]:
    return {"max_pool": window[0] if window[0] == window[1] else window}


def _dropout(reason: str) -> Any:
    layer = {"dropout": DROPOUT}
    return Because(layer, reason) if reason else layer
