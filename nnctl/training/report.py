"""Figures of a trained network on its splits, beside those of the baseline."""

from collections.abc import Mapping

from nnctl.engine.parameters import Array
from nnctl.engine.workers import Workers
from nnctl.metrics import evaluate
from nnctl.training.evaluate import Evaluator
from nnctl.training.job import Job
from nnctl.training.tally import named

Figures = dict[str, dict[str, float]]


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
        figures[split] = evaluator.figures(data, job.metrics)
        trivial[split] = named({o: evaluate(own, data.answered(o, answers[o])) for o, own in job.metrics.items()})
    return figures, trivial
