"""Numbers: one or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike
from pydantic import model_validator

from nnctl.data.columns import Column, NumericColumn, finite_numbers, refuse_without_logarithm
from nnctl.data.preprocess import LOGARITHMIC, Logarithm
from nnctl.data.scaling import antilogarithm, centre_and_scale, logarithm
from nnctl.data.tables import Table, as_labels, as_numbers
from nnctl.data.targets.base import Target
from nnctl.data.telltale import LOOKED_AT, NEARLY_ALWAYS, is_linear, rank_correlation
from nnctl.engine.loss import Loss
from nnctl.engine.means import weighted_mean
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.losses import MeanSquaredError
from nnctl.losses.base import LossSpec
from nnctl.metrics import NumberPredictions, Predictions, PredictionsKind, Task
from nnctl.names import listed
from nnctl.spec import Listed, Reticent

if TYPE_CHECKING:
    import polars as pl


class Numbers(Target, Reticent):
    """k numbers, a column each. The truth is (n, k) in its own units; a loss sees (truth - centre) / scale.

    With a logarithm, it sees (ln truth - centre) / scale, or ln(1 + truth); what is predicted is mapped back by exp.
    """

    unsaid: ClassVar[tuple[str, ...]] = ("logarithm",)

    type: Literal["numbers"] = "numbers"
    centre: Annotated[tuple[float, ...], Listed]
    scale: Annotated[tuple[float, ...], Listed]
    logarithm: Logarithm | None = None

    task: ClassVar[Task] = "regression"
    predicts: ClassVar[PredictionsKind] = NumberPredictions
    has_shares: ClassVar[bool] = False

    @model_validator(mode="after")
    def _for_each_column(self) -> Self:
        """Model files come from strangers, too."""
        if not len(self.columns) == len(self.centre) == len(self.scale):
            message = f"{len(self.columns)} columns have {len(self.centre)} centres and {len(self.scale)} scales"
            raise ValueError(message)
        return self

    @classmethod
    def fit(cls, table: Table, columns: Sequence[str], scaling: str, train: Array) -> Self:
        kind = next((each for each in LOGARITHMIC if each == scaling), None)
        method = "none" if scaling == "none" else "standardize"
        values = [logarithm(_numbers(table, name, columns, kind), kind)[train] for name in columns]
        fitted = [centre_and_scale(x[~np.isnan(x)], method) for x in values]
        centres, scales = zip(*fitted, strict=True)
        return cls(columns=tuple(columns), centre=centres, scale=scales, logarithm=kind)

    def read(self, table: Table) -> tuple[Array, Array]:
        table.require(self.columns)
        truth = np.stack([_numbers(table, n, self.columns, self.logarithm) for n in self.columns], axis=1)  # (n, k)
        missing = np.isnan(truth)
        return np.where(missing, antilogarithm(np.array(self.centre), self.logarithm), truth), ~missing.any(axis=1)

    def encode(self, truth: Array, loss: Loss, dtype: DTypeLike) -> Array:
        z: Array = (logarithm(truth, self.logarithm) - np.array(self.centre)) / np.array(self.scale)
        return z.astype(dtype)

    def decode(self, predicted: Array) -> Array:
        values: Array = predicted.astype(np.float64) * np.array(self.scale) + np.array(self.centre)
        return antilogarithm(values, self.logarithm)

    @property
    def suited_loss(self) -> tuple[LossSpec, str]:
        return MeanSquaredError(), "the target is a number, standardized for training; metrics are in its own units"

    def trivial(self, truth: Array, weights: Array | None = None) -> Array:
        """The mean; of logarithms, which a loss sees, the number that has the mean one."""
        return antilogarithm(weighted_mean(logarithm(truth, self.logarithm), weights), self.logarithm)

    def as_mean(self, outputs: Array, loss: Loss) -> Array:
        return self.encode(outputs, loss, np.float64)

    def trivial_text(self, outputs: Array) -> str:
        return "the mean of the training data" + ("'s logarithms, mapped back" if self.logarithm else "")

    def given_away(self, column: Column, table: Table, truth: Array) -> str:
        """A straight line goes through every number of a target, or one goes up or down with the other."""
        if not isinstance(column, NumericColumn):
            return ""
        fill = antilogarithm(np.array(column.fill or 0.0), column.logarithm)
        x = np.nan_to_num(finite_numbers(table, column.name), nan=float(fill))
        if any(is_linear(x, y) for y in truth.T):
            return "one determines the other exactly"
        step = max(1, len(truth) // LOOKED_AT)
        most = max((rank_correlation(x[::step], y) for y in truth[::step].T), key=abs)
        return f"their ranks have a correlation of {most:.4f}" if abs(most) > NEARLY_ALWAYS else ""

    def amounts(self, truth: Array) -> Array:
        return truth

    def reason(self, train: Array, *, asked: bool) -> str:
        spans = [f"{low:.6g} to {high:.6g}" for low, high in zip(train.min(axis=0), train.max(axis=0), strict=True)]
        return f"{'as asked' if asked else 'numbers'}, from {listed(spans, 4)}"

    def truth_text(self, truth: Array) -> str:
        return ", ".join(f"{value:.4g}" for value in truth)

    def answer_text(self, outputs: Array) -> str:
        return self.truth_text(outputs)

    def decisions(self, decoded: Array) -> list[pl.Series]:
        import polars as pl

        return [pl.Series(column) for column in decoded.T]

    def compared(self, p: Predictions, indices: Array) -> list[pl.Series]:
        import polars as pl

        columns = []
        for i, name in enumerate(self.columns):
            ending = f"_{name}" if len(self.columns) > 1 else ""
            columns.append(pl.Series(f"truth{ending}", p.truth[indices, i]))
            columns.append(pl.Series(f"prediction{ending}", p.outputs[indices, i]))
        return columns

    def by_column(self, p: Predictions) -> dict[str, dict[str, float]]:
        parts = {metric.key: metric.by_class(metric.summed(p)) for metric in self.suited_metrics}
        return {
            name: {key: float(values[i]) for key, values in parts.items() if values is not None}
            for i, name in enumerate(self.columns)
        }


def _numbers(table: Table, name: str, names: Sequence[str], kind: Logarithm | None) -> Array:
    """One of the columns of a target as float64 (n,), missing values as NaN."""
    labels = as_labels(table[name])
    numbers: Array = as_numbers(table[name], table.notation).to_numpy().astype(np.float64)  # null becomes NaN
    wrong = ~np.isfinite(numbers) & labels.is_not_null().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        several = (
            "; several targets are all numbers, or all labels of 0 and 1, and classes are one column"
            if len(names) > 1
            else ""
        )
        raise DataError(f"{table.place(row)}: target {name!r} is {labels[row]!r}, which is no finite number{several}")
    refuse_without_logarithm(table, name, numbers, kind, "target")
    return numbers
