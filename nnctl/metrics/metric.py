"""The contract every metric keeps."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.metrics.predictions import Predictions, Task
from nnctl.spec import Spec

#: What is reported where the experiment file does not say.
DEFAULTS: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "macro_f1"),
    "multilabel": ("hamming_accuracy", "subset_accuracy", "macro_f1"),
    "regression": ("rmse", "mae", "r2"),
}


class Metric(Spec):
    """An immutable value: one figure of how well predictions fit the truth.

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

    @property
    def key(self) -> str:
        """What the metric is called in metrics.jsonl; also its short form in the experiment file."""
        return self.type

    def check(self, task: Task, columns: int) -> None:
        """Raise ConfigError unless the metric is for such a target of that many classes or columns."""
        if task not in self.tasks:
            raise ConfigError(
                f"metrics: {self.key} is for {' or '.join(self.tasks)}, and the target is {task}; "
                f"use for example {', '.join(DEFAULTS[task])}"
            )

    def value(self, p: Predictions) -> float:
        """The figure over all examples."""
        raise NotImplementedError

    def by_class(self, p: Predictions) -> Array | None:
        """The figure for each class, label or column (columns,); None where it has no parts."""
        return None


def evaluate(metrics: Iterable[Metric], p: Predictions) -> dict[str, float]:
    """Each metric's value by its key."""
    return {metric.key: metric.value(p) for metric in metrics}
