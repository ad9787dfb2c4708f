"""What was taken for what, in counts and the ratios that are made of them."""

from typing import NamedTuple

import numpy as np

from nnctl.engine.means import counted, ratio
from nnctl.engine.parameters import Array


class Counts(NamedTuple):
    """Weighted counts of each class or label, (columns,)."""

    hits: Array  # decided and true
    missed: Array  # true and not decided
    false: Array  # decided and not true

    @property
    def true(self) -> Array:
        """How often each is true."""
        return np.asarray(self.hits + self.missed)

    @property
    def decided(self) -> Array:
        """How often each is decided."""
        return np.asarray(self.hits + self.false)

    @property
    def absent(self) -> Array:
        """Which classes are neither true nor decided anywhere: nothing can be said of them."""
        return np.asarray(self.hits + self.missed + self.false == 0)

    def total(self) -> "Counts":
        """The counts of all classes together, (1,)."""
        return Counts(*(np.sum(part, keepdims=True) for part in self))


class ClassRow(NamedTuple):
    """One line of the report per class; a ratio is nan for a class that occurs nowhere."""

    name: str
    precision: float
    recall: float
    f1: float
    support: float


class Confused(NamedTuple):
    """How many examples of a class were taken for another; with weights, how much they weigh."""

    true: str
    predicted: str
    examples: float


def totals(classes: Array, columns: int, values: Array | None, weights: Array | None) -> Array:
    """The weighted sums (columns,) of values (n,), or of 1, over the examples of each class."""
    if values is None or weights is None:
        return np.bincount(classes, weights if values is None else values, minlength=columns)
    return np.bincount(classes, counted(values, weights) * weights, minlength=columns)


def precision(c: Counts) -> Array:
    """How many of the decided are true; 0 for a class never decided but true somewhere."""
    return np.where(c.absent, np.nan, ratio(c.hits, c.decided, 0.0))


def recall(c: Counts) -> Array:
    """How many of the true are decided; 0 for a class decided somewhere but never true."""
    return np.where(c.absent, np.nan, ratio(c.hits, c.true, 0.0))


def f1(c: Counts) -> Array:
    """The harmonic mean of precision and recall, 2 hits / (2 hits + missed + false)."""
    return ratio(2 * c.hits, 2 * c.hits + c.missed + c.false, np.nan)
