"""Networks for images: deep enough for their size, narrow enough for their number, and always buildable."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.engine.batch import OUTPUT
from nnctl.engine.parameters import Array
from nnctl.suggest.convolution import BUDGET, FEWEST_EPOCHS, is_image
from nnctl.suggest.experiment import suggest
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from tests.networks import input_of

IMAGES = [(8, 8), (28, 28), (8, 300), (32, 32, 3), (16, 16, 1), (64, 48, 4)]
NO_IMAGES = [(8,), (7, 28), (28, 7), (3, 32, 32), (10, 10, 5), (8, 8, 8, 3)]


@pytest.mark.parametrize("shape", IMAGES + NO_IMAGES)
def test_what_is_taken_for_an_image(shape: tuple[int, ...]) -> None:
    assert is_image(shape) == (shape in IMAGES)


def job_for(
    tmp_path: Path, shape: tuple[int, ...], rows: int, dtype: type[Any] = np.uint8, target: Array | None = None
) -> tuple[Job, str]:
    """The job and the text of the file for images of a shape."""
    x = np.random.default_rng(0).integers(0, 256, (rows, *shape)).astype(dtype)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(rows) % 3 if target is None else target)
    text = suggest(str(tmp_path / "a.npz"), [], tmp_path).text
    (tmp_path / "e.yaml").write_text(text)
    loaded = load_experiment(tmp_path / "e.yaml", (), Experiment)
    return assemble(loaded.spec, loaded.base), text


# Shape, training rows and more, filters of each convolution, shape before the output layer's flattening.
NETWORKS = [
    ((8, 8), 60, [8], (4, 4, 8)),
    ((28, 28), 60, [8, 16], (7, 7, 16)),
    ((28, 28), 1500, [16, 32], (7, 7, 32)),
    ((32, 32, 3), 60, [8, 16, 32], (4, 4, 32)),
    ((64, 64, 3), 60, [8, 16, 32, 64], (4, 4, 64)),
    ((33, 17), 60, [8, 16, 32], (4, 4, 32)),
    ((8, 100), 60, [8, 16, 32], (4, 6, 32)),
    ((224, 150, 3), 60, [8, 16, 32], (7, 6, 32)),
    ((65, 65), 60, [8, 16, 32], (4, 4, 32)),
]


@pytest.mark.parametrize(("shape", "rows", "filters", "last"), NETWORKS)
def test_networks(
    tmp_path: Path, shape: tuple[int, ...], rows: int, filters: Sequence[int], last: tuple[int, int, int]
) -> None:
    job, _ = job_for(tmp_path, shape, rows)
    nodes: list[Any] = list(job.network.nodes.values())
    assert [node.layer.filters for node in nodes if node.layer.type == "conv2d"] == filters
    flatten = next(node for node in nodes if node.layer.type == "flatten")
    assert job.network.given(flatten).shape == last
    assert job.network.shape_of(OUTPUT) == (3,)


def test_many_images_get_fewer_epochs_and_a_hidden_layer(tmp_path: Path) -> None:
    job, text = job_for(tmp_path, (28, 28), 15_000)
    epochs, rows = job.experiment.training.epochs, len(job.data.train)
    assert epochs >= FEWEST_EPOCHS
    assert epochs * rows * job.network.multiply_adds <= 1.1 * BUDGET
    assert "{dense: 128, activation: relu}" in text


def test_more_and_larger_images_get_fewer_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.suggest.convolution.BUDGET", 1e9)
    job, _ = job_for(tmp_path, (32, 32, 3), 1500)
    first: Any = next(iter(job.network.nodes.values())).layer
    assert first.filters == 8  # 16 where it is affordable
    assert job.experiment.training.epochs == FEWEST_EPOCHS


def test_bytes_are_divided_and_other_numbers_standardized_by_channel(tmp_path: Path) -> None:
    job, _ = job_for(tmp_path, (10, 12, 3), 60)
    assert input_of(job.data).scale == (255.0,)
    job, _ = job_for(tmp_path, (10, 12, 3), 60, np.float64)
    assert len(input_of(job.data).scale) == 3


def test_augmentation_is_an_example_that_can_be_switched_on(tmp_path: Path) -> None:
    job, text = job_for(tmp_path, (28, 28), 60)
    assert job.experiment.data.augment == ()
    lines = [line for line in text.splitlines() if line.startswith(("  # augment:", "  #   - "))]
    (tmp_path / "e.yaml").write_text(text.replace("  # augment:", "  augment:").replace("  #   - ", "    - "))
    assert len(lines) == 3
    augment = load_experiment(tmp_path / "e.yaml", (), Experiment).spec.data.augment
    assert [change.type for change in augment] == ["crop", "flip"]


def test_numbers_to_predict_from_images(tmp_path: Path) -> None:
    job, text = job_for(tmp_path, (12, 12), 60, target=np.linspace(0, 1, 60))
    assert job.network.shape_of(OUTPUT) == (1,)
    assert "augment" not in text  # to move an image may be to change what is to be told from it


def test_channels_that_come_first_are_told(tmp_path: Path) -> None:
    job, text = job_for(tmp_path, (3, 32, 30), 60)
    assert job.experiment.model.hidden == (64,)
    assert "transpose them to (n, 32, 30, 3)" in " ".join(text.replace("#", "").split())
