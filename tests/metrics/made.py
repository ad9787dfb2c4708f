"""Metrics of predictions that come all at once."""

from typing import Any

from nnctl.metrics import ClassPredictions, LabelPredictions, Metric, NumberPredictions, Predictions
from nnctl.metrics.predictions import Task

#: The kinds of predictions by task.
OF: dict[Task, type[Predictions]] = {
    kind.task: kind for kind in (ClassPredictions, LabelPredictions, NumberPredictions)
}


def value(metric: Metric, p: Predictions) -> float:
    return metric.value(metric.summed(p))


def by_class(metric: Metric, p: Predictions) -> Any:
    return metric.by_class(metric.summed(p))
