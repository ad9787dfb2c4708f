"""The objective of a network: its loss over examples, and the penalty on its weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.engine.batch import Batch
from nnctl.engine.network import Pass
from nnctl.engine.parameters import Array
from nnctl.engine.shards import MeanLoss
from nnctl.engine.workers import Workers
from nnctl.training.diagnostics import first_non_finite, gradient_shares, layer_health, probe, unit_health
from nnctl.training.evaluate import Evaluator
from nnctl.training.objective import Measured
from nnctl.training.tally import Tally

if TYPE_CHECKING:
    from nnctl.training.job import Job


class NetworkLoss:
    """J = mean loss of the batches of a step + penalty, with the figures of the epoch: an `Objective`.

    Attributes:
        theta: where the gradient is taken.
        stream: the examples.
        gradient: dJ/dtheta of the last step.
        tally: loss and metrics of the training examples of the epoch under way.
    """

    def __init__(self, job: "Job", theta: Array, model: Array, trial: int, workers: Workers) -> None:
        self.job, self.theta, self.stream, self.workers = job, theta, job.stream(trial), workers
        self.loss = MeanLoss(job.network, job.heads, theta, workers, most_shards=job.most_shards)
        self.evaluator = Evaluator(job.network, job.heads, model, workers.local)
        self.probe, self.probed = Pass(job.network, theta), probe(job.data.train, theta.dtype)
        self.penalty = job.penalty()
        self.tally = Tally(job.data.train, job.network, job.heads, job.metrics, theta.dtype, workers)
        self.gradient = theta[:0]
        self._address = (job.experiment.seed, "pass", trial)
        self._total = np.empty_like(theta) if job.experiment.training.accumulate > 1 else theta[:0]
        self._before = theta
        self._batch: Batch | None = None
        self._shares: dict[str, float] = {}

    @property
    def length(self) -> int | None:
        """Batches in an epoch."""
        return self.stream.length

    def batches(self, epoch: int, first: int, taken: int) -> Iterator[Batch]:
        """The batches of an epoch."""
        return self.stream.batches(epoch, first, taken)

    def __call__(self, batches: Sequence[Batch], *, last: bool) -> float:
        """J of a step without the penalty, whose gradient is in `gradient`."""
        if last:  # before the gradient of the step, which stays in its place
            self._shares = gradient_shares(self.loss, batches[-1], (*self._address, batches[0].number))
            self._before = self.theta.copy()
        masses = self.loss.masses_of(batches) if len(batches) > 1 else None
        value = 0.0
        for i, batch in enumerate(batches):
            if i:
                self.loss.track()
            address, self._batch = (*self._address, batch.number), batch
            value += self.loss(batch, address=address, outputs=self.tally.room(len(batch)), masses=masses)
            sums = {output: mean * self.loss.masses[output] for output, mean in self.loss.losses.items()}
            self.tally.add(batch.rows, sums, {} if masses and i else self.loss.masses)
            if masses:
                np.add(self._total if i else 0, self.loss.gradient, out=self._total)
            if not isfinite(value):
                break
        self.gradient = self._total if masses else self.loss.gradient
        self.penalty.add_gradient(self.theta, self.gradient)
        return value

    def stepped(self) -> None:
        """Keep weights within their bounds, and update running statistics."""
        if self.penalty.max_norm is not None:
            if self.workers.first:
                self.penalty.constrain(self.theta)
            self.workers.meet()
        self.loss.track()

    def blame(self) -> str:
        """Where the first number that is not finite stands."""
        if self._batch is None:
            raise RuntimeError("no step was taken")
        return first_non_finite(self.job.network, self.theta, self.gradient, self._batch)

    def measured(self) -> Measured:
        """The figures of training and validation, and the health of the layers."""
        return Measured(**self.workers.agree(lambda: asdict(self._measured())))

    def _measured(self) -> Measured:
        job = self.job
        layers = layer_health(job.network, self.theta, self._before, self.gradient)
        figures = {f"train.{key}": value for key, value in self.tally.figures().items()}
        if job.data.validation is not None:
            validation = self.evaluator.figures(job.data.validation, job.metrics)
            figures |= {f"validation.{key}": value for key, value in validation.items()}
        for name, shares in unit_health(job.network, self.probe, self.probed).items():
            layers.setdefault(name, {}).update(shares)
        return Measured(figures, self.penalty.value(self.theta), self._shares, layers)

    def reset(self) -> None:
        """Forget the examples of the epoch that has ended."""
        self.tally.reset()

    def snapshot(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Arrays and JSON values of the epoch under way."""
        return self.tally.snapshot()

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        """Take on a snapshot."""
        self.tally.restore(arrays, values)
