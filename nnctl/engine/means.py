"""Weighted sums and means in which an example of weight 0 does not exist, whatever its value."""

import numpy as np

from nnctl.engine.parameters import Array


def counted(values: Array, weights: Array) -> Array:
    """The values (..., k) with 0 in place of those of weight 0; the weights have the first axes of the values.

    0 times infinity is not a number: the loss of an example that does not count, infinite or unknown, would spoil
    the sum of all. Sums of a batch's losses are therefore `weights @ counted(losses, weights)`.
    """
    if weights.all():
        return values
    kept = (weights != 0).reshape(*weights.shape, *[1] * (values.ndim - weights.ndim))
    return np.where(kept, values, values.dtype.type(0))


def weighted_sum(values: Array, weights: Array | None) -> Array:
    """The weighted sum over the first axis, in float64; plain counts of truths stay integers.

    Not a matrix product, whose last bits depend on the BLAS and its number of threads.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # infinite values make an infinite sum, or nan
        if weights is None:
            return np.asarray(values.sum(axis=0, dtype=np.float64 if values.dtype.kind == "f" else np.int64))
        w = np.asarray(weights, np.float64)
        return np.asarray((w.reshape(-1, *[1] * (values.ndim - 1)) * counted(values, w)).sum(axis=0))


def weighted_mean(values: Array, weights: Array | None) -> Array:
    """The weighted mean over the first axis, in float64; nan where the weights add up to 0."""
    mass = len(values) if weights is None else weighted_sum(weights, None)
    return ratio(weighted_sum(values, weights), np.asarray(mass), np.nan)


def ratio(numerator: Array, denominator: Array, otherwise: float) -> Array:
    """The quotient, entry by entry; `otherwise` where the denominator is 0."""
    numerator, denominator = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    return np.divide(numerator, denominator, out=np.full_like(numerator, otherwise), where=denominator != 0)


def mean_of_defined(values: Array) -> float:
    """The mean of the entries that are numbers; nan where there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
