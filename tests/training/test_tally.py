"""Losses and metrics of examples that come in parts."""

import json
from collections.abc import Iterable

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.engine.parameters import Array
from nnctl.metrics import evaluate
from nnctl.training import tally as module
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from nnctl.training.tally import Tally
from tests.experiments import SHIPPED

CLASSES = ["accuracy", "macro_f1", "roc_auc", "log_loss"]


@pytest.fixture(scope="module")
def job() -> Job:
    data = {"source": {"type": "generated", "generator": {"type": "moons", "size": 120}}, "target": "label"}
    return assemble(Experiment.model_validate({"data": data, "metrics": CLASSES}), SHIPPED[0].parent)


def filled(job: Job, y: Array, order: Array, parts: Iterable[int], tally: Tally | None = None, begin: int = 0) -> Tally:
    """A tally of examples from place `begin` of an order on, so many at a time."""
    tally = tally or Tally(job.data.train, job.network, job.heads, job.metrics, "float64")
    for rows in parts:
        room = tally.room(rows)
        room["output"][...] = y[begin : begin + rows]
        tally.add(order[begin : begin + rows], {"output": 0.5 * rows}, {"output": float(rows)})
        begin += rows
    return tally


@pytest.mark.parametrize("window", [1, 7, 40, 8192])
def test_parts_give_what_all_at_once_gives(job: Job, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_ROWS", window)
    rows, random = len(job.data.train), np.random.default_rng(3)
    y, order = random.normal(size=(rows, 1)), random.permutation(rows)
    tally = filled(job, y, order, [10, 1, 30, rows - 41])
    expected = evaluate(job.metrics["output"], job.data.train.predictions("output", y, order))
    assert tally.figures() == {"loss": 0.5, **{k: pytest.approx(v, rel=1e-13) for k, v in expected.items()}}


def test_a_snapshot_goes_on_to_the_same_bits(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_ROWS", 16)
    rows, random = len(job.data.train), np.random.default_rng(4)
    y, order = random.normal(size=(rows, 1)), random.permutation(rows)
    whole = filled(job, y, order, [9, 12, rows - 21]).figures()
    arrays, values = filled(job, y, order, [9, 12]).snapshot()
    copies, text = {name: array.copy() for name, array in arrays.items()}, json.dumps(values)
    again = Tally(job.data.train, job.network, job.heads, job.metrics, "float64")
    again.restore(copies, json.loads(text))
    assert filled(job, y, order, [rows - 21], again, begin=21).figures() == whole


def test_no_more_outputs_are_kept_than_the_window_holds(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_ROWS", 16)
    tally = Tally(job.data.train, job.network, job.heads, job.metrics, "float64")
    assert {window.shape for window in tally._windows.values()} == {(16, 1)}


def test_of_no_examples_nothing_is_known(job: Job) -> None:
    tally = Tally(job.data.train, job.network, job.heads, job.metrics, "float64")
    assert all(np.isnan(value) for value in tally.figures().values())
