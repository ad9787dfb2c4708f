"""Functions of logits written so that nothing overflows and nothing cancels."""

import numpy as np

from nnctl.engine.parameters import Array


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z))."""
    with np.errstate(over="ignore"):  # exp(1e4) is inf, and 1 / (1 + inf) = 0 is the limit wanted
        p: Array = 1 / (1 + np.exp(-z))
    return p


def log(p: Array) -> Array:
    """The natural logarithm; that of 0 is -infinity, without a warning."""
    with np.errstate(divide="ignore"):
        return np.log(p)


def softplus(z: Array) -> Array:
    """The logarithm of 1 + exp(z).

    For p = sigmoid(z) it is -log(1 - p), and softplus(-z) is -log p.
    """
    y: Array = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    return y


def log_softmax(z: Array, out: Array) -> Array:
    """Z - log sum exp(z) along the last axis, in `out`, which may be `z`.

    A logit of -inf is a class that cannot be: p = 0. One of +inf is an overflow, and gives nan.
    """
    np.subtract(z, z.max(axis=-1, keepdims=True), out=out)
    out -= np.log(np.exp(out).sum(axis=-1, keepdims=True))
    return out


def weighted(weight: Array, value: Array) -> Array:
    """The weight times the value, and 0 where the weight is 0: as in entropies, 0 log 0 = 0."""
    with np.errstate(invalid="ignore"):
        product: Array = weight * value
    return np.where(weight == 0, product.dtype.type(0), product) if np.isnan(product).any() else product
