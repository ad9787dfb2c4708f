"""Metrics of predictions that come all at once."""

from typing import Any

from nnctl.metrics import Metric, Predictions


def value(metric: Metric, p: Predictions) -> float:
    return metric.value(metric.summed(p))


def by_class(metric: Metric, p: Predictions) -> Any:
    return metric.by_class(metric.summed(p))
