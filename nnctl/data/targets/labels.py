"""Several labels, each of which is true or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from nnctl.data.tables import MEANING, Table, as_labels
from nnctl.data.targets.base import Target
from nnctl.data.targets.classes import shares_text
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.losses import BinaryCrossEntropy
from nnctl.losses.base import LossSpec
from nnctl.metrics import LabelPredictions, PredictionsKind, Task

if TYPE_CHECKING:
    import polars as pl


class Labels(Target):
    """k labels, a column of 0 and 1 each. The truth is (n, k), 0 or 1, and so is what a loss sees."""

    type: Literal["labels"] = "labels"

    task: ClassVar[Task] = "multilabel"
    predicts: ClassVar[PredictionsKind] = LabelPredictions

    @classmethod
    def fit(cls, table: Table, columns: Sequence[str], scaling: str, train: Array) -> Self:
        return cls(columns=tuple(columns))

    def read(self, table: Table) -> tuple[Array, Array]:
        table.require(self.columns)
        truth = np.stack([_zero_one(table, name) for name in self.columns], axis=1)  # (n, k), empty cells as NaN
        return np.nan_to_num(truth), ~np.isnan(truth).any(axis=1)

    @property
    def suited_loss(self) -> tuple[LossSpec, str]:
        return BinaryCrossEntropy(), "each label is there or not"

    def trivial_text(self, outputs: Array) -> str:
        return "each label as frequent as in the training data"

    def counts(self, truth: Array) -> dict[str, int]:
        return {name: int(n) for name, n in zip(self.columns, truth.sum(axis=0), strict=True)}

    def reason(self, train: Array, *, asked: bool) -> str:
        return f"{len(self.columns)} labels {shares_text(self.counts(train))}"

    def truth_text(self, truth: Array) -> str:
        return self._listed(truth != 0)

    def answer_text(self, outputs: Array) -> str:
        return self._listed(outputs > 0.5)

    def decisions(self, decoded: Array) -> list[pl.Series]:
        import polars as pl

        return [pl.Series(column) for column in (decoded > 0.5).astype(np.int8).T]

    def _listed(self, has: Array) -> str:
        return ", ".join(name for name, yes in zip(self.columns, has, strict=True) if yes) or "none"


def is_label(table: Table, name: str) -> bool:
    """Whether a column holds words for yes and no alone, of whichever pair."""
    return set(as_labels(table[name]).drop_nulls().str.to_lowercase().unique().to_list()) <= set(MEANING)


def _zero_one(table: Table, name: str) -> Array:
    """A column of labels (n,), empty cells as NaN."""
    labels = as_labels(table[name])
    values = [float("nan") if label is None else MEANING.get(label.lower(), -1.0) for label in labels]
    for row, value in enumerate(values):
        if value < 0:
            raise DataError(f"{table.place(row)}: label {name!r} is {labels[row]!r}; labels are 0 or 1")
    return np.array(values)
