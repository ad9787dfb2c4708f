"""Figures of a trained network on its splits, beside those of the baseline."""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.parameters import Array
from nnctl.engine.workers import Workers
from nnctl.metrics import evaluate
from nnctl.training.evaluate import Evaluator
from nnctl.training.job import Job

Figures = dict[str, dict[str, float]]


def named(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of all outputs by one name each: `mae`, or `price.mae` where there are several outputs."""
    several = len(figures) > 1
    return {
        f"{output}.{key}" if several else key: value for output, own in figures.items() for key, value in own.items()
    }


def trivial_answer(job: Job) -> Array:
    """What the network has to beat: the decoded outputs (columns,) that look at no feature."""
    return job.data.encoder.target.trivial(job.data.train.truth, job.data.train.w)


def evaluate_splits(job: Job, theta: Array, answer: Array, workers: Workers) -> tuple[Figures, Figures]:
    """Loss and metrics by split, and the metrics of the answer that looks at no feature."""
    evaluator = Evaluator(job.network, job.heads, theta, workers)
    figures: Figures = {}
    trivial: Figures = {}
    for split, data in job.splits():
        losses, outputs = evaluator(data)
        figures[split] = {"loss": evaluator.total(losses)}
        trivial[split] = {}
        for output, metrics in job.metrics.items():
            found = job.data.predictions(job.heads[output].loss, data, outputs[output])
            figures[split] |= evaluate(metrics, found)
            trivial[split] |= evaluate(metrics, job.data.encoder.target.beside(answer, data.truth, data.w))
    return figures, trivial
