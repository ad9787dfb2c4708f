"""Centre and scale of numbers: the textbook statistics, computed so that they do not overflow."""

from collections.abc import Iterator
from math import prod

import numpy as np

from nnctl.data.image_cache import gather
from nnctl.data.preprocess import Logarithm
from nnctl.engine.parameters import Array
from nnctl.errors import DataError

#: Bytes of an array looked at in one go.
BLOCK = 1 << 24
#: What a logarithm is undone to at most: an untrained network may say anything, and metrics square it.
LARGEST = 1e100


def spread(values: Array) -> tuple[float, float]:
    """Mean and standard deviation (divided by n); a constant's deviation is exactly 0."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return low, 0.0
    unit = max(abs(low), abs(high))  # the squares of values / unit neither overflow nor vanish
    scaled = values / unit
    return float(scaled.mean()) * unit, float(scaled.std()) * unit


def centre_and_scale(values: Array, method: str) -> tuple[float, float]:
    """The numbers c and s of z = (x - c) / s, for values (n,) that are finite; (0, 1) of none."""
    if not len(values) or method == "none":
        return 0.0, 1.0
    if method == "scale":
        return 0.0, 255.0
    if method == "min_max":
        low, high = float(values.min()), float(values.max())
        centre, scale = low, high - low
    elif method == "robust":
        first, centre, third = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
        scale = third - first or spread(values)[1]
    else:
        centre, scale = spread(values)
    return centre, scale if scale > 0 else 1.0


def logarithm(x: Array, kind: Logarithm | None) -> Array:
    """The logarithm ln x or ln(1 + x), or x itself; where there is none, -inf or NaN."""
    if kind is None:
        return x
    with np.errstate(divide="ignore", invalid="ignore"):
        y: Array = np.log(x) if kind == "log" else np.log1p(np.where(x < 0, np.nan, x))
    return y


def antilogarithm(y: Array, kind: Logarithm | None) -> Array:
    """What `logarithm` made y of."""
    if kind is None:
        return y
    y = np.minimum(y, np.log(LARGEST))
    x: Array = np.exp(y) if kind == "log" else np.expm1(y)
    return x


def centres_and_scales(x: Array, rows: Array, method: str, by: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The same for arrays x (n, ...), from some of their rows: a number for each feature, each channel, or for all.

    Features are in C order. Of bytes, `auto` is `scale` where not by channel; one block of rows is looked at at a time.
    """
    shape = x.shape[1:]
    if method == "auto":
        method = "scale" if x.dtype == np.uint8 and by == "value" else "standardize"
    if method in ("scale", "none"):
        centre, scale = centre_and_scale(np.ones(1), method)
        return (centre,), (scale,)
    statistics = _quantiles if method == "robust" else _moments
    centres, scales = statistics(x.reshape(len(x), -1), rows, method)
    if by == "channel":
        centres, scales = _by_channel(centres, scales, shape[-1] if len(shape) > 2 else 1, method)
    if not (np.isfinite(centres).all() and np.isfinite(scales).all()):
        raise DataError(
            f"the inputs hold numbers up to {np.abs(x).max():.3g}, whose spread is larger than any number; divide them "
            "before, or write data.preprocess: {numeric: none}"
        )
    return tuple(centres.tolist()), tuple(np.where(scales > 0, scales, 1.0).tolist())


def blocks(x: Array, rows: Array | None = None) -> Iterator[Array]:
    """An array's examples as float64 (n, features), some rows at a time."""
    count = len(x) if rows is None else len(rows)
    step = max(1, BLOCK // (8 * max(1, prod(x.shape[1:]))))
    for start in range(0, count, step):
        part = slice(start, start + step)
        yield gather(x, part if rows is None else rows[part]).astype(np.float64).reshape(-1, prod(x.shape[1:]))


def _moments(x: Array, rows: Array, method: str) -> tuple[Array, Array]:
    """Mean and standard deviation, or smallest and range, of each feature; constants get a scale of 0."""
    low, high = np.full(x.shape[1], np.inf), np.full(x.shape[1], -np.inf)
    for block in blocks(x, rows):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    if method == "min_max":
        return low, high - low
    mean = sum(block.sum(axis=0) for block in blocks(x, rows)) / len(rows)
    squares = sum(((block - mean) ** 2).sum(axis=0) for block in blocks(x, rows))
    constant = low == high
    return np.where(constant, low, mean), np.where(constant, 0.0, np.sqrt(squares / len(rows)))


def _by_channel(centres: Array, scales: Array, channels: int, method: str) -> tuple[Array, Array]:
    """Centre and scale of channels, from those of their features, which have as many examples each."""
    c, s = centres.reshape(-1, channels), scales.reshape(-1, channels)  # (h w, channels)
    if method == "min_max":
        low = c.min(axis=0)
        return low, (c + s).max(axis=0) - low
    mean: Array = c.mean(axis=0)
    return mean, np.sqrt((s**2 + (c - mean) ** 2).mean(axis=0))


def _quantiles(x: Array, rows: Array, method: str) -> tuple[Array, Array]:
    """As for columns, a few features at a time: a median needs all rows of them."""
    step = max(1, BLOCK // (8 * len(rows)))
    fitted = [
        centre_and_scale(feature, method)
        for start in range(0, x.shape[1], step)
        for feature in gather(x[:, start : start + step], rows).astype(np.float64).T
    ]
    return np.array([c for c, _ in fitted]), np.array([s for _, s in fitted])


def refuse_non_finite(x: Array, name: str) -> None:
    """Check that an array has numbers, and that every one of them is finite.

    Raises:
        DataError: with the first example that is not.
    """
    if not prod(x.shape[1:]):
        raise DataError(f"{name}: examples of shape {x.shape[1:]} hold no numbers to learn from")
    if x.dtype.kind != "f":
        return
    start = 0
    for block in blocks(x):
        wrong = ~np.isfinite(block).all(axis=1)
        if wrong.any():
            row = start + int(wrong.argmax())
            raise DataError(
                f"{name}: example {row} (counted from 0) holds NaN or infinity; fill or remove it, "
                "arrays are taken as they are"
            )
        start += len(block)
