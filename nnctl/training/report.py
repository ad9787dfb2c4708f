"""Figures of a trained network on its splits, beside those of the baseline."""

from nnctl.engine.parameters import Array
from nnctl.engine.workers import Workers
from nnctl.metrics import evaluate
from nnctl.training.evaluate import Evaluator
from nnctl.training.job import Job

Figures = dict[str, dict[str, float]]


def trivial_answer(job: Job) -> Array:
    """What the network has to beat: the decoded outputs (columns,) that look at no feature."""
    return job.data.encoder.target.trivial(job.data.train.truth, job.data.train.w)


def evaluate_splits(job: Job, theta: Array, answer: Array, workers: Workers) -> tuple[Figures, Figures]:
    """Loss and metrics by split, and the metrics of the answer that looks at no feature."""
    evaluator = Evaluator(job.network, job.loss, theta, workers)
    figures: Figures = {}
    trivial: Figures = {}
    for split, data in job.splits():
        loss, outputs = evaluator(data)
        figures[split] = {"loss": loss, **evaluate(job.metrics, job.data.predictions(job.loss, data, outputs))}
        trivial[split] = evaluate(job.metrics, job.data.encoder.target.beside(answer, data.truth, data.w))
    return figures, trivial
