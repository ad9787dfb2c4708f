"""The training loop: a generator of events."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite
from time import perf_counter

import numpy as np

from nnctl.clipping import clip_by_norm, clip_by_value, norm
from nnctl.data.batching import batches
from nnctl.engine.batch import Batch
from nnctl.engine.network import Pass
from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from nnctl.engine.shards import Objective
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError, Diverged
from nnctl.optimizers.stepper import Stepper
from nnctl.schedules import Progress
from nnctl.training.diagnostics import explain_divergence, gradient_shares, layer_health, probe, unit_health
from nnctl.training.evaluate import Evaluator
from nnctl.training.history import EpochRow, Score
from nnctl.training.job import Job
from nnctl.training.state import State
from nnctl.training.stopping import Monitor
from nnctl.training.tally import Tally, named
from nnctl.training.trials import Trials


@dataclass(frozen=True)
class BatchDone:
    """One step was taken; `speed` is in examples a second. The state may be saved now."""

    epoch: int
    batch: int
    batches: int
    loss: float
    rate: float
    speed: float


@dataclass(frozen=True)
class EpochDone:
    """One epoch ended; `row` is its line of metrics.jsonl. The state may be saved now."""

    row: EpochRow
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
        e, layout = job.experiment, job.network.layout
        theta = layout.initial(e.seed, number, e.runtime.dtype)
        stepper = Stepper(e.optimizer, layout, theta.dtype, workers)
        tally = Tally(job.data.train, job.network, job.heads, job.metrics, theta.dtype)
        return State(theta, stepper, tally, averaged=None if e.training.averaging is None else theta.copy())

    return Trials(trial, trial(0))


def train(job: Job, trials: Trials, workers: Workers) -> Generator[Event, None, None]:
    """Train on from where the trials are, which change in place and are consistent whenever an event is out.

    To stop early, stop asking for events. A snapshot taken after any event continues to the same
    bits as if it had not been interrupted.

    Raises:
        Diverged: on a loss or gradient that is not finite, naming the layer and the step.
    """
    monitor = monitor_of(job)
    while True:
        if trials.state.stop_reason is None:
            yield from _Training(job, trials.state, trials.number, workers, monitor).epochs()
            trials.close(monitor)
        if trials.number + 1 >= job.experiment.training.restarts:
            break
        trials.next()
    if trials.champion is None:
        raise RuntimeError("a trial has ended without a champion")
    yield Finished(trials.champion, trials.state.stop_reason or "", trials.scores, trials.kept(monitor))


def monitor_of(job: Job) -> Monitor:
    """What decides which epoch and which restart is the best."""
    stopping = job.experiment.training.early_stopping
    default = "validation.loss" if job.data.validation is not None else "train.loss"
    key = stopping.monitor if stopping else default
    return Monitor(stopping, key, higher_is_better(job, key))


def higher_is_better(job: Job, key: str) -> bool:
    """Whether a figure of the epochs' rows is better when it is higher; losses are not."""
    wanted = key.partition(".")[2]
    rising = named({o: {m.key: m.better == "higher" for m in metrics} for o, metrics in job.metrics.items()})
    return bool(rising.get(wanted))


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

    def __init__(self, job: Job, state: State, trial: int, workers: Workers, monitor: Monitor) -> None:
        self.job, self.state, self.trial, self.monitor = job, state, trial, monitor
        self.e = job.experiment
        network, theta = job.network, state.theta
        self.objective = Objective(network, job.heads, theta, workers)
        self.evaluator = Evaluator(network, job.heads, state.model, workers)
        self.penalty = job.penalty()
        self.probe_pass = Pass(network, theta)
        self.probe_rows = probe(job.data.train, theta.dtype)
        self.batch_size, self.batches = job.batch_size, job.batches
        self.shares: dict[str, float] = {}
        self.total = np.empty_like(theta) if self.e.training.accumulate > 1 else theta[:0]

    def epochs(self) -> Iterator[Event]:
        """Train until the last epoch or until early stopping ends it; sets `state.stop_reason`."""
        state = self.state
        while state.stop_reason is None:
            if self.monitor.exhausted(state):
                state.stop_reason = EARLY
            elif state.epoch >= self.e.training.epochs:
                state.stop_reason = ALL_EPOCHS
            else:
                yield from self._epoch()

    def _epoch(self) -> Iterator[Event]:
        state, started, begun_at = self.state, perf_counter(), self.state.batch
        order = state.tally.order = self._order()
        parts = [order[i : i + self.batch_size] for i in range(begun_at * self.batch_size, len(order), self.batch_size)]
        ready = batches(self.job.data.train, parts, state.theta.dtype, self.e.seed, self.trial, self._seen)
        while group := list(islice(ready, self.e.training.accumulate)):
            last = state.batch + len(group) == self.batches
            loss, rate, health = self._step(group, measure=last)
            state.batch += len(group)
            if not last:
                done = (state.batch - begun_at) * self.batch_size
                yield BatchDone(
                    state.epoch + 1, state.batch, self.batches, loss, rate, done / (perf_counter() - started)
                )
        seconds = perf_counter() - started
        examples = len(order) - begun_at * self.batch_size
        row = self._row(rate, health, examples / seconds)
        state.epoch, state.batch, state.gradient_norm = state.epoch + 1, 0, 0.0
        state.tally.reset()
        if not isfinite(norm(state.theta)):
            raise Diverged(
                f"training diverged in epoch {row.epoch}, step {state.step}: after it the weights are not finite. "
                "Try a tenth of optimizer.learning_rate"
            )
        state.last_value = _value(row, self.monitor.key)
        best = self.monitor.observe(state.last_value, state)
        if best and self.e.training.early_stopping is not None and self.e.training.early_stopping.restore_best:
            state.best_theta = state.model.copy()
        self._tell_schedule(row)
        yield EpochDone(replace(row, seconds=perf_counter() - started), best)

    def _order(self) -> Array:
        rows = np.arange(len(self.job.data.train))
        if self.e.training.shuffle:
            stream(self.e.seed, "shuffle", self.trial, self.state.epoch).shuffle(rows)
        return rows

    @property
    def _seen(self) -> int:
        """Batches taken."""
        return self.state.epoch * self.batches + self.state.batch

    def _step(self, group: Sequence[Batch], *, measure: bool) -> tuple[float, float, dict[str, dict[str, float]]]:
        """One step: forward and backward, batch by batch, clip, update."""
        state, e = self.state, self.e
        layout, theta = self.job.network.layout, state.theta
        if measure:  # before the gradient of the step, which stays in its place
            self.shares = gradient_shares(self.objective, group[-1], (self.e.seed, "pass", self.trial, self._seen))
        loss, gradient, batch = self._gradient(group)
        self.penalty.add_gradient(theta, gradient)
        g = gradient[layout.trained]
        limit = e.training.clip_norm
        length = norm(g) if limit is None else clip_by_norm(g, limit)
        if not (isfinite(loss) and isfinite(length)):
            raise Diverged(
                explain_divergence(self.job.network, theta, gradient, batch, loss, state.epoch + 1, state.step + 1)
            )
        if e.training.clip_value is not None:
            clip_by_value(g, e.training.clip_value)
        state.gradient_norm += length

        rate = self._rate()
        before = theta.copy() if measure else None
        state.stepper.step(theta, gradient, rate)
        self.penalty.constrain(theta)
        self.objective.track()
        if state.averaged is not None and e.training.averaging is not None:
            state.averaged += e.training.averaging.share(state.step) * (theta - state.averaged)
        if before is None:
            return loss, rate, {}
        return loss, rate, layer_health(self.job.network, theta, before, gradient)

    def _gradient(self, group: Sequence[Batch]) -> tuple[float, Array, Batch]:
        """J over the batches of a step as over one, its gradient, and the batch looked at last.

        Ends early where J is not finite.
        """
        state, objective = self.state, self.objective
        masses = objective.masses_of(group) if len(group) > 1 else None
        loss = 0.0
        for i, batch in enumerate(group):
            if i:
                objective.track()
            address = (self.e.seed, "pass", self.trial, self._seen + i)
            loss += objective(batch, address=address, outputs=state.tally.room(len(batch)), masses=masses)
            sums = {output: mean * objective.masses[output] for output, mean in objective.losses.items()}
            state.tally.add(len(batch), sums, {} if masses and i else objective.masses)
            if len(group) > 1:
                np.add(self.total if i else 0, objective.gradient, out=self.total)
            if not isfinite(loss):
                break
        return loss, self.total if len(group) > 1 else objective.gradient, batch

    def _rate(self) -> float:
        progress = Progress(self.state.step, self.job.steps, self.e.training.epochs)
        return self.e.optimizer.learning_rate * self.e.schedule.scale(progress, self.state.schedule_memory)

    def _tell_schedule(self, row: EpochRow) -> None:
        key = self.e.schedule.monitored
        if key is not None:
            sign = -1.0 if higher_is_better(self.job, key) else 1.0
            self.e.schedule.observe(sign * _value(row, key), self.state.schedule_memory)

    def _row(self, rate: float, health: dict[str, dict[str, float]], speed: float) -> EpochRow:
        """The epoch's line of metrics.jsonl."""
        state, job = self.state, self.job
        figures = {f"train.{key}": value for key, value in state.tally.figures().items()}
        if job.data.validation is not None:
            measured = self.evaluator.figures(job.data.validation, job.metrics)
            figures |= {f"validation.{key}": value for key, value in measured.items()}
        for name, shares in unit_health(job.network, self.probe_pass, self.probe_rows).items():
            health.setdefault(name, {}).update(shares)
        return EpochRow(
            epoch=state.epoch + 1,
            step=state.step,
            learning_rate=rate,
            restart=self.trial + 1 if self.e.training.restarts > 1 else None,
            examples_per_second=speed,
            figures=figures,
            penalty=self.penalty.value(state.theta) or None,
            gradient_norm=state.gradient_norm / job.steps,
            shares=self.shares,
            layers=health,
        )


def _value(row: EpochRow, key: str) -> float:
    """A figure of an epoch that has just been measured."""
    value = row.figures[key]
    return float("nan") if value is None else value
