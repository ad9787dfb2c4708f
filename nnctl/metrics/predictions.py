"""Outputs beside the truth: what every metric looks at."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from nnctl.engine.means import counted, weighted_sum
from nnctl.engine.parameters import Array

Task = Literal["classification", "regression", "multilabel"]


@dataclass(frozen=True)
class Predictions:
    """A model's outputs for n examples, and what would have been right.

    | task | outputs | truth | classes |
    |---|---|---|---|
    | classification | (n, C) probabilities or scores | (n,) integers below C | the C class names |
    | multilabel | (n, k) probabilities | (n, k), 0 or 1 | the k labels |
    | regression | (n, k) in the target's own units | (n, k) | the k columns |

    Two classes are C = 2, and the positive one is `classes[1]`. `weights` (n,) count an example as
    that many examples; left out, each counts once. All sums are taken in float64.
    """

    task: Task
    outputs: Array
    truth: Array
    weights: Array | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # (n, 1) against (n,) would broadcast to (n, n) and give plausible nonsense.
        expected = self.outputs.shape[:1] if self.task == "classification" else self.outputs.shape
        if self.outputs.ndim != 2 or not self.columns or self.truth.shape != expected:
            raise ValueError(f"{self.task}: outputs {self.outputs.shape} do not fit truth {self.truth.shape}")

    @classmethod
    def none(cls, task: Task, columns: int) -> "Predictions":
        """Of no examples."""
        outputs = np.empty((0, columns))
        return cls(task, outputs, np.empty(outputs.shape[: 1 if task == "classification" else 2], np.intp))

    @property
    def columns(self) -> int:
        """How many classes, labels or target columns there are."""
        return int(self.outputs.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each class, label or column; its number where none was given."""
        return self.classes or tuple(str(i) for i in range(self.columns))

    @cached_property
    def decided(self) -> Array:
        """The class with the largest output, (n,); for labels whether each is above 0.5, (n, k)."""
        return self.decide(None)

    @property
    def is_right(self) -> Array:
        """Whether each decision is the truth, (n,) or (n, k)."""
        right: Array = self.decided == self.truth
        return right

    def decide(self, threshold: float | None) -> Array:
        """Decisions where the positive class, or a label, needs more than `threshold`.

        Equal to the threshold is not above it; the largest output is the first of equal ones. So with
        two probabilities, None and 0.5 decide alike.
        """
        if self.task == "multilabel":
            above: Array = self.outputs > (0.5 if threshold is None else threshold)
            return above
        return self.outputs.argmax(axis=1) if threshold is None else (self.outputs[:, 1] > threshold).astype(np.intp)

    @cached_property
    def true(self) -> Array:
        """Whether an example has each class or label, (n, columns)."""
        labels = self.task == "multilabel"
        has: Array = self.truth != 0 if labels else self.truth[:, None] == np.arange(self.columns)
        return has

    @cached_property
    def are_probabilities(self) -> bool:
        """Whether outputs lie in 0 to 1, and in classification add up to 1 (to 0.001, for float16)."""
        low, high = self.outputs.min(initial=0), self.outputs.max(initial=0)
        inside = bool(low >= 0 and high <= 1 + 1e-6)
        if self.task == "multilabel" or not inside:
            return inside
        return bool(np.all(np.abs(self.outputs.sum(axis=1, dtype=np.float64) - 1) < 1e-3))

    def total(self, values: Array) -> Array:
        """The weighted sum over the examples of values (n,) or (n, k)."""
        return weighted_sum(values, self.weights)

    @property
    def mass(self) -> Array:
        """How many examples there are; with weights, how much they weigh."""
        return np.asarray(len(self.outputs)) if self.weights is None else weighted_sum(self.weights, None)

    def total_by_class(self, values: Array | None) -> Array:
        """The weighted sum of values (n,), or of 1, over the examples of each true class (C,)."""
        return totals(self.truth, self.columns, values, self.weights)


def totals(classes: Array, columns: int, values: Array | None, weights: Array | None) -> Array:
    """The weighted sums (columns,) of values (n,), or of 1, over the examples of each class."""
    if values is None or weights is None:
        return np.bincount(classes, weights if values is None else values, minlength=columns)
    return np.bincount(classes, counted(values, weights) * weights, minlength=columns)
