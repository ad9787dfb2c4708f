"""What was taken for what."""

from typing import NamedTuple

import numpy as np

from nnctl.engine.means import ratio
from nnctl.engine.parameters import Array
from nnctl.metrics.predictions import Predictions, totals


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


def counts(p: Predictions, threshold: float | None = None) -> Counts:
    """How often each class or label was decided, was true, and was both."""
    decided = p.decided if threshold is None else p.decide(threshold)
    if p.task == "multilabel":
        return Counts(p.total(decided & p.true), p.total(~decided & p.true), p.total(decided & ~p.true))
    wrong, w = decided != p.truth, p.weights
    of_wrong = None if w is None else w[wrong]
    return Counts(
        totals(p.truth[~wrong], p.columns, None, None if w is None else w[~wrong]),
        totals(p.truth[wrong], p.columns, None, of_wrong),
        totals(decided[wrong], p.columns, None, of_wrong),
    )


def confusion_matrix(p: Predictions) -> Array:
    """Weighted counts, a row for each true class, a column for each decided one: (C, C).

    For labels one 2 by 2 matrix each, [[neither, only decided], [only true, both]]: (k, 2, 2).
    Integers where no weights are given.
    """
    if p.task == "classification":
        pairs = p.truth * p.columns + p.decided
        return np.bincount(pairs, p.weights, minlength=p.columns**2).reshape(p.columns, p.columns)
    decided, true = p.decided, p.true
    cells = (~decided & ~true, decided & ~true, ~decided & true, decided & true)
    return np.stack([p.total(cell) for cell in cells], axis=1).reshape(-1, 2, 2)


def confused(p: Predictions) -> list[Confused]:
    """Which classes are taken for others, the most frequent first; the square of all pairs is never laid out."""
    wrong = p.decided != p.truth
    pairs, which = np.unique(p.truth[wrong] * p.columns + p.decided[wrong], return_inverse=True)
    examples = np.bincount(which, None if p.weights is None else p.weights[wrong], minlength=len(pairs))
    most = np.argsort(-examples, kind="stable")
    rows = zip(*(part[most].tolist() for part in (*np.divmod(pairs, p.columns), examples)), strict=True)
    return [Confused(p.names[true], p.names[decided], count) for true, decided, count in rows if count]


def class_report(p: Predictions) -> list[ClassRow]:
    """Precision, recall, F1 and (weighted) support of every class or label, in their order."""
    c = counts(p)
    figures = (precision(c), recall(c), f1(c), c.true)
    return [ClassRow(*row) for row in zip(p.names, *(figure.tolist() for figure in figures), strict=True)]


def precision(c: Counts) -> Array:
    """How many of the decided are true; 0 for a class never decided but true somewhere."""
    return np.where(c.absent, np.nan, ratio(c.hits, c.decided, 0.0))


def recall(c: Counts) -> Array:
    """How many of the true are decided; 0 for a class decided somewhere but never true."""
    return np.where(c.absent, np.nan, ratio(c.hits, c.true, 0.0))


def f1(c: Counts) -> Array:
    """The harmonic mean of precision and recall, 2 hits / (2 hits + missed + false)."""
    return ratio(2 * c.hits, 2 * c.hits + c.missed + c.false, np.nan)
