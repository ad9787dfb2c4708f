"""Gradient clipping: against steps that leap off a cliff of the error surface.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
ICML 2013, Algorithm 1 (by norm); Mikolov, "Statistical language models based on neural networks",
2012 (by value). By the norm of each tensor, the limit is one of every layer: what one of them has too much of does not
shorten the others' steps, but the direction changes.

```yaml
clip_norm: 5.0
clip_norm_each: 1.0
clip_value: 1.0
```
"""

from collections.abc import Iterable
from math import inf, isfinite, sqrt

import numpy as np

from nnctl.engine.parameters import Array

#: Entries a product takes at a time: few enough that no BLAS cuts it up among threads of its own, so that the
#: order of the additions depends on nothing but the length.
BLOCK = 8_192
#: Sums of n squares above n times this have lost less than a rounding to squares that underflowed.
LOST = {dtype: float(np.finfo(dtype).tiny / np.finfo(dtype).eps) for dtype in (np.float32, np.float64)}


def norm(vector: Array) -> float:
    """The Euclidean norm; blocks are added up in float64 whatever the dtype.

    Within a block the dtype's own dot product is used: 17 us for 235,000 float32 entries, where squares in
    float64 took 130. Only where squares are too large for the dtype, or so small that it rounds them to nothing, are
    they taken of entries divided by the largest: |g| = m |g / m|. A vector that is not finite has no finite norm.
    """
    with np.errstate(all="ignore"):  # a norm of inf says what happened
        squared = _squared(vector)
        if len(vector) * LOST[vector.dtype.type] < squared < inf:
            return sqrt(squared)
        largest = float(np.abs(vector).max(initial=0))
        return largest * sqrt(_squared(vector / np.float64(largest))) if 0 < largest < inf else largest


def _squared(vector: Array) -> float:
    whole = len(vector) // BLOCK * BLOCK
    blocks, rest = vector[:whole].reshape(-1, BLOCK), vector[whole:]
    return float(np.vecdot(rest, rest)) + (float(np.vecdot(blocks, blocks).sum(dtype=np.float64)) if whole else 0.0)


def clip_by_norm(g: Array, limit: float, *, epsilon: float = 0.0) -> float:
    """Shorten g, in place, to at most `limit`, keeping its direction; returns the norm it had.

        g = g limit / (|g| + epsilon)    if |g| + epsilon > limit

    g is the whole gradient, over all layers. The paper has no epsilon; PyTorch adds 1e-6, which
    leaves clipped gradients that much shorter. A g that is not finite is left as it is, for whoever
    reports it to find where.
    """
    length = norm(g)
    if isfinite(length) and length + epsilon > limit:
        g *= limit / (length + epsilon)
    return length


def clip_each_by_norm(g: Array, spans: Iterable[slice], limit: float) -> None:
    """Shorten each part of g, in place, to at most `limit`; `spans` are those of the tensors.

    g_k = g_k limit / |g_k|    if |g_k| > limit
    """
    for span in spans:
        clip_by_norm(g[span], limit)


def clip_by_value(g: Array, limit: float) -> None:
    """Cut every entry of g, in place, to [-limit, limit]; this changes the direction."""
    np.clip(g, -limit, limit, out=g)
