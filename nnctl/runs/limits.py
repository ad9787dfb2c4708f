"""Limits that figures must keep, and metrics by name."""

from dataclasses import dataclass
from math import isfinite
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from nnctl.errors import ConfigError
from nnctl.metrics import AnyMetric, Metric, Task, default_metrics
from nnctl.spec import nearest

#: What may stand before `precision`, `recall` and `f1`.
AVERAGES = ("binary", "macro", "micro", "weighted")


@dataclass(frozen=True)
class Limit:
    """What a figure must reach, or must not exceed where lower is better; the loss `needs` no metric."""

    name: str
    value: float
    needs: Metric | None

    @property
    def upper(self) -> bool:
        """Whether the figure must not be more, rather than not less."""
        return self.needs is None or self.needs.better == "lower"

    def holds(self, figure: float) -> bool:
        """Whether a figure is good enough; one that is not a number is not."""
        return figure <= self.value if self.upper else figure >= self.value

    def missed(self, figure: float) -> str:
        """What to say of a figure that is not good enough."""
        return f"{self.name} is {figure:.9g}; it must be at {'most' if self.upper else 'least'} {self.value:.9g}"


def limit_of(text: str, task: Task, columns: int) -> Limit:
    """A limit written as `metric=value`.

    Raises:
        ConfigError: where it is written otherwise, or there is no such metric.
    """
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        example = f"{default_metrics(task)[0].key}=0.95"
        raise ConfigError(f"--fail-under {text}: is not METRIC=NUMBER; write for example {example}")
    if name == "loss":
        return Limit(name, value, None)
    metric = metric_of(name, task, columns)
    return Limit(metric.key, value, metric)


_metrics: TypeAdapter[Metric] = TypeAdapter(AnyMetric)


def metric_of(name: str, task: Task, columns: int) -> Metric:
    """A metric by its name, as in the experiment file.

    Raises:
        ConfigError: where there is none of that name for such a target.
    """
    try:
        metric = _metrics.validate_python(name)
    except ValidationError:
        names = metric_names(task)
        near = nearest(name, names)
        hint = f"did you mean {near!r}? " if near else ""
        raise ConfigError(f"{name!r} is not a metric; {hint}for {task} there are {', '.join(names)}") from None
    metric.check(task, columns)
    return metric


def metric_names(task: Task) -> list[str]:
    """What metrics for a kind of target are called; averages come as prefixes."""
    members = [cls for cls in get_args(get_args(AnyMetric)[0]) if task in cls.tasks]
    names = [cls.model_construct().key for cls in members]
    averaged = [cls.model_fields["type"].default for cls in members if "average" in cls.model_fields]
    return names + [f"{average}_{name}" for name in averaged for average in AVERAGES]
