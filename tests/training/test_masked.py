"""Masked labels: the weights are those of a training that leaves the loss of those rows out by hand, to the byte."""

from pathlib import Path

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.engine.network import Pass
from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from nnctl.engine.shards import MeanLoss
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from nnctl.training.loop import Finished, start, train

EXPERIMENT = """\
seed: 3
data:
  source: {type: csv, path: t.csv}
  inputs:
    left: {columns: [a, b]}
    right: {columns: [c]}
  outputs:
    price: {target: price, loss: huber, weight: 0.5, metrics: []}
    sold: {target: sold, loss: cross_entropy, metrics: []}
  split: {validation: 0.1, test: 0.1}
model:
  inputs: {left: [{dense: 3}, tanh]}
  layers: [{dense: 5}, tanh]
  outputs: {price: [{dense: 4}, tanh]}
optimizer: {type: sgd, learning_rate: 0.1}
schedule: constant
training: {epochs: 3, batch_size: 4}
"""
#: Of 48 rows; more than one batch of 4 knows nothing of the price.
ROWS = [
    (i, (i * 7) % 11, (i * 5) % 13, "" if i % 3 else i / 2, "" if i % 5 == 0 else "ny"[i % 7 > 3]) for i in range(1, 49)
]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    lines = ["a,b,c,price,sold", *(",".join(map(str, row)) for row in ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    loaded = load_experiment(tmp_path / "e.yaml", (), Experiment)
    return assemble(loaded.spec, loaded.base)


def by_hand(job: Job) -> tuple[Array, int]:
    """The weights after a plain loop, in which a row without a target never meets the loss of that output.

    Also how many batches knew nothing of some output.
    """
    e, layout = job.experiment, job.network.layout
    theta = layout.initial(e.seed, 0, e.runtime.dtype)
    gradient = np.zeros_like(theta)
    network, silent = Pass(job.network, theta, gradient), 0
    for epoch in range(3):
        order = np.arange(len(job.data.train))
        stream(e.seed, "shuffle", 0, epoch).shuffle(order)
        for begin in range(0, len(order), 4):
            numbers = job.data.train.numbers[order[begin : begin + 4]]
            batch = job.data.train.take(order[begin : begin + 4], theta.dtype)
            network.begin(training=True, address=())
            outputs = network.forward(batch.inputs)
            dys = {}
            for name, column in (("price", 3), ("sold", 4)):
                known = np.array([ROWS[n - 1][column] != "" for n in numbers])
                dys[name] = np.zeros_like(outputs[name])
                if not known.any():
                    silent += 1
                    continue
                loss, slot = job.heads[name].loss, Slot(theta.dtype)
                loss.forward(outputs[name][known], batch.targets[name][known], slot)
                mean = np.full(known.sum(), 1 / known.sum()).astype(theta.dtype)
                dys[name][known] = loss.backward(mean * theta.dtype.type(job.heads[name].weight), slot)
            network.backward(dys)
            theta[layout.trained] -= theta.dtype.type(0.1) * gradient[layout.trained]
    return theta, silent


def test_the_weights_are_those_without_the_loss_of_the_masked_rows(job: Job) -> None:
    with Workers() as workers:
        *_, last = train(job, start(job, workers))
    assert isinstance(last, Finished)
    theta, silent = by_hand(job)
    assert silent > 1
    assert last.theta.tobytes() == theta.tobytes()


def test_what_stands_in_for_an_unknown_target_changes_nothing(job: Job) -> None:
    """Whatever number lies where a target is missing, the gradient is the same, to the byte."""
    theta = job.network.layout.initial(3, 0, job.experiment.runtime.dtype)
    batch = job.data.train.take(slice(None), theta.dtype)
    gradients = []
    for stand_in in (0.0, 1e6):
        weights = batch.weights["price"]
        assert weights is not None
        batch.targets["price"][weights == 0] = stand_in
        objective = MeanLoss(job.network, job.heads, theta)
        objective(batch)
        gradients.append(objective.gradient.tobytes())
    assert gradients[0] == gradients[1]
