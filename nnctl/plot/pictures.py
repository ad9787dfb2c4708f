"""Examples as pictures: which models look at any, and how inputs become pixels again."""

from __future__ import annotations

import re
from math import isqrt, prod
from pathlib import Path

import numpy as np

from nnctl.data.columns import NumericColumn
from nnctl.data.encoder import ArrayEncoder, TableEncoder
from nnctl.data.sources.decoding import decode, pillow
from nnctl.data.sources.images import ImageSource
from nnctl.engine.batch import INPUT
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError, DataError
from nnctl.runs.model import Model

#: Fewer columns than this are no picture, however they are named.
FEWEST_PIXELS = 16


def picture_shape(model: Model) -> Shape | None:
    """(height, width, channels) of an example; None where it is no picture.

    A picture has two axes, or three of which the last is grey or three colours. The columns of a table are a
    picture where there is a square number of them, named alike but for numbers (`p00` to `p77`).
    """
    shape, encoder = model.network.inputs[INPUT].shape, model.encoder
    if len(shape) == 3:
        return shape if shape[-1] in (1, 3) else None
    if len(shape) == 2:
        first = next(iter(model.network.nodes.values())).layer
        # Flattened, or given a channel: no axis is one of channels, as it is for conv1d.
        grey = first.gives == "same" and first.output_shape(shape) in ((prod(shape),), (*shape, 1))
        return (*shape, 1) if grey else None
    if isinstance(encoder, TableEncoder):
        kinds = {re.sub(r"\d+", "#", name) for name in encoder.features}
        side = isqrt(len(encoder.features))
        if len(kinds) == 1 and "#" in kinds.pop() and side * side == len(encoder.features) >= FEWEST_PIXELS:
            return (side, side, 1)
    return None


def pixels(model: Model, x: Array, shape: Shape) -> Array:
    """Inputs (n, ...) as pictures from 0 to 1, (n, height, width) or (n, height, width, 3).

    The normalisation is undone first, for it makes of the same grey another one at every pixel.
    """
    raw = _raw(model.encoder, x.astype(np.float64)).reshape(len(x), *shape)
    low, high = raw.min(), raw.max()
    scaled: Array = (raw - low) / ((high - low) or 1.0)
    return scaled[..., 0] if shape[-1] == 1 else scaled


def _raw(encoder: ArrayEncoder | TableEncoder, z: Array) -> Array:
    """Inputs before their normalisation, z = (x - centre) / scale."""
    if isinstance(encoder, TableEncoder):
        columns = [c for c in encoder.columns if isinstance(c, NumericColumn)]
        raw: Array = z * np.array([c.scale for c in columns]) + np.array([c.centre for c in columns])
        return raw
    z = z.reshape(len(z), *encoder.input_shape)
    at_0, at_1 = (encoder.transform(np.full((1, *encoder.input_shape), v), np.float64) for v in (0.0, 1.0))
    array: Array = (z - at_0) / (at_1 - at_0)
    return array


def read_picture(path: Path, model: Model) -> Array:
    """A picture file as the inputs (1, ...) of a model, brought to the colours and the size of its examples.

    Raises:
        ConfigError: for a model that does not look at pictures.
        DataError: where the file cannot be read.
    """
    encoder, shape = model.encoder, picture_shape(model)
    if shape is None or not isinstance(encoder, ArrayEncoder):
        found = f"inputs of shape {model.network.inputs[INPUT].shape}" if shape is None else "columns of a table"
        raise ConfigError(f"--image {path}: this model takes {found}, no pictures; use --example N")
    height, width, channels = shape
    source = model.experiment.data.source or model.experiment.data.train
    fit = source.fit if isinstance(source, ImageSource) else "stretch"
    try:
        with pillow():
            picture = decode(path.read_bytes(), "grey" if channels == 1 else "rgb", (height, width), fit)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    x: Array = encoder.transform(picture.reshape(1, *encoder.input_shape), model.theta.dtype)
    return x
