"""The contract of the objective: what is no network is trained by the same loop, from a stream of unknown length."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.data.batching import Stream
from nnctl.engine.batch import Batch
from nnctl.engine.parameters import Array, Layout, Parameter
from nnctl.engine.randomness import stream
from nnctl.engine.workers import Workers
from nnctl.errors import DataError, Diverged
from nnctl.initializers import Normal
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from nnctl.training.loop import BatchDone, EpochDone, Finished, groups, start, train
from nnctl.training.objective import Measured
from nnctl.training.trials import Trials

WORDS, WIDTH = 6, 2


@dataclass(frozen=True)
class Pairs:
    """Centres and contexts, (pairs,) each."""

    centres: Array
    contexts: Array
    number: int

    def __len__(self) -> int:
        return len(self.centres)


class WordVectors:
    """Skip-gram with a full softmax: J = -mean log softmax(V u_centre)[context], where theta is U and V."""

    def __init__(self, theta: Array, seed: int = 0) -> None:
        self.u, self.v = theta.reshape(2, WORDS, WIDTH)
        self.gradient, self.seed = np.zeros_like(theta), seed
        self.sum, self.count, self.steps = 0.0, 0, 0

    @property
    def length(self) -> None:
        return None

    def batches(self, epoch: int, first: int, taken: int) -> Iterator[Pairs]:
        """Three to five of them, which only the end of the epoch tells; words that are neighbours on a ring."""
        random = stream(self.seed, "length", epoch)
        for i in range(int(random.integers(3, 6))):
            centres = stream(self.seed, "pairs", epoch, i).integers(0, WORDS, 16)
            if i >= first:
                yield Pairs(centres, (centres + 1) % WORDS, taken + i - first)

    def __call__(self, batches: Sequence[Pairs], *, last: bool) -> float:
        pairs = sum(map(len, batches))
        du, dv = self.gradient.reshape(2, WORDS, WIDTH)
        du[...], dv[...], total = 0, 0, 0.0
        for batch in batches:
            hidden = self.u[batch.centres]
            z = hidden @ self.v.T
            z -= z.max(axis=1, keepdims=True)
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            rows = np.arange(len(batch))
            total -= float(np.log(p[rows, batch.contexts]).sum())
            p[rows, batch.contexts] -= 1
            np.add.at(du, batch.centres, p @ self.v / pairs)
            dv += p.T @ hidden / pairs
        self.sum, self.count = self.sum + total, self.count + pairs
        return total / pairs

    def stepped(self) -> None:
        self.steps += 1

    def blame(self) -> str:
        return "the vectors are not finite"

    def measured(self) -> Measured:
        return Measured({"train.loss": self.sum / self.count})

    def reset(self) -> None:
        self.sum, self.count = 0.0, 0

    def snapshot(self) -> tuple[dict[str, Array], dict[str, Any]]:
        return {"u": self.u}, {"sum": self.sum, "count": self.count}

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        self.sum, self.count = values["sum"], values["count"]


class VectorJob(Job):
    """A job without examples of a data set."""

    @property
    def layout(self) -> Layout:
        return Layout({"words": {"table": Parameter((2 * WORDS, WIDTH), Normal(deviation=0.5))}})

    @property
    def watched(self) -> str:
        return "train.loss"

    def objective(self, theta: Array, model: Array, trial: int, workers: Workers) -> WordVectors:
        return WordVectors(theta)


def experiment(**training: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "data": {"source": {"type": "generated", "generator": {"type": "xor"}}, "target": "label"},
            "optimizer": {"type": "adam", "learning_rate": 0.05},
            "schedule": {"type": "step", "every": 20, "factor": 0.5},
            "training": {"epochs": 30, **training},
            "runtime": {"dtype": "float64"},
        }
    )


def job(kind: type[Job], **training: Any) -> Job:
    made = assemble(experiment(**training), Path())
    return kind(**{name: getattr(made, name) for name in made.__dataclass_fields__})


def rows_of(job: Job, resume_after: int | None = None) -> tuple[Array, list[dict[str, Any]]]:
    """The model and the epochs' rows; in the middle, everything is taken from a snapshot in a new process' place."""
    rows: list[dict[str, Any]] = []
    with Workers() as workers:
        trials: Trials = start(job, workers)
        events, seen = train(job, trials), 0
        while not isinstance(event := next(events), Finished):
            seen += 1
            if isinstance(event, EpochDone):
                rows.append({k: v for k, v in event.row.as_json().items() if "second" not in k})
            if seen == resume_after:
                arrays, values = trials.snapshot()
                held = {name: array.copy() for name, array in arrays.items()}
                trials = start(job, workers)
                trials.restore(held, json.loads(json.dumps(values)))
                events = train(job, trials)
    return event.theta, rows


def test_word_vectors_are_trained_by_the_loop_of_networks() -> None:
    theta, rows = rows_of(job(VectorJob))
    assert rows[0]["train.loss"] == pytest.approx(np.log(WORDS), abs=0.3)  # chance, at the start
    assert rows[-1]["train.loss"] < 0.5
    u, v = theta.reshape(2, WORDS, WIDTH)
    assert ((u @ v.T).argmax(axis=1) == (np.arange(WORDS) + 1) % WORDS).all()


@pytest.mark.parametrize("resume_after", [1, 2, 3, 5, 30])
def test_a_stream_of_unknown_length_goes_on_from_its_position(resume_after: int) -> None:
    whole, rows = rows_of(job(VectorJob, accumulate=2))
    resumed, again = rows_of(job(VectorJob, accumulate=2), resume_after)
    np.testing.assert_array_equal(whole, resumed)
    assert rows == again


def test_by_whole_epochs_where_their_length_is_unknown() -> None:
    """The rate halves after 20 epochs, however many steps these have."""
    _, rows = rows_of(job(VectorJob))
    assert [row["learning_rate"] for row in rows] == [0.05] * 20 + [0.025] * 10


@dataclass(frozen=True)
class Endless:
    """Examples of which only the end of the epoch tells how many there are."""

    inner: Stream
    length: None = None

    def batches(self, epoch: int, first: int, taken: int) -> Iterator[Batch]:
        return self.inner.batches(epoch, first, taken)


class StreamJob(Job):
    """The examples of a data set as a stream."""

    def stream(self, trial: int = 0) -> Stream:
        return Endless(super().stream(trial))


def test_a_network_on_a_stream_is_the_same_network() -> None:
    """The same batches give the same bits, whether their number is known before or not."""
    known, rows = rows_of(job(Job, epochs=4, batch_size=3, restarts=2))
    unknown, again = rows_of(job(StreamJob, epochs=4, batch_size=3, restarts=2))
    np.testing.assert_array_equal(known, unknown)
    assert rows == again
    with Workers() as workers:
        streamed = job(StreamJob, epochs=1, batch_size=3)
        batches = [e.batches for e in train(streamed, start(streamed, workers)) if isinstance(e, BatchDone)]
    assert set(batches) == {None}


class Broken(WordVectors):
    def __call__(self, batches: Sequence[Pairs], *, last: bool) -> float:
        return float("nan")


class BrokenJob(VectorJob):
    def objective(self, theta: Array, model: Array, trial: int, workers: Workers) -> WordVectors:
        return Broken(theta)


def test_what_is_not_finite_is_told_in_its_own_words() -> None:
    with pytest.raises(Diverged, match="epoch 1, step 1: the loss is nan and the vectors are not finite"):
        rows_of(job(BrokenJob))


class Nothing(WordVectors):
    def batches(self, epoch: int, first: int, taken: int) -> Iterator[Pairs]:
        return iter(())


class EmptyJob(VectorJob):
    def objective(self, theta: Array, model: Array, trial: int, workers: Workers) -> WordVectors:
        return Nothing(theta)


def test_a_stream_without_a_batch_is_refused() -> None:
    with pytest.raises(DataError, match="epoch 1 has no example"):
        rows_of(job(EmptyJob))


@pytest.mark.parametrize(("items", "size"), [(0, 2), (1, 1), (4, 2), (5, 2), (3, 9)])
def test_the_last_group_is_known_as_the_last(items: int, size: int) -> None:
    made = list(groups(iter(range(items)), size))
    assert [item for group, _ in made for item in group] == list(range(items))
    assert all(len(group) == size for group, last in made if not last)
    assert [last for _, last in made] == [False] * (len(made) - 1) + [True] * bool(made)
