"""Steps of several batches, and averages of weights: against one large batch, and against the weights of every step."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.config.experiment import Averaging, Experiment
from nnctl.engine import shards
from nnctl.engine.parameters import Array
from nnctl.engine.shards import MeanLoss
from nnctl.engine.workers import Workers
from nnctl.errors import Diverged
from nnctl.training.assemble import assemble
from nnctl.training.checks import memory
from nnctl.training.evaluate import Evaluator
from nnctl.training.job import Job
from nnctl.training.loop import BatchDone, EpochDone, Finished, start, train
from nnctl.training.network_loss import NetworkLoss

TANH = [{"dense": 8, "activation": "tanh"}]
DISTURBED = [{"dense": 8}, "batch_normalization", "relu", {"dropout": 0.3}]
WEIGHTED = {"type": "cross_entropy", "class_weights": [0.5, 3.0]}


def job_of(layers: list[Any] = TANH, rate: float = 0.05, **training: Any) -> Job:
    """73 training examples of moons, so that no batch size goes into them."""
    source = {"type": "generated", "generator": {"type": "moons", "size": 91, "noise": 0.2, "seed": 1}}
    made = {
        "data": {"source": source, "target": "label", "split": {"validation": 0.2, "test": 0}},
        "model": {"layers": layers},
        "loss": WEIGHTED,
        "optimizer": {"type": "momentum", "learning_rate": rate},
        "schedule": {"type": "cosine", "warmup": 0.5},
        "regularization": {"l2": 0.01},
        "metrics": ["accuracy"],
        "training": {"epochs": 3, **training},
        "runtime": {"dtype": "float64"},
    }
    return assemble(Experiment.model_validate(made), Path())


Row = dict[str, Any]


def trained(job: Job, stop_after: int | None = None) -> tuple[Array, list[Row], list[Array]]:
    """The model, the rows of metrics and the weights after every event; resumed after so many events, if asked."""
    rows, weights, seen = [], [], 0
    with Workers(1) as workers, np.errstate(all="ignore"):
        trials = start(job, workers)
        events = train(job, trials)
        while not isinstance(event := next(events), Finished):
            seen += 1
            weights.append(trials.state.theta.copy())
            if isinstance(event, EpochDone):
                rows.append({k: v for k, v in event.row.as_json().items() if "second" not in k})
            if seen == stop_after:
                arrays, values = trials.snapshot()
                held = {name: array.copy() for name, array in arrays.items()}
                trials = start(job, workers)
                trials.restore(held, json.loads(json.dumps(values)))
                events = train(job, trials)
    return event.theta, rows, weights


def test_every_tensor_takes_a_step_of_the_length_it_is_clipped_to() -> None:
    """With one limit far below the norm of each, all first steps are equally long."""
    job = job_of(batch_size="full", epochs=1, clip_norm_each=1e-3)
    _, _, weights = trained(job)
    moved = weights[0] - job.layout.initial(job.experiment.seed, dtype="f8")
    lengths = [float(np.linalg.norm(job.layout.view(moved, name))) for name in job.layout.parameters]
    assert len(lengths) > 2
    assert lengths[0] > 0
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-9)


@pytest.mark.parametrize(("size", "accumulate"), [(8, 4), (16, 2), (1, 32), (32, 100)])
def test_batches_of_a_step_are_one_large_batch(size: int, accumulate: int) -> None:
    """The same steps, losses and norms; the last step of an epoch has what is left, in both."""
    many, rows, _ = trained(job_of(batch_size=size, accumulate=accumulate, clip_norm=0.2))
    once, expected, _ = trained(job_of(batch_size=min(size * accumulate, 73), clip_norm=0.2))
    np.testing.assert_allclose(many, once, rtol=1e-10, atol=1e-12)
    for row, other in zip(rows, expected, strict=True):
        assert row.keys() == other.keys()
        for key in ("step", "learning_rate", "train.loss", "train.accuracy", "validation.loss", "gradient_norm"):
            assert row[key] == pytest.approx(other[key], rel=1e-10), key


def test_a_group_ends_with_its_epoch() -> None:
    """73 examples in batches of 8 are 10, in steps of 4, 4 and 2."""
    job = job_of(batch_size=8, accumulate=4)
    with Workers(1) as workers:
        trials = start(job, workers)
        seen = [
            (e.batch, e.batches) if isinstance(e, BatchDone) else e.row.step
            for e in train(job, trials)
            if not isinstance(e, Finished)
        ]
    assert seen == [(4, 10), (8, 10), 3, (4, 10), (8, 10), 6, (4, 10), (8, 10), 9]
    assert job.stream().length == 10


def test_every_batch_has_a_dropout_mask_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses: list[tuple[Any, ...]] = []
    call = MeanLoss.__call__

    def watched(self: MeanLoss, *arguments: Any, **named: Any) -> float:
        addresses.append(named["address"])
        return call(self, *arguments, **named)

    monkeypatch.setattr(MeanLoss, "__call__", watched)
    trained(job_of(DISTURBED, batch_size=8, accumulate=3))
    assert addresses == [(0, "pass", 0, i) for i in range(30)]


def test_running_statistics_see_every_batch() -> None:
    """With steps of no length, statistics after steps of several batches are those after steps of one."""
    layers = [{"dense": 3}, "batch_normalization"]
    jobs = [job_of(layers, rate=1e-14, batch_size=8, accumulate=n) for n in (1, 4)]
    (one, _, _), (four, _, _) = (trained(job) for job in jobs)
    name = "batch_normalization1.running_mean"
    layout = jobs[0].network.layout
    np.testing.assert_allclose(layout.view(four, name), layout.view(one, name), rtol=1e-9)
    assert np.abs(layout.view(one, name)).max() > 1e-3


def test_a_step_of_several_batches_that_diverges_says_so() -> None:
    with pytest.raises(Diverged, match="training diverged in epoch 1, step 3: the loss is nan"):
        trained(job_of(rate=1e308, batch_size=8, accumulate=3))


def test_the_model_is_the_mean_of_the_weights_of_all_steps() -> None:
    decay = 0.9
    model, _, weights = trained(job_of(batch_size=8, averaging={"decay": decay}))
    share = decay ** np.arange(len(weights))[::-1]
    np.testing.assert_allclose(model, share @ np.array(weights) / share.sum(), rtol=1e-12)
    plain, _, same = trained(job_of(batch_size=8))
    np.testing.assert_array_equal(weights, same)  # training itself knows nothing of it
    np.testing.assert_array_equal(plain, weights[-1])
    assert np.abs(model - plain).max() > 1e-3


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_shares(decay: float) -> None:
    """After t steps, step i has weight decay^(t - i) (1 - decay) / (1 - decay^t)."""
    held = np.zeros(50)
    for t in range(1, 51):
        held += Averaging(decay=decay).share(t) * (np.eye(50)[t - 1] - held)
    expected = decay ** np.arange(50.0)[::-1]
    np.testing.assert_allclose(held, expected / expected.sum(), rtol=1e-9)


def test_figures_of_validation_are_those_of_the_average() -> None:
    job = job_of(batch_size=8, averaging={"decay": 0.95})
    model, rows, _ = trained(job)
    assert job.data.validation is not None
    tally, *_ = Evaluator(job.network, job.heads, model)(job.data.validation)
    assert rows[-1]["validation.loss"] == tally.loss
    assert rows[-1]["validation.loss"] != trained(job_of(batch_size=8))[1][-1]["validation.loss"]


def test_the_best_epoch_is_that_of_the_average() -> None:
    stopping = {"patience": 1, "min_delta": 0.02, "restore_best": True}
    job = job_of(batch_size=8, epochs=30, averaging={"decay": 0.9}, early_stopping=stopping)
    model, rows, _ = trained(job)
    losses = [row["validation.loss"] for row in rows]
    assert len(rows) < 30
    assert all(before - after > 0.02 for before, after in pairwise(losses[:-1]))
    assert job.data.validation is not None
    of_model, *_ = Evaluator(job.network, job.heads, model)(job.data.validation)
    assert of_model.loss == losses[-2]


EVERYTHING: dict[str, Any] = {
    "batch_size": 8,
    "accumulate": 3,
    "averaging": {"decay": 0.9},
    "restarts": 2,
    "early_stopping": {"patience": 2, "restore_best": True},
}


@pytest.mark.parametrize("stop_after", range(1, 24, 5))
def test_resumed_after_any_step_it_ends_in_the_same_bits(stop_after: int) -> None:
    whole, rows, _ = trained(job_of(DISTURBED, **EVERYTHING))
    resumed, again, _ = trained(job_of(DISTURBED, **EVERYTHING), stop_after)
    np.testing.assert_array_equal(resumed, whole)
    assert again == rows


def test_what_they_take_of_memory_is_counted() -> None:
    plain, both = memory(job_of(batch_size=8)), memory(job_of(batch_size=8, accumulate=2, averaging={}))
    assert both.parameters == 2 * plain.parameters
    assert both.gradients == 2 * plain.gradients


def test_shards_are_a_part_of_the_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_MULTIPLY_ADDS", 1)
    for asked, most in (("auto", 4), (8, 8)):
        job = job_of(batch_size=32, shards=asked)
        with Workers(2) as workers:
            trials = start(job, workers)
            next(train(job, trials))
        objective = trials.state.objective
        assert isinstance(objective, NetworkLoss)
        assert len(objective.loss.passes) == most
        assert memory(job).gradients == 8 * job.layout.size * (most + 1)
