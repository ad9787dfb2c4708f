"""The contract every target keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.columns import Column
from nnctl.data.tables import FEW_ROWS, Table, as_labels
from nnctl.engine.loss import Loss
from nnctl.engine.means import weighted_mean
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.losses.base import LossSpec
from nnctl.metrics import Metric, Predictions, PredictionsKind, Task, usual_metrics
from nnctl.spec import Listed, Spec

if TYPE_CHECKING:
    import polars as pl


class Target(Spec):
    """What is predicted, as it was in training: how cells become the truth, the truth a loss's targets, outputs words.

    The truth is (n,) or (n, k) in the target's own terms; *decoded* outputs are (n, columns), one for each name.
    """

    type: str
    columns: Annotated[tuple[str, ...], Listed]

    #: What `data.task`, losses and metrics call this kind of target.
    task: ClassVar[Task]
    #: What decoded outputs are beside the truth.
    predicts: ClassVar[PredictionsKind]
    #: Whether every split should have its share of each of the target's groups, see `strata`.
    stratified: ClassVar[bool] = False
    #: Whether decoded outputs say how probable each name is.
    has_shares: ClassVar[bool] = True

    # What it is, from the table.

    @classmethod
    def fit(cls, table: Table, columns: Sequence[str], scaling: str, train: Array) -> Self:
        """The target of a table's columns; what is counted or measured is that of the `train` rows."""
        raise NotImplementedError

    @classmethod
    def strata(cls, table: Table, columns: Sequence[str]) -> Array | None:
        """The group of each row (n,) that every split should have its share of; None where there are no groups."""
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """Of what decoded outputs have a column for."""
        return self.columns

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of which one is true; none of a target of another kind."""
        return ()

    def read(self, table: Table) -> tuple[Array, Array]:
        """The truth of a table's rows, and which of them have one, (n,); the others' is a number that does no harm.

        Raises:
            DataError: for a cell that is not empty and cannot be the truth.
        """
        raise NotImplementedError

    def read_all(self, table: Table) -> Array:
        """The truth of a table's rows, which must all have one."""
        truth, known = self.read(table)
        refuse_missing(table, ~known)
        return truth

    def truth(self, table: Table) -> Truth:
        """The truth of a table's rows, some of which may have none."""
        values, known = self.read(table)
        return Truth(self, values, None if known.all() else known)

    # What a loss sees, and what it says.

    def outputs(self, loss: Loss) -> int:
        """How many outputs a network needs."""
        return len(self.names)

    def encode(self, truth: Array, loss: Loss, dtype: DTypeLike) -> Array:
        """The truth as the loss takes it."""
        return truth.astype(dtype)

    def shares(self, t: Array) -> Array:
        """An encoded truth that a share of can be taken, as mixing examples does."""
        return t

    def decode(self, predicted: Array) -> Array:
        """What `Loss.predict` returns, a column for each name, in the target's own units."""
        return predicted

    def predictions(self, decoded: Array, truth: Array, weights: Array | None = None) -> Predictions:
        """Decoded outputs beside the truth, for the metrics."""
        return self.predicts(decoded, truth, weights, self.names)

    @property
    def no_predictions(self) -> Predictions:
        """Predictions of no examples, of which a metric says whether it is for such as these."""
        return self.predicts.none(len(self.names))

    # What suits it where the experiment says nothing.

    @property
    def suited_loss(self) -> tuple[LossSpec, str]:
        """The loss, and why."""
        raise NotImplementedError

    @property
    def suited_metrics(self) -> tuple[Metric, ...]:
        """The metrics."""
        return usual_metrics(self.predicts)

    # What has to be beaten: one answer for every example.

    def trivial(self, truth: Array, weights: Array | None = None) -> Array:
        """The decoded outputs (columns,) that look at no feature: the mean of the training split's truth."""
        return weighted_mean(truth, weights)

    def trivial_text(self, outputs: Array) -> str:
        """That answer in words."""
        raise NotImplementedError

    def as_mean(self, outputs: Array, loss: Loss) -> Array:
        """That answer as the mean of the targets (k,) that the loss sees."""
        return outputs

    def beside(self, outputs: Array, truth: Array, weights: Array | None = None) -> Predictions:
        """That answer for every example beside the truth, for the metrics."""
        return self.predictions(np.broadcast_to(outputs, (len(truth), len(outputs))), truth, weights)

    # What is said of it.

    def counts(self, truth: Array) -> dict[str, int]:
        """Examples of each class or label; empty for numbers."""
        return {}

    def warnings(self, train: Array) -> list[str]:
        """What is odd about the truth of the training split."""
        return []

    def given_away(self, column: Column, table: Table, truth: Array) -> str:
        """How one of the inputs alone tells the truth, nearly always at least; empty where it does not."""
        return ""

    def amounts(self, truth: Array) -> Array:
        """The truth as numbers (n, k) that may be sums of columns; k is 0 where it is none."""
        return np.empty((len(truth), 0))

    def reason(self, train: Array, *, asked: bool) -> str:
        """Why it is taken for what it is, for who reads the experiment file."""
        raise NotImplementedError

    def truth_text(self, truth: Array) -> str:
        """What is true of one example."""
        raise NotImplementedError

    def answer_text(self, outputs: Array) -> str:
        """What a model says of one example, from its decoded outputs (columns,)."""
        raise NotImplementedError

    def decisions(self, decoded: Array) -> list[pl.Series]:
        """What is predicted, a series for each column of the target."""
        raise NotImplementedError

    def compared(self, p: Predictions, indices: Array) -> list[pl.Series]:
        """The truth and the answer of some examples, as columns of a table."""
        import polars as pl

        truth, answers = p.truth[indices], p.outputs[indices]
        return [
            pl.Series("truth", list(map(self.truth_text, truth)), pl.String),
            pl.Series("prediction", list(map(self.answer_text, answers)), pl.String),
        ]

    def by_column(self, p: Predictions) -> dict[str, dict[str, float]]:
        """The usual metrics of every column of a target of numbers; none for classes and labels."""
        return {}


