"""What a job refuses before it trains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from nnctl.training.loop import start, train

CONV, NORM = {"conv": 3}, "batch_normalization"
#: Layers on 6 x 6 images, and whether one example has a variance in each channel, as PyTorch sees it.
NETWORKS: dict[str, Any] = {
    "positions": ([CONV, NORM, "relu", "flatten"], True),
    "in a block": ([CONV, {"residual": [CONV, NORM]}, "flatten"], True),
    "two positions": ([{"conv": 3, "kernel": [5, 6], "padding": "valid"}, NORM, "flatten"], True),
    "one position": ([{"conv": 3, "kernel": 6, "padding": "valid"}, NORM, "flatten"], False),
    "dense": ([CONV, NORM, "flatten", {"dense": 4}, NORM], False),
    "in a chain": (["flatten", {"residual": [{"dense": 36}, NORM]}], False),
    "in a block in a block": ([{"parallel": [[], [{"residual": [{"conv": 1}, "global_average_pool", NORM],
                                                   "shortcut": ["global_average_pool"]}, {"reshape": [1, 1, 1]},
                                                  {"upsample": 6}]]}, "flatten"], False),
    "none": ([CONV, "layer_normalization", "flatten", {"dense": 4}, "relu"], True),
}  # fmt: skip


def job(folder: Path, layers: Sequence[str | dict[str, Any]], rows: int = 6, batch_size: int = 1) -> Job:
    np.savez(folder / "a.npz", x=np.random.default_rng(3).normal(size=(rows, 6, 6, 1)), y=np.arange(rows) / 7)
    section = {
        "name": "a",
        "data": {"train": {"type": "npz", "path": "a.npz"}},
        "model": {"layers": layers},
        "training": {"batch_size": batch_size, "epochs": 1, "early_stopping": None},
    }
    return assemble(Experiment.model_validate(section), folder)


@pytest.mark.parametrize("case", NETWORKS)
def test_a_batch_of_one_needs_several_values_a_channel(tmp_path: Path, case: str) -> None:
    layers, has_variance = NETWORKS[case]
    assert job(tmp_path, layers, batch_size=2)
    for sizes in ({}, {"rows": 1, "batch_size": 4}):
        if has_variance:
            assert job(tmp_path, layers, **sizes)
            continue
        with pytest.raises(ConfigError, match=r"training.batch_size: batch normalisation needs at least 2 "):
            job(tmp_path, layers, **sizes)


def test_images_are_normalised_one_by_one(tmp_path: Path) -> None:
    """A step on one image moves the running mean towards that of its positions, as a batch of positions."""
    made = job(tmp_path, [NORM, "flatten"], rows=1)
    with Workers(1) as workers:
        *_, done = train(made, start(made, workers))
    image = made.data.train.inputs["input"].take(slice(None), np.float64)
    view = made.network.layout.view
    assert view(done.theta, "batch_normalization1.running_mean") == pytest.approx(0.1 * image.mean(), abs=1e-6)
    variance = 0.9 + 0.1 * image.var(ddof=1)
    assert view(done.theta, "batch_normalization1.running_variance") == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize("hidden", [[10**12], [300_000, 300_000]])
def test_what_no_memory_holds_is_refused_before_it_is_asked_for(hidden: list[int]) -> None:
    data = {"source": {"type": "generated", "generator": {"type": "moons", "size": 50}}, "target": "label"}
    experiment = Experiment.model_validate({"data": data, "model": {"hidden": hidden}})
    with pytest.raises(ConfigError, match=r"^model: has [\d,]+ parameters, which take [\d,.]+ GB .* make it smaller$"):
        assemble(experiment, Path())
