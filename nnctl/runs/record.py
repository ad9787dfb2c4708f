"""Training into a run directory: events become lines, checkpoints and the model."""

import os
from collections import deque
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from math import prod
from time import monotonic
from typing import cast

import numpy as np
from threadpoolctl import threadpool_limits

from nnctl.config.experiment import Runtime
from nnctl.config.paths import relocated
from nnctl.engine.ranks import Ranks, can_fork
from nnctl.engine.workers import Workers, processors
from nnctl.errors import ConfigError, Diverged, Interrupted, Lost, NnctlError
from nnctl.kernels.choice import kernels
from nnctl.runs.directory import RunDirectory, plain
from nnctl.runs.facts import ModelFacts, RunFacts
from nnctl.runs.model import Model, save_model
from nnctl.runs.resolved import write_config
from nnctl.runs.summary import health, rows, undecided
from nnctl.stopping import StopRequest
from nnctl.training.job import Job
from nnctl.training.loop import BatchDone, EpochDone, Finished, monitor_of, reopen, start, train
from nnctl.training.report import evaluate_splits, trivial_answers
from nnctl.training.tally import WINDOW_ROWS, WINDOW_VALUES


@dataclass(frozen=True)
class Impaired:
    """What the run had is not all there, as `message` says, and training goes on without it."""

    message: str


@dataclass(frozen=True)
class Recorded:
    """Training has ended and the model is written; `summary` is also in run.json."""

    summary: RunFacts


Event = Impaired | BatchDone | EpochDone | Recorded


