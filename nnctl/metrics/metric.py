"""The contract every metric keeps."""

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import numpy as np

from nnctl.engine.means import ratio
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.metrics.predictions import Predictions, Task
from nnctl.spec import Spec

#: What a metric has to know of the examples seen so far, by name: numbers, arrays, and lists of arrays to be joined.
Sums = dict[str, Any]


class Metric(Spec):
    """An immutable value: one figure of how well predictions fit the truth.

    The examples may come in tiles, of which only sums are kept:

        sums = metric.start(none)                # of the kind that tiles are of
        metric.add(sums, tile)              # for each tile
        metric.value(sums)

    However they are cut into tiles, the figure is the same: exactly where it counts, to rounding where it adds up.

    Every metric honours the examples' weights (an example of weight 2 counts as two equal examples,
    one of weight 0 as none) and gives a number or nan for any data, without a warning: nan says that the data
    leave the figure undefined, as those without an example do.
    """

    type: str

    #: Which kinds of target the metric is for.
    tasks: ClassVar[tuple[Task, ...]]
    better: ClassVar[Literal["higher", "lower"]]
    #: What it is measured in: nats, the units of the target, or nothing that has a name.
    unit: ClassVar[Literal["", "nats", "target"]] = ""

    #: What it is no number for.
    undefined: ClassVar[str] = "no examples"
    #: What it seldom reaches on examples that were not trained on, unless a column gives the answer away.
    rarely_reached: ClassVar[float | None] = None

    @property
    def key(self) -> str:
        """What the metric is called in metrics.jsonl; also its short form in the experiment file."""
        return self.type

    def check(self, none: Predictions) -> None:
        """Raise ConfigError unless the metric is for predictions of the kind of these, which may be of no examples."""
        if none.task not in self.tasks:
            raise ConfigError(
                f"metrics: {self.key} is for {' or '.join(self.tasks)}, and the target is {none.task}; "
                f"use for example {', '.join(none.usual_metrics)}"
            )

    def start(self, none: Predictions) -> Sums:
        """The sums of no examples; `none` says of what kind, and of how many columns, there will be some."""
        return self.sums(none)

    def add(self, sums: Sums, p: Predictions) -> None:
        """Take in more examples."""
        for name, part in self.sums(p).items():
            sums[name] = sums[name] + part

    def sums(self, p: Predictions) -> Sums:
        """What examples add to each sum."""
        raise NotImplementedError

    def value(self, sums: Sums) -> float:
        """The figure over all examples seen."""
        raise NotImplementedError

    def by_class(self, sums: Sums) -> Array | None:
        """The figure for each class, label or column (columns,); None where it has no parts."""
        return None

    def summed(self, p: Predictions) -> Sums:
        """The sums of these examples and no others."""
        sums = self.start(type(p).none(p.columns))
        self.add(sums, p)
        return sums


class MeanMetric(Metric):
    """A metric that is the weighted mean of a figure each example has: sum_i w_i f_i / sum_i w_i."""

    def each(self, p: Predictions) -> Array:
        """The figure of each example (n,), or of each example in each column (n, columns)."""
        raise NotImplementedError

    def sums(self, p: Predictions) -> Sums:
        each = self.each(p)
        return {"sum": p.total(each), "mass": p.mass, **p.sums_of_class(each)}

    def value(self, sums: Sums) -> float:
        return float(self.mean(sums).mean())

    def by_class(self, sums: Sums) -> Array | None:
        """Of the examples of each class; or of each column."""
        if "sum_of_class" in sums:
            return ratio(sums["sum_of_class"], sums["mass_of_class"], np.nan)
        mean = self.mean(sums)
        return mean if mean.ndim else None

    def mean(self, sums: Sums) -> Array:
        """The mean over all examples, () or (columns,)."""
        return ratio(sums["sum"], sums["mass"], np.nan)


def evaluate(metrics: Iterable[Metric], p: Predictions) -> dict[str, float]:
    """Each metric's value by its key."""
    return {metric.key: metric.value(metric.summed(p)) for metric in metrics}
