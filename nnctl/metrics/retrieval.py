"""Precision, recall and their harmonic mean."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.means import mean_of_defined, ratio
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.metrics import confusion
from nnctl.metrics.confusion import Counts
from nnctl.metrics.metric import Metric, Sums
from nnctl.metrics.predictions import Predictions, Task

Average = Literal["auto", "binary", "macro", "micro", "weighted"]


class _Retrieval(Metric):
    """A ratio per class, averaged. `ratio_of` is what the subclasses differ in."""

    tasks: ClassVar[tuple[Task, ...]] = ("classification", "multilabel")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    average: Average = Field(
        "auto",
        description="`binary`: of the positive class; `macro`: mean over classes; `micro`: of all counts together; "
        "`weighted`: mean over classes by their support; `auto`: binary for two classes, macro otherwise.",
    )
    threshold: float | None = Field(
        None, gt=0, lt=1, description="Probability the positive class or a label has to exceed; null: as `accuracy`."
    )

    @property
    def key(self) -> str:
        average = "" if self.average == "auto" else f"{self.average}_"
        return f"{average}{self.type}" + ("" if self.threshold is None else f"_at_{self.threshold!r}")

    def check(self, none: Predictions) -> None:
        super().check(none)
        if self.average == "binary" and not none.two_classes:
            raise ConfigError(f"metrics: {self.key} needs a target of two classes; macro_{self.type} is for others")
        if self.threshold is not None and none.exclusive and not none.two_classes:
            raise ConfigError(
                f"metrics: {self.key} needs a target of two classes, or of labels, and this one has {none.columns} "
                f"classes; without its threshold it takes the class with the largest probability"
            )

    def ratio_of(self, c: Counts) -> Array:
        """The ratio of each class, nan where it occurs nowhere."""
        raise NotImplementedError

    def start(self, none: Predictions) -> Sums:
        return {**super().start(none), "two_classes": none.two_classes}

    def sums(self, p: Predictions) -> Sums:
        return p.counts(self.threshold)._asdict()

    def value(self, sums: Sums) -> float:
        c = _counts(sums)
        average = self.average
        if average == "auto":
            average = "binary" if sums["two_classes"] else "macro"
        if average == "micro":
            return float(self.ratio_of(c.total())[0])
        each = self.ratio_of(c)
        if average == "binary":
            return float(each[1])
        if average == "macro":
            return mean_of_defined(each)
        return float(ratio(np.nan_to_num(each) @ c.true, c.true.sum(), np.nan))

    def by_class(self, sums: Sums) -> Array:
        return self.ratio_of(_counts(sums))


def _counts(sums: Sums) -> Counts:
    return Counts(sums["hits"], sums["missed"], sums["false"])


class Precision(_Retrieval):
    """How many of the examples given a class have it.

        P_c = (decided c and true c) / (decided c)

    It is 0 for a class that is true somewhere and never decided, nan for one that is neither: such a
    class is left out of the macro average. (scikit-learn does the same for classes, but counts 0 for a
    label or a positive class that occurs nowhere; and its thresholds are met by "not less than", these
    by "more than".) Source: Manning, Raghavan and Schuetze, "Introduction to Information Retrieval"
    (2008), sections 8.3 and 13.6.

    Short forms: `precision`, `macro_precision`, `micro_precision`, `weighted_precision`,
    `precision_at_0.3`.

    ```yaml
    {type: precision, average: macro}
    ```
    """

    type: Literal["precision"] = "precision"

    def ratio_of(self, c: Counts) -> Array:
        return confusion.precision(c)


class Recall(_Retrieval):
    """How many of the examples that have a class were given it.

        R_c = (decided c and true c) / (true c)

    It is 0 for a class that is decided somewhere and never true, nan for one that is neither. Averages,
    conventions and source as in `precision`; short forms `recall`, `macro_recall`, `recall_at_0.3` and so on.

    ```yaml
    {type: recall, threshold: 0.3}
    ```
    """

    type: Literal["recall"] = "recall"

    def ratio_of(self, c: Counts) -> Array:
        return confusion.recall(c)


class F1(_Retrieval):
    """The harmonic mean of precision and recall.

        F_c = 2 P_c R_c / (P_c + R_c) = 2 (decided and true) / (decided + true)

    nan for a class that is neither decided nor true. The macro average is the mean of the classes' F1,
    not the F1 of mean precision and recall; the micro average over classes is `accuracy`. Averages,
    conventions and source as in `precision`; short forms `f1`, `macro_f1`, `micro_f1`, `weighted_f1`, `f1_at_0.3`.

    ```yaml
    {type: f1, average: weighted}
    ```
    """

    type: Literal["f1"] = "f1"

    def ratio_of(self, c: Counts) -> Array:
        return confusion.f1(c)