@dataclass
class Recorder:
    """Writes one training into its run directory."""

    run: RunDirectory
    job: Job
    stop: StopRequest = field(default_factory=StopRequest)
    _saved_at: float = 0.0
    _kernels: str = "numpy"

    def train(self) -> Generator[Event, None, None]:
        """Train to the end, or until a stop is asked for; from the newest checkpoint where there is one.

        Yields what happens, after it was written. Whoever closes the generator before its end interrupts the run.

        Raises:
            Interrupted: after the checkpoint was written, when `stop` was set.
            Diverged: when a number stopped being finite; the run says so.
        """
        try:
            with (
                threadpool_limits(1, "blas"),
                np.errstate(all="ignore"),
                workers_of(self.job) as workers,
                kernels(self.job) as used,
            ):
                self._kernels = used
                summary = yield from self._consume(workers)
        except GeneratorExit:
            self._interrupt("left")
            raise
        except Diverged as error:
            self._note("diverged", str(error))
            raise
        except Lost as error:
            self._note("failed", str(error))
            raise Lost(f"{error}; go on from the last checkpoint with: nnctl train --resume {self.run.path}") from None
        except NnctlError:  # refused before it began, or interrupted and noted
            raise
        except BaseException as error:
            with suppress(OSError):  # what the system refuses may be this very file
                self._note("failed", f"{type(error).__name__}: {error}")
            error.add_note(f"then continue with: nnctl train --resume {self.run.path}")
            raise
        yield Recorded(summary)

    def _restore(self, workers: Workers) -> Generator[Event, None, None]:
        """Set the state to go on from: that of the newest whole checkpoint, or the first."""
        self.trials = trials = start(self.job, workers)
        saved = self.run.checkpoints.load()
        if saved is not None:
            arrays, values, warning = saved
            trials.restore(arrays, values)
            if warning is not None:
                yield Impaired(f"went back to the checkpoint before the last one: {warning}")
            reopen(self.job, trials)
        # Nothing of the run is changed before this point, where going on is certain.
        several = self.job.experiment.training.restarts > 1
        lost = self.run.keep_rows(
            (trial if several else None, epoch)
            for trial, epochs in enumerate(trials.epochs, 1)
            for epoch in range(1, epochs + 1)
        )
        if lost:
            message = (
                f"{self.run.metrics}: the lines of {lost} of {sum(trials.epochs)} epochs are lost or damaged; training "
                "goes on from the checkpoint, which is whole, and these epochs stand there without figures"
            )
            self.run.log(f"warning: {message}")
            yield Impaired(message)
        write_config(self.run, self.job)
        kind, _, reason = self._kernels.partition(", ")
        self.run.update(status="running", pid=os.getpid(), kernels=kind, ranks=self.job.experiment.runtime.ranks)
        if reason:
            self.run.log(f"kernels: numpy, {reason}")
        self._saved_at = monotonic()

    def _consume(self, workers: Workers) -> Generator[Event, None, RunFacts]:
        yield from self._restore(workers)
        workers.split(lambda: deque(train(self.job, self.trials), 0))
        with closing(train(self.job, self.trials)) as events:
            for event in events:
                if isinstance(event, Finished):
                    return self._finish(event, workers.local)
                if isinstance(event, EpochDone):
                    self.run.append_row(event.row)
                yield event
                if self.stop.signal is not None:
                    self._interrupt(self.stop.name)
                    raise Interrupted(
                        f"stopped by {self.stop.name}; continue with: nnctl train --resume {self.run.path}",
                        128 + self.stop.signal,
                    )
                self._save_if_due(isinstance(event, EpochDone))
        raise RuntimeError("training ended without a result")

    def _save_if_due(self, epoch_ended: bool) -> None:
        every = self.job.experiment.runtime.checkpoint_seconds
        if (every == 0 and epoch_ended) or (every > 0 and monotonic() - self._saved_at >= every):
            self.save()

    def save(self) -> None:
        """Write a checkpoint; the lines it counts on are made durable first."""
        self.run.flush_rows()
        arrays, values = self.trials.snapshot()
        self.run.checkpoints.save(arrays, values)
        self._saved_at = monotonic()

    def _interrupt(self, by: str) -> None:
        state = self.trials.state
        self.save()
        self._note("interrupted", f"{by} after epoch {state.epoch}, batch {state.batch}")

    def _note(self, status: str, reason: str) -> None:
        self.run.update(status=status, stop_reason=reason)
        self.run.log(f"{status}: {reason}")

    def _finish(self, event: Finished, workers: Workers) -> RunFacts:
        self.save()
        job, epoch = self.job, event.kept["epoch"]
        # What does not change the model stays out of its file: the same training gives the same bytes.
        experiment = relocated(job.experiment, job.base, self.run.path)
        experiment = experiment.model_copy(update={"runtime": Runtime(dtype=experiment.runtime.dtype)})
        answers = trivial_answers(job)
        facts = ModelFacts(epoch=epoch, baseline={name: tuple(answer.tolist()) for name, answer in answers.items()})
        model = Model(experiment, job.data.fitted, job.network, job.heads, event.theta, facts)
        save_model(self.run.model, model)
        figures, baseline = evaluate_splits(job, event.theta, answers, workers)
        values = [score["value"] for score in event.scores]
        history = rows(self.run)
        summary: RunFacts = {
            "status": "finished",
            "stop_reason": event.reason,
            "best_epoch": epoch,
            "epochs": self.trials.state.epoch,
            "monitor": monitor_of(job).key,
            "best_value": event.kept["value"],
            "restarts": event.scores,
            "restart_mean": float(np.mean(values)),
            "restart_spread": float(np.std(values)),
            "seconds": sum(row.seconds for row in history),
            "evaluation": figures,
            "baseline": baseline,
        }
        self.run.update(**summary)
        self.run.log(f"finished: {event.reason}, best epoch {epoch}")
        for message in [*undecided(summary), *health(history)]:
            self.run.log(f"warning: {message}")
        return cast("RunFacts", plain(summary))


def workers_of(job: Job) -> Workers:
    """The threads or the ranks that an experiment asks for."""
    runtime = job.experiment.runtime
    if runtime.ranks == 1:
        return Workers(processors() if runtime.threads == "auto" else runtime.threads)
    if not can_fork():
        raise ConfigError(f"runtime.ranks: {runtime.ranks} need a system on which processes share memory; write 1")
    return Ranks(runtime.ranks, room_of(job))


def room_of(job: Job) -> int:
    """Bytes that ranks share at most: parameters, a gradient a shard, the optimizer's vectors, outputs and losses."""
    item, size = np.dtype(job.experiment.runtime.dtype).itemsize, job.layout.size
    vectors = 1 + job.most_shards + len(job.experiment.optimizer.vectors)
    outputs = sum(prod(job.network.shape_of(output)) for output in job.heads)
    windows = item * outputs * max(WINDOW_ROWS, 2 * job.batch_size) + 8 * WINDOW_VALUES * len(job.heads)
    return vectors * (item * size + 64) + windows + 64 * (len(job.heads) + 1) * (job.most_shards + 8)
