"""One of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.columns import Column, NumericColumn, codes_of, finite_numbers
from nnctl.data.tables import FEW_ROWS, Table, all_numbers, as_labels, in_order
from nnctl.data.targets.base import Target
from nnctl.data.telltale import LOOKED_AT, NEARLY_ALWAYS, cut, determines
from nnctl.engine.loss import Loss
from nnctl.engine.means import weighted_mean
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.losses import BinaryCrossEntropy, CrossEntropy
from nnctl.losses.base import LossSpec
from nnctl.metrics import ClassPredictions, PredictionsKind, Task
from nnctl.names import unknown
from nnctl.spec import Listed

if TYPE_CHECKING:
    import polars as pl

#: Whole numbers are classes up to this many different ones.
MOST_NUMBERED_CLASSES = 20
#: The commonest class may be this many times as frequent as the rarest.
UNBALANCED = 10


class Classes(Target):
    """One of C classes, in one column; two or more.

    The truth is (n,), the class's number. A loss sees it as it is (`index`), or as 0/1: (n, C), or (n, 1) where one
    output tells two apart. Classes are in order of their value where all are numbers, else of their spelling; of two,
    the second is the positive one.
    """

    type: Literal["classes"] = "classes"
    classes: Annotated[tuple[str, ...], Listed]

    task: ClassVar[Task] = "classification"
    predicts: ClassVar[PredictionsKind] = ClassPredictions
    stratified: ClassVar[bool] = True

    @classmethod
    def fit(cls, table: Table, columns: Sequence[str], scaling: str, train: Array) -> Self:
        """Of all rows: classes are a fact about the problem, not a statistic, and a rare one may not be in training."""
        (column,) = columns
        classes = in_order(as_labels(table[column]).drop_nulls().unique().to_list())
        if len(classes) < 2:
            raise DataError(f"{table.name}: {column} is {classes[0]!r} in every row; there is nothing to tell apart")
        return cls(columns=(column,), classes=tuple(classes))

    @classmethod
    def strata(cls, table: Table, columns: Sequence[str]) -> Array:
        labels = as_labels(table[columns[0]])
        classes = in_order(labels.drop_nulls().unique().to_list())
        codes = codes_of(labels, classes)
        return np.where(codes < 0, len(classes), codes)  # rows without a class are a group of their own

    @property
    def names(self) -> tuple[str, ...]:
        return self.classes

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.classes

    def read(self, table: Table) -> tuple[Array, Array]:
        table.require(self.columns)
        labels = as_labels(table[self.columns[0]])
        known = labels.is_not_null().to_numpy()
        codes = codes_of(labels, self.classes)
        strange = (codes < 0) & known
        if strange.any():
            row = int(np.flatnonzero(strange)[0])
            raise DataError(f"{table.place(row)}: {self._unknown(labels[row])}")
        return np.where(known, codes, 0), known

    def outputs(self, loss: Loss) -> int:
        return loss.outputs(len(self.classes))

    def encode(self, truth: Array, loss: Loss, dtype: DTypeLike) -> Array:
        if loss.encoding == "index":
            return truth
        if self._single(loss):
            return truth[:, None].astype(dtype)
        one_hot: Array = truth[:, None] == np.arange(len(self.classes))
        return one_hot.astype(dtype)

    def shares(self, t: Array) -> Array:
        return t if t.dtype.kind == "f" else np.eye(len(self.classes))[t]

    def decode(self, predicted: Array) -> Array:
        return np.concatenate([1 - predicted, predicted], axis=1) if predicted.shape[1] == 1 else predicted

    @property
    def suited_loss(self) -> tuple[LossSpec, str]:
        if len(self.classes) == 2:
            return BinaryCrossEntropy(), "two classes"
        return CrossEntropy(), f"{len(self.classes)} classes, one of which is right"

    def trivial(self, truth: Array, weights: Array | None = None) -> Array:
        """How frequent each class is; the largest makes the majority class the decision."""
        return weighted_mean(truth[:, None] == np.arange(len(self.classes)), weights)

    def as_mean(self, outputs: Array, loss: Loss) -> Array:
        return outputs[1:] if self._single(loss) else outputs

    def trivial_text(self, outputs: Array) -> str:
        top = int(outputs.argmax())
        return f"always {self.classes[top]} ({outputs[top]:.1%} of the training data)"

    def counts(self, truth: Array) -> dict[str, int]:
        numbers = np.bincount(truth, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, numbers, strict=True))

    def warnings(self, train: Array) -> list[str]:
        """Classes that training does not see, or hardly."""
        counts = self.counts(train)
        messages = [f"class {name!r} has no example in the training split" for name, n in counts.items() if not n]
        present = {name: n for name, n in counts.items() if n}
        most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
        if present[most] > UNBALANCED * present[least]:
            messages.append(
                f"classes are unbalanced: {present[most]} of {most!r} against {present[least]} of {least!r}; "
                "accuracy will say little, look at macro_f1 and balanced_accuracy"
            )
        return messages

    def given_away(self, column: Column, table: Table, truth: Array) -> str:
        """Each value goes with one class, or cuts of a number tell nearly all that the commonest class gets wrong."""
        import polars as pl

        if determines(table[column.name], pl.Series(truth)):
            return "each of its values goes with one class alone"
        if not isinstance(column, NumericColumn):
            return ""
        step = max(1, len(truth) // LOOKED_AT)
        x, codes = finite_numbers(table, column.name)[::step], truth[::step]
        others = len(codes) - np.bincount(codes).max()
        if np.isnan(x).any() or others <= FEW_ROWS // 2:
            return ""
        share = cut(x, codes)
        enough = (1 - share) * len(codes) <= (1 - NEARLY_ALWAYS) * others
        return f"alone, cut between classes, it tells {share:.2%} of them" if enough else ""

    def amounts(self, truth: Array) -> Array:
        if not all_numbers(self.classes):
            return super().amounts(truth)
        return np.array([float(name) for name in self.classes])[truth][:, None]

    def reason(self, train: Array, *, asked: bool) -> str:
        reason = f"{len(self.classes)} classes {shares_text(self.counts(train))}"
        if not asked and len(self.classes) > 2 and all(name.lstrip("-").isdecimal() for name in self.classes):
            reason += (
                f"; whole numbers, at most {MOST_NUMBERED_CLASSES} different ones: regression if they are amounts, "
                "the loss ordinal if they are grades"
            )
        return reason

    def truth_text(self, truth: Array) -> str:
        return self.classes[int(truth)]

    def answer_text(self, outputs: Array) -> str:
        return self.classes[int(outputs.argmax())]

    def decisions(self, decoded: Array) -> list[pl.Series]:
        import polars as pl

        return [pl.Series(self.classes, dtype=pl.String).gather(decoded.argmax(axis=1))]

    def _single(self, loss: Loss) -> bool:
        return loss.encoding == "one_hot" and self.outputs(loss) == 1

    def _unknown(self, label: str) -> str:
        return f"column {self.columns[0]!r}: training had {unknown('class', label, self.classes)}"


def shares_text(counts: dict[str, int], most: int = 5) -> str:
    """How many training rows the most frequent names have."""
    shown = ", ".join(f"{name}: {n}" for name, n in sorted(counts.items(), key=lambda item: -item[1])[:most])
    return f"(training rows: {shown}{', ...' if len(counts) > most else ''})"