@dataclass(frozen=True)
class Truth:
    """What is right of the examples of a split, for one output.

    Attributes:
        values: in the target's own terms, (n,) or (n, k).
        known: whether an example says something of this output, (n,); None where all do.
    """

    target: Target
    values: Array
    known: Array | None = None

    def has(self, indices: Array | slice) -> Array:
        """Whether some examples have a truth."""
        return np.ones(len(self.values), bool)[indices] if self.known is None else self.known[indices]

    @property
    def present(self) -> Array:
        """The truth of the examples that have one."""
        return self.of_present(self.values)

    def of_present(self, rows: Array) -> Array:
        """Of numbers that every example has, those of the examples that have a truth."""
        return rows if self.known is None else rows[self.known]

    def weights(self, indices: Array | slice, w: Array | None) -> Array | None:
        """What some examples count, whose sample weights are w."""
        if self.known is None:
            return w
        known = self.known[indices]
        return known.astype(np.float64) if w is None else np.where(known, w, 0.0)

    def given_away(self, column: Column, table: Table) -> str:
        """How one of the inputs alone tells the truth of a table's rows, nearly always at least; or empty."""
        known = table if self.known is None else table.take(self.known)
        return self.target.given_away(column, known, self.present) if len(known) > FEW_ROWS else ""

    def subset(self, indices: Array) -> Truth:
        """The same of some of the examples."""
        known = None if self.known is None else self.known[indices]
        return replace(self, values=self.values[indices], known=known)


def refuse_missing(table: Table, missing: Array) -> None:
    """Check that no row is without a target.

    Raises:
        DataError: with the first that is.
    """
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(
            f"{table.place(row)}: the target is missing (in {int(missing.sum())} of {len(missing)} rows); "
            "in training, `data.missing_target: drop` leaves such rows out"
        )


def with_target(table: Table, names: Sequence[str], missing_target: str = "error") -> Table:
    """The rows that have all of their target; others are an error unless they are to be dropped.

    Raises:
        DataError: where a target is missing, or no row is left.
    """
    table.require(names)
    missing = np.any([as_labels(table[name]).is_null().to_numpy() for name in names], axis=0)
    if missing_target == "error":
        refuse_missing(table, missing)
    if missing.all():
        raise DataError(f"{table.name}: the target is missing in every row")
    return table.take(~missing) if missing.any() else table
