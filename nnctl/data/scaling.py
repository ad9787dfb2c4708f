"""Centre and scale of numbers: the textbook statistics, computed so that they do not overflow."""

import numpy as np

from nnctl.engine.parameters import Array


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
