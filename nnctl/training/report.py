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


def trivial_answers(job: Job) -> dict[str, Array]:
    """What the network has to beat: by output, the decoded outputs (columns,) that look at no feature."""
    w, answers = job.data.train.w, {}
    for name, truth in job.data.train.truths.items():
        answers[name] = truth.target.trivial(truth.present, None if w is None else truth.of_present(w))
    return answers


def evaluate_splits(job: Job, theta: Array, answers: Mapping[str, Array], workers: Workers) -> tuple[Figures, Figures]:
    """Loss and metrics by split, and the metrics of the answer that looks at no feature."""
    evaluator = Evaluator(job.network, job.heads, theta, workers)
    figures: Figures = {}
    trivial: Figures = {}
    for split, data in job.splits():
        losses, outputs = evaluator(data)
        found, answered = {}, {}
        for output, metrics in job.metrics.items():
            found[output] = evaluate(metrics, data.predictions(output, outputs[output]))
            answered[output] = evaluate(metrics, data.answered(output, answers[output]))
            if len(losses) > 1:
                found[output] = {"loss": losses[output], **found[output]}
        figures[split] = {"loss": evaluator.total(losses), **named(found)}
        trivial[split] = named(answered)
    return figures, trivial
