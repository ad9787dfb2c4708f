"""The training loop: a generator of events."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil, isfinite
from time import perf_counter
from typing import Any, TypeVar

from nnctl.clipping import clip_by_norm, clip_by_value, clip_each_by_norm, norm
from nnctl.engine.parameters import Array
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError, DataError, Diverged
from nnctl.optimizers.stepper import Stepper
from nnctl.schedules import Progress
from nnctl.training.history import EpochRow, Score
from nnctl.training.job import Job
from nnctl.training.state import State
from nnctl.training.stopping import Monitor
from nnctl.training.trials import Trials

Item = TypeVar("Item")


@dataclass(frozen=True)
class BatchDone:
    """One step was taken; `speed` is in examples a second. The state may be saved now.

    `batches` are those of an epoch, None where only its end tells.
    """

    epoch: int
    batch: int
    batches: int | None
    loss: float
    rate: float
    speed: float


@dataclass(frozen=True)
class EpochDone:
    """One epoch ended; `row` is its line of metrics.jsonl. The state may be saved now."""

    row: EpochRow
    batches: int
    best: bool


@dataclass(frozen=True)
class Finished:
    """Training ended by itself; `theta` is the model."""

    theta: Array
    reason: str
    scores: list[Score]
    kept: Score


ALL_EPOCHS, EARLY = "all epochs done", "early stopping"

Event = BatchDone | EpochDone | Finished


def start(job: Job, workers: Workers) -> Trials:
    """Before the first step of the first trial."""

    def trial(number: int) -> State:
        e = job.experiment
        workers.renew()
        theta = workers.share(job.layout.initial(e.seed, number, e.runtime.dtype))
        averaged = None if e.training.averaging is None else theta.copy()
        objective = job.objective(theta, theta if averaged is None else averaged, number, workers)
        stepper = Stepper(e.optimizer, job.layout, theta.dtype, workers)
        workers.meet()
        return State(theta, stepper, objective, averaged=averaged)

    return Trials(trial, trial(0))


def train(job: Job, trials: Trials) -> Generator[Event, None, None]:
    """Train on from where the trials are, which change in place and are consistent whenever an event is out.

    To stop early, stop asking for events. A snapshot taken after any event continues to the same
    bits as if it had not been interrupted.

    Raises:
        Diverged: on a loss or gradient that is not finite, naming the layer and the step.
    """
    monitor = monitor_of(job)
    while True:
        if trials.state.stop_reason is None:
            yield from _Training(job, trials.state, trials.number, monitor).epochs()
            trials.close(monitor)
        if trials.number + 1 >= job.experiment.training.restarts:
            break
        trials.next()
    if trials.champion is None:
        raise RuntimeError("a trial has ended without a champion")
    yield Finished(trials.champion, trials.state.stop_reason or "", trials.scores, trials.kept(monitor))


def monitor_of(job: Job) -> Monitor:
    """What decides which epoch and which restart is the best."""
    key = job.monitors()["training.early_stopping.monitor"]
    return Monitor(job.experiment.training.early_stopping, key, job.higher_is_better(key))


def reopen(job: Job, trials: Trials) -> None:
    """Let a finished run go on where its experiment now has more epochs or more patience.

    Raises:
        ConfigError: for fewer epochs than were done, and for more where several restarts have been
            compared already.
    """
    epochs, state = job.experiment.training.epochs, trials.state
    if state.epoch > epochs:
        raise ConfigError(f"training.epochs: {state.epoch} epochs are done; {epochs} are fewer")
    if state.stop_reason is None or state.epoch == epochs or monitor_of(job).exhausted(state):
        return  # nothing more to do than to write the model
    if job.experiment.training.restarts > 1:
        raise ConfigError("training.restarts: a finished run with several cannot be extended; train anew instead")
    trials.reopen()


class _Training:
    """One trial, epoch by epoch."""

    def __init__(self, job: Job, state: State, trial: int, monitor: Monitor) -> None:
        self.job, self.state, self.trial, self.monitor = job, state, trial, monitor
        self.e, self.objective = job.experiment, state.objective

    def epochs(self) -> Iterator[Event]:
        """Train until the last epoch or until early stopping ends it; sets `state.stop_reason`."""
        state = self.state
        while state.stop_reason is None:
            if self.monitor.exhausted(state):
                state.stop_reason = EARLY + self.monitor.blindness(state)
            elif state.epoch >= self.e.training.epochs:
                state.stop_reason = ALL_EPOCHS
            else:
                yield from self._epoch()

    def _epoch(self) -> Iterator[Event]:
        state, begun, examples = self.state, perf_counter(), 0
        batches = self.objective.batches(state.epoch, state.batch, state.taken)
        for group, last in groups(batches, self.e.training.accumulate):
            loss, rate = self._step(group, last=last)
            state.batch, state.taken = state.batch + len(group), state.taken + len(group)
            examples += sum(map(len, group))
            speed = examples / (perf_counter() - begun)
            if not last:
                yield BatchDone(state.epoch + 1, state.batch, self.objective.length, loss, rate, speed)
        if not state.batch:
            raise DataError(f"epoch {state.epoch + 1} has no example to learn from")
        row, length = self._row(rate, speed), state.batch
        state.epoch, state.batch, state.gradient_norm = state.epoch + 1, 0, 0.0
        self.objective.reset()
        if not isfinite(norm(state.theta)):
            raise Diverged(
                f"training diverged in epoch {row.epoch}, step {state.step}: after it the weights are not finite. "
                "Try a tenth of optimizer.learning_rate"
            )
        state.last_value = _value(row, self.monitor.key)
        best = self.monitor.observe(state.last_value, state)
        if best and self.e.training.early_stopping is not None and self.e.training.early_stopping.restore_best:
            state.best_theta = state.model.copy()
        self._inform_schedule(row)
        yield EpochDone(replace(row, seconds=perf_counter() - begun), length, best)

    def _step(self, group: Sequence[Any], *, last: bool) -> tuple[float, float]:
        """One step: forward and backward, batch by batch, clip, update. Returns J and the learning rate."""
        state, objective, training = self.state, self.objective, self.e.training
        loss = objective(group, last=last)
        g = objective.gradient[self.job.layout.trained]
        length = norm(g) if training.clip_norm is None else clip_by_norm(g, training.clip_norm)
        if not (isfinite(loss) and isfinite(length)):
            raise Diverged(
                f"training diverged in epoch {state.epoch + 1}, step {state.step + 1}: the loss is {loss} and "
                f"{objective.blame()}. Try a tenth of optimizer.learning_rate, training.clip_norm: 1.0, or "
                "data.preprocess.numeric: standardize"
            )
        if training.clip_norm_each is not None:
            clip_each_by_norm(g, self.job.layout.spans, training.clip_norm_each)
        if training.clip_value is not None:
            clip_by_value(g, training.clip_value)
        state.gradient_norm += length
        rate = self._rate()
        state.stepper.step(state.theta, objective.gradient, rate)
        objective.stepped()
        if state.averaged is not None and training.averaging is not None:
            state.averaged += training.averaging.share(state.step) * (state.theta - state.averaged)
        return loss, rate

    def _rate(self) -> float:
        """The learning rate of the coming step; where the length of an epoch is not known, by whole epochs."""
        state, length, epochs = self.state, self.objective.length, self.e.training.epochs
        if length is None:
            progress = Progress(state.epoch, 1, epochs)
        else:
            progress = Progress(state.step, ceil(length / self.e.training.accumulate), epochs)
        return self.e.optimizer.learning_rate * self.e.schedule.scale(progress, state.schedule_memory)

    def _inform_schedule(self, row: EpochRow) -> None:
        key = self.e.schedule.monitored
        if key is not None:
            sign = -1.0 if self.job.higher_is_better(key) else 1.0
            self.e.schedule.observe(sign * _value(row, key), self.state.schedule_memory)

    def _row(self, rate: float, speed: float) -> EpochRow:
        """The epoch's line of metrics.jsonl."""
        state, measured = self.state, self.objective.measured()
        return EpochRow(
            epoch=state.epoch + 1,
            step=state.step,
            learning_rate=rate,
            restart=self.trial + 1 if self.e.training.restarts > 1 else None,
            examples_per_second=speed,
            figures=measured.figures,
            penalty=measured.penalty or None,
            gradient_norm=state.gradient_norm / ceil(state.batch / self.e.training.accumulate),
            shares=measured.shares,
            layers=measured.layers,
        )


def groups(items: Iterator[Item], size: int) -> Iterator[tuple[list[Item], bool]]:
    """As many items as make a step, the last of them fewer, and whether they are the last: one group is read ahead."""
    group = list(islice(items, size))
    while group:
        after = list(islice(items, size))
        yield group, not after
        group = after


def _value(row: EpochRow, key: str) -> float:
    """A figure of an epoch that has just been measured."""
    value = row.figures[key]
    return float("nan") if value is None else value
