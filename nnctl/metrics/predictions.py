"""Outputs beside the truth: what every metric looks at. Classes, labels and numbers each answer in their own way."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np

from nnctl.engine.means import weighted_sum
from nnctl.engine.parameters import Array
from nnctl.metrics.confusion import ClassRow, Confused, Counts, f1, precision, recall, totals

Task = Literal["classification", "regression", "multilabel"]


@dataclass(frozen=True)
class Predictions:
    """A model's outputs for n examples, and what would have been right.

    | kind | outputs | truth | classes |
    |---|---|---|---|
    | `ClassPredictions` | (n, C) probabilities or scores | (n,) integers below C | the C class names |
    | `LabelPredictions` | (n, k) probabilities | (n, k), 0 or 1 | the k labels |
    | `NumberPredictions` | (n, k) in the target's own units | (n, k) | the k columns |

    `weights` (n,) count an example as that many examples; left out, each counts once. All sums are taken in float64.
    """

    #: What the experiment file, and messages, call the task.
    task: ClassVar[Task]
    #: The metrics that are reported where the experiment file does not say.
    usual_metrics: ClassVar[tuple[str, ...]]
    #: How many axes the truth has, which are the first ones of the outputs.
    truth_axes: ClassVar[int] = 2
    #: Whether an example has exactly one of the names.
    exclusive: ClassVar[bool] = False

    outputs: Array
    truth: Array
    weights: Array | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # (n, 1) against (n,) would broadcast to (n, n) and give plausible nonsense.
        expected = self.outputs.shape[: self.truth_axes]
        if self.outputs.ndim != 2 or not self.columns or self.truth.shape != expected:
            raise ValueError(f"{self.task}: outputs {self.outputs.shape} do not fit truth {self.truth.shape}")

    @classmethod
    def none(cls, columns: int) -> Self:
        """Of no examples."""
        outputs = np.empty((0, columns))
        return cls(outputs, np.empty(outputs.shape[: cls.truth_axes], np.intp))

    @property
    def columns(self) -> int:
        """How many classes, labels or target columns there are."""
        return int(self.outputs.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each class, label or column; its number where none was given."""
        return self.classes or tuple(str(i) for i in range(self.columns))

    @property
    def two_classes(self) -> bool:
        """Whether there are two classes, of which the second is the positive one."""
        return self.exclusive and self.columns == 2

    def total(self, values: Array) -> Array:
        """The weighted sum over the examples of values (n,) or (n, k)."""
        return weighted_sum(values, self.weights)

    @property
    def mass(self) -> Array:
        """How many examples there are; with weights, how much they weigh."""
        return np.asarray(len(self.outputs)) if self.weights is None else weighted_sum(self.weights, None)

    def sums_of_class(self, each: Array) -> dict[str, Array]:
        """The weighted sums of a figure of each example (n,), and of 1, over the examples of each true class (C,)."""
        return {}

    # What only names can answer, of which an example has one or several.

    def decide(self, threshold: float | None = None) -> Array:
        """Decisions, in the shape of the truth, where the positive class, or a label, needs more than `threshold`.

        Equal to the threshold is not above it.
        """
        raise NotImplementedError

    @cached_property
    def decided(self) -> Array:
        """The class with the largest output, (n,); for labels whether each is above 0.5, (n, k)."""
        return self.decide()

    @property
    def is_right(self) -> Array:
        """Whether each decision is the truth, (n,) or (n, k)."""
        right: Array = self.decided == self.truth
        return right

    @cached_property
    def true(self) -> Array:
        """Whether an example has each class or label, (n, columns)."""
        raise NotImplementedError

    @cached_property
    def are_probabilities(self) -> bool:
        """Whether outputs lie in 0 to 1; and add up to 1, where an example has one of the names."""
        low, high = self.outputs.min(initial=0), self.outputs.max(initial=0)
        return bool(low >= 0 and high <= 1 + 1e-6)

    def given_to_truth(self) -> Array:
        """The output of the class that is true, (n,); for labels that of what is so of each, (n, k)."""
        raise NotImplementedError

    def probability_of_truth(self) -> Array | None:
        """The probability of all that is true of each example (n,); None where outputs are no probabilities."""
        return None

    def counts(self, threshold: float | None = None) -> Counts:
        """How often each class or label was decided, was true, and was both."""
        raise NotImplementedError

    def class_report(self) -> list[ClassRow]:
        """Precision, recall, F1 and (weighted) support of every class or label, in their order; none for numbers."""
        return []

    def confusion(self) -> Array | None:
        """Weighted counts, integers where no weights are given; None for numbers.

        For classes a row for each true one, a column for each decided one: (C, C). For labels one 2 by 2 matrix
        each, [[neither, only decided], [only true, both]]: (k, 2, 2).
        """
        return None

    def confused(self) -> list[Confused]:
        """Which classes are taken for others, the most frequent first; none for labels and numbers."""
        return []


