"""Examples as pictures: which models look at any, and how inputs become pixels again."""

from __future__ import annotations

import re
from math import isqrt, prod
from pathlib import Path

import numpy as np

from nnctl.data.inputs import FittedInput
from nnctl.data.sources.decoding import Fit, decode, pillow
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError, DataError
from nnctl.runs.model import Model

#: Fewer columns than this are no picture, however they are named.
FEWEST_PIXELS = 16


def picture_input(model: Model) -> str | None:
    """The first input whose examples are pictures; None where there is none."""
    return next((name for name in model.network.inputs if picture_shape(model, name) is not None), None)


def picture_shape(model: Model, name: str) -> Shape | None:
    """(height, width, channels) of an example of an input; None where it is no picture.

    A picture has two axes, or three of which the last is grey or three colours. The columns of a table are a
    picture where there is a square number of them, named alike but for numbers (`p00` to `p77`).
    """
    signal, names = model.network.inputs[name], model.fitted.inputs[name].names
    shape = signal.shape
    if signal.steps:
        return None
    if len(shape) == 3:
        return shape if shape[-1] in (1, 3) else None
    if len(shape) == 2:
        first = next((node.layer for node in model.network.nodes.values() if name in node.inputs), None)
        # Flattened, or given a channel: no axis is one of channels, as it is for conv1d.
        grey = first and first.gives == "same" and first.output_shape(shape) in ((prod(shape),), (*shape, 1))
        return (*shape, 1) if grey else None
    kinds, side = {re.sub(r"\d+", "#", name) for name in names}, isqrt(len(names))
    pixels = len(kinds) == 1 and "#" in kinds.pop() and side * side == len(names) >= FEWEST_PIXELS
    return (side, side, 1) if pixels else None


def pixels(model: Model, name: str, x: Array) -> Array:
    """Values (n, ...) of an input that is a picture, from 0 to 1, (n, height, width) or (n, height, width, 3).

    The normalisation is undone first, for it makes of the same grey another one at every pixel.
    """
    shape = picture_shape(model, name)
    if shape is None:
        raise TypeError(f"the input {name} is no picture")
    raw = model.fitted.inputs[name].undone(x.astype(np.float64)).reshape(len(x), *shape)
    low, high = raw.min(), raw.max()
    scaled: Array = (raw - low) / ((high - low) or 1.0)
    return scaled[..., 0] if shape[-1] == 1 else scaled


def read_picture(path: Path, model: Model, name: str) -> Array:
    """A picture file as an input (1, ...) of a model, brought to the colours and the size of its examples.

    Raises:
        ConfigError: for an input that is no picture.
        DataError: where the file cannot be read.
    """
    fitted: FittedInput = model.fitted.inputs[name]
    shape = picture_shape(model, name)
    if shape is None or fitted.names:
        taken = f"inputs of shape {model.network.inputs[name].shape}" if shape is None else "columns of a table"
        raise ConfigError(f"--image {path}: this model takes {taken}, no pictures; use --example N")
    height, width, channels = shape
    source = model.experiment.data.source or model.experiment.data.train
    fit: Fit = getattr(fitted, "fit", getattr(source, "fit", "stretch"))
    try:
        with pillow():
            picture = decode(path.read_bytes(), "grey" if channels == 1 else "rgb", (height, width), fit)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    x: Array = fitted.transform(picture.reshape(1, *fitted.shape), model.theta.dtype)
    return x
