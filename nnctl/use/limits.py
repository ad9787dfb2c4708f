"""Limits that figures must keep, and metrics by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from nnctl.data.targets import Target
from nnctl.errors import ConfigError
from nnctl.metrics import AnyMetric, Metric, Task
from nnctl.names import unknown

#: What may stand before `precision`, `recall` and `f1`.
AVERAGES = ("binary", "macro", "micro", "weighted")


@dataclass(frozen=True)
class Limit:
    """What a figure must reach, or must not exceed where lower is better; the loss `needs` no metric.

    `output` is what the figure is of; None for the loss of all of several outputs.
    """

    name: str
    value: float
    needs: Metric | None
    output: str | None

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


def limit_of(text: str, targets: Mapping[str, Target]) -> Limit:
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
        raise ConfigError(f"--fail-under {text}: is not METRIC=NUMBER; write for example {_example(targets)}=0.95")
    losses = {f"{output}.loss": output for output in targets} if len(targets) > 1 else {}
    if name == "loss" or name in losses:
        return Limit(name, value, None, losses.get(name))
    output, metric = metric_of(name, targets)
    return Limit(f"{output}.{metric.key}" if len(targets) > 1 else metric.key, value, metric, output)


_metrics: TypeAdapter[Metric] = TypeAdapter(AnyMetric)


def metric_of(name: str, targets: Mapping[str, Target]) -> tuple[str, Metric]:
    """An output and a metric of it by its name, as in metrics.jsonl: `mae`, or `price.mae` of several outputs.

    Raises:
        ConfigError: where there is none of that name for such a target.
    """
    output, _, key = name.partition(".") if len(targets) > 1 else (next(iter(targets)), "", name)
    if output not in targets and key:
        raise ConfigError(f"{name}: the model has {unknown('output', output, targets)}")
    if output not in targets:
        raise ConfigError(
            f"{name!r}: of which output? There are {', '.join(targets)}; write for example {_example(targets)}"
        )
    target = targets[output]
    try:
        metric = _metrics.validate_python(key)
    except ValidationError:
        names = metric_names(target.task)
        raise ConfigError(f"for {target.task} there is {unknown('metric', key, names)}") from None
    metric.check(target.no_predictions)
    return output, metric


def _example(targets: Mapping[str, Target]) -> str:
    output, target = next(iter(targets.items()))
    key = target.suited_metrics[0].key
    return f"{output}.{key}" if len(targets) > 1 else key


def metric_names(task: Task) -> list[str]:
    """What metrics for a kind of target are called; averages come as prefixes."""
    members = [cls for cls in get_args(get_args(AnyMetric)[0]) if task in cls.tasks]
    names = [cls.model_construct().key for cls in members]
    averaged = [cls.model_fields["type"].default for cls in members if "average" in cls.model_fields]
    return names + [f"{average}_{name}" for name in averaged for average in AVERAGES]