class _Named(Predictions):
    """Of names, which can be decided for or against."""

    def class_report(self) -> list[ClassRow]:
        c = self.counts()
        figures = (precision(c), recall(c), f1(c), c.true)
        return [ClassRow(*row) for row in zip(self.names, *(figure.tolist() for figure in figures), strict=True)]


class ClassPredictions(_Named):
    """One of C classes for each example. Two classes are C = 2, and the positive one is `classes[1]`."""

    task: ClassVar[Task] = "classification"
    usual_metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")
    truth_axes: ClassVar[int] = 1
    exclusive: ClassVar[bool] = True

    def sums_of_class(self, each: Array) -> dict[str, Array]:
        if each.ndim > 1:
            return {}
        sums = [totals(self.truth, self.columns, values, self.weights) for values in (each, None)]
        return dict(zip(("sum_of_class", "mass_of_class"), sums, strict=True))

    def decide(self, threshold: float | None = None) -> Array:
        """The largest output, the first of equal ones; so with two probabilities, None and 0.5 decide alike."""
        return self.outputs.argmax(axis=1) if threshold is None else (self.outputs[:, 1] > threshold).astype(np.intp)

    @cached_property
    def true(self) -> Array:
        has: Array = self.truth[:, None] == np.arange(self.columns)
        return has

    @cached_property
    def are_probabilities(self) -> bool:
        """Whether outputs lie in 0 to 1 and add up to 1 (to 0.001, for float16)."""
        return super().are_probabilities and bool(np.all(np.abs(self.outputs.sum(axis=1, dtype=np.float64) - 1) < 1e-3))

    def given_to_truth(self) -> Array:
        return np.take_along_axis(self.outputs, self.truth[:, None], axis=1)[:, 0]

    def probability_of_truth(self) -> Array | None:
        return self.given_to_truth() if self.are_probabilities else None

    def counts(self, threshold: float | None = None) -> Counts:
        decided = self.decided if threshold is None else self.decide(threshold)
        wrong, w = decided != self.truth, self.weights
        of_wrong = None if w is None else w[wrong]
        return Counts(
            totals(self.truth[~wrong], self.columns, None, None if w is None else w[~wrong]),
            totals(self.truth[wrong], self.columns, None, of_wrong),
            totals(decided[wrong], self.columns, None, of_wrong),
        )

    def confusion(self) -> Array:
        pairs = self.truth * self.columns + self.decided
        return np.bincount(pairs, self.weights, minlength=self.columns**2).reshape(self.columns, self.columns)

    def confused(self) -> list[Confused]:
        """Pairs by how frequent they are; the square of all pairs is never laid out."""
        wrong = self.decided != self.truth
        pairs, which = np.unique(self.truth[wrong] * self.columns + self.decided[wrong], return_inverse=True)
        examples = np.bincount(which, None if self.weights is None else self.weights[wrong], minlength=len(pairs))
        most = np.argsort(-examples, kind="stable")
        rows = zip(*(part[most].tolist() for part in (*np.divmod(pairs, self.columns), examples)), strict=True)
        return [Confused(self.names[true], self.names[decided], count) for true, decided, count in rows if count]


class LabelPredictions(_Named):
    """k labels for each example, each of which is true or not."""

    task: ClassVar[Task] = "multilabel"
    usual_metrics: ClassVar[tuple[str, ...]] = ("hamming_accuracy", "subset_accuracy", "macro_f1")

    def decide(self, threshold: float | None = None) -> Array:
        above: Array = self.outputs > (0.5 if threshold is None else threshold)
        return above

    @cached_property
    def true(self) -> Array:
        has: Array = self.truth != 0
        return has

    def given_to_truth(self) -> Array:
        return np.where(self.true, self.outputs, 1 - self.outputs)

    def probability_of_truth(self) -> Array | None:
        return np.asarray(self.given_to_truth().prod(axis=1)) if self.are_probabilities else None

    def counts(self, threshold: float | None = None) -> Counts:
        decided = self.decided if threshold is None else self.decide(threshold)
        return Counts(
            self.total(decided & self.true), self.total(~decided & self.true), self.total(decided & ~self.true)
        )

    def confusion(self) -> Array:
        decided, true = self.decided, self.true
        cells = (~decided & ~true, decided & ~true, ~decided & true, decided & true)
        return np.stack([self.total(cell) for cell in cells], axis=1).reshape(-1, 2, 2)


class NumberPredictions(Predictions):
    """k numbers for each example."""

    task: ClassVar[Task] = "regression"
    usual_metrics: ClassVar[tuple[str, ...]] = ("rmse", "mae", "r2")


#: Which of these a target's are; a name of its own, as in a class with a field `type` that word means the field.
PredictionsKind = type[Predictions]
