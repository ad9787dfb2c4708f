"""Augmented training as a whole: resumed and on any number of threads the same bits, and only training is changed."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.data.dataset import Dataset
from nnctl.engine.batch import Batch
from nnctl.engine.parameters import Array
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from nnctl.training.loop import BatchDone, EpochDone, Finished, start, train
from tests.data.pictures import write
from tests.process import ROOT, nnctl

DIGITS = np.loadtxt(ROOT / "datasets" / "digits.csv", delimiter=",", skiprows=1)
IMAGES, LABELS = (DIGITS[:, :64].reshape(-1, 8, 8) * 15.9375).astype(np.uint8), DIGITS[:, 64].astype(np.uint8)
AUGMENT = [
    {"type": "shift", "pixels": 1},
    {"type": "rotate", "degrees": 10},
    {"type": "scale", "range": [0.9, 1.1]},
    {"type": "noise", "deviation": 5},
    {"type": "mixup", "alpha": 0.2},
]
LAYERS = [{"conv": 8, "activation": "relu"}, "max_pool", {"dropout": 0.2}, "flatten"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    np.savez(folder / "some.npz", x=IMAGES[:300], y=LABELS[:300])
    return folder


def job_of(folder: Path, **section: Any) -> Job:
    data = {"source": {"type": "npz", "path": "some.npz"}, "augment": AUGMENT, **section.pop("data", {})}
    training = {"epochs": 3, "batch_size": 32, "restarts": 2}
    sections = {"data": data, "model": {"layers": LAYERS}, "training": training, "metrics": ["accuracy"], **section}
    return assemble(Experiment.model_validate(sections), folder)


def trained(job: Job, threads: int = 1, stop_after: int | None = None) -> tuple[Array, list[dict[str, Any]]]:
    """The weights and rows of metrics; interrupted and resumed after so many events, if asked."""
    rows, seen = [], 0
    with Workers(threads) as workers, np.errstate(all="ignore"):
        trials = start(job, workers)
        for event in train(job, trials):
            seen += isinstance(event, BatchDone | EpochDone)
            if isinstance(event, EpochDone):
                rows.append(event.row.as_json())
            if seen == stop_after:
                arrays, values = trials.snapshot()
                arrays, values = {k: v.copy() for k, v in arrays.items()}, json.loads(json.dumps(values))
                break
        else:
            assert isinstance(event, Finished)
            return event.theta, rows
        trials = start(job, workers)
        trials.restore(arrays, values)
        for event in train(job, trials):
            if isinstance(event, EpochDone):
                rows.append(event.row.as_json())
        return event.theta, rows


def figures(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in ("seconds", "examples_per_second")} for row in rows]


@pytest.fixture(scope="module")
def whole(folder: Path) -> tuple[Array, list[dict[str, Any]]]:
    return trained(job_of(folder))


@pytest.mark.parametrize("stop_after", [1, 6, 7, 10, 25])
def test_resumed_training_is_the_same(
    folder: Path, whole: tuple[Array, Sequence[dict[str, Any]]], stop_after: int
) -> None:
    theta, rows = trained(job_of(folder), stop_after=stop_after)
    np.testing.assert_array_equal(theta, whole[0])
    assert figures(rows) == figures(whole[1])


def test_threads_change_nothing(folder: Path, whole: tuple[Array, Sequence[dict[str, Any]]]) -> None:
    theta, rows = trained(job_of(folder), threads=2)
    np.testing.assert_array_equal(theta, whole[0])
    assert figures(rows) == figures(whole[1])


def test_every_step_of_every_restart_has_an_address_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    batch = Dataset.batch

    def recorded(data: Dataset, indices: Array, dtype: np.dtype[Any], *address: int) -> Batch:
        seen.append(address)
        return batch(data, indices, dtype, *address)

    monkeypatch.setattr(Dataset, "batch", recorded)
    trained(job_of(folder, seed=5))
    assert seen == [(5, restart, step) for restart in range(2) for step in range(3 * 7)]


def test_augmentation_changes_training(folder: Path, whole: tuple[Array, Sequence[dict[str, Any]]]) -> None:
    theta, _ = trained(job_of(folder, data={"augment": []}))
    assert not np.array_equal(theta, whole[0])


def test_only_the_training_part_is_augmented(folder: Path) -> None:
    job = job_of(folder)
    assert len(job.data.train.inputs["input"].augmentations) == len(AUGMENT)
    for _, data in job.splits():
        rows = np.arange(len(data))
        expected = IMAGES[data.inputs["input"].rows] / np.float32(255)
        np.testing.assert_array_equal(data.take(rows, "float32").inputs["input"], expected)
        if data is not job.data.train:
            np.testing.assert_array_equal(data.batch(rows, "float32", 0, 0, 0).inputs["input"][:], expected)


def test_the_same_initial_weights_and_splits(folder: Path) -> None:
    one, other = job_of(folder), job_of(folder, data={"augment": []})
    np.testing.assert_array_equal(one.data.train.inputs["input"].rows, other.data.train.inputs["input"].rows)
    with Workers() as workers:
        np.testing.assert_array_equal(start(one, workers).state.theta, start(other, workers).state.theta)


REFUSED = [
    ({"loss": "hinge"}, "data.augment: mixup makes targets of several classes at once, and hinge takes one"),
    (
        {"data": {"source": {"type": "generated", "generator": "moons"}, "target": "label"}},
        "data.augment: changes arrays",
    ),
]


@pytest.mark.parametrize(("sections", "message"), REFUSED, ids=["hinge", "table"])
def test_what_cannot_be_augmented(folder: Path, sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        job_of(folder, **sections)


LOSSES = [
    "cross_entropy",
    {"type": "cross_entropy", "class_weights": "balanced"},
    "binary_cross_entropy",
    "logistic",
    "kl_divergence",
]


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_mixup_learns_with_every_loss_for_distributions(folder: Path, loss: str | dict[str, str]) -> None:
    job = job_of(
        folder,
        data={"task": "classification"},
        loss=loss,
        training={"epochs": 6, "batch_size": 32},
        optimizer={"type": "adam", "learning_rate": 0.01},
    )
    _, rows = trained(job)
    assert rows[-1]["validation.accuracy"] > 0.5


# The same images as IDX and as PNG


def idx(array: Array) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_a_folder_of_images_is_worth_the_same_as_the_idx_file(tmp_path: Path) -> None:
    cut = 1200
    for name, rows in {"train": slice(cut), "test": slice(cut, None)}.items():
        (tmp_path / f"{name}-images-ubyte").write_bytes(idx(IMAGES[rows]))
        (tmp_path / f"{name}-labels-ubyte").write_bytes(idx(LABELS[rows]))
    write(tmp_path / "png", {f"{LABELS[i]}/{i:04}.png": IMAGES[i] for i in range(cut, len(IMAGES))})
    parts = {
        part: {"type": "idx", "path": f"{part}-images-ubyte", "labels": f"{part}-labels-ubyte"}
        for part in ("train", "test")
    }
    experiment = {
        "name": "idx",
        "data": {**parts, "augment": AUGMENT[:3]},
        "model": {"layers": LAYERS},
        "optimizer": {"type": "adam", "learning_rate": 0.005},
        "training": {"epochs": 8, "batch_size": 32},
        "metrics": ["accuracy"],
    }
    (tmp_path / "idx.yaml").write_text(json.dumps(experiment))
    run = nnctl("train", "idx.yaml", "-q", cwd=tmp_path).stdout.strip()
    own, folder = (
        json.loads(nnctl("eval", run, "--json", *data, cwd=tmp_path).stdout) for data in ([], ["--data", "png"])
    )
    assert own["rows"] == folder["rows"] == len(IMAGES) - cut
    assert own["metrics"]["accuracy"] == folder["metrics"]["accuracy"] > 0.85
    assert own["confusion_matrix"] == folder["confusion_matrix"]
    assert own["loss"] == pytest.approx(folder["loss"], rel=1e-5)
