"""Measuring on other files than the run's own: the same examples give the same figures, however they are stored."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from nnctl.data.sources import images
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.metrics import Accuracy
from nnctl.runs.trained import open_trained
from nnctl.use.evaluation import file_data, measure
from tests.data.pictures import write
from tests.runs.made import make_run

COUNT = 90
RANDOM = np.random.default_rng(5)
X = RANDOM.integers(0, 256, (COUNT, 8, 6), dtype=np.uint8)
Y = np.sort(RANDOM.integers(0, 3, COUNT)).astype(np.uint8)  # in the order that folders have
NAMES = {"images": "new-images-idx3-ubyte.gz", "labels": "new-labels-idx1-ubyte.gz"}
CONFIG = """\
name: pictures
data: {source: SOURCE, task: classification, split: {validation: 0, test: 0}}
model: {layers: [{type: conv2d, filters: 4, kernel: 3}, relu, flatten, {type: dense}]}
"""
SOURCES = {
    "idx": f"{{type: idx, path: {NAMES['images']}, labels: {NAMES['labels']}}}",
    "npy": "{type: npy, path: x.npy, labels: y.npy}",
    "npz": "{type: npz, path: a.npz}",
    "image_folder": "{type: image_folder, path: png, color: grey}",
}


def idx(x: Array) -> bytes:
    return bytes([0, 0, 8, x.ndim]) + b"".join(n.to_bytes(4, "big") for n in x.shape) + x.tobytes()


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """The same examples in every format."""
    for name, x in ((NAMES["images"], X), (NAMES["labels"], Y)):
        (tmp_path / name).write_bytes(gzip.compress(idx(x)))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    np.savez_compressed(tmp_path / "a.npz", x=X, y=Y)
    write(tmp_path / "png", {f"{y}/{i:03}.png": x for i, (x, y) in enumerate(zip(X, Y, strict=True))})
    return tmp_path


@pytest.mark.parametrize("trained_on", SOURCES)
def test_the_format_changes_no_digit(stored: Path, trained_on: str) -> None:
    model = open_trained(make_run(stored, CONFIG.replace("SOURCE", SOURCES[trained_on])))
    found = {
        name: measure(model, file_data(model, str(stored / name)), {"output": (Accuracy(),)}).outputs["output"]
        for name in (NAMES["images"], "x.npy", "a.npz", "png")
    }
    accuracy = np.mean(found["x.npy"].predictions.outputs.argmax(axis=1) == Y)
    for name, evaluation in found.items():
        assert evaluation.figures == found["x.npy"].figures, name
        assert evaluation.figures["accuracy"] == pytest.approx(accuracy)
        np.testing.assert_array_equal(evaluation.losses, found["x.npy"].losses)


@pytest.mark.parametrize("source", ["{type: npy, path: x.npy}", "{type: npz, path: x.npz, labels: null}"])
def test_targets_are_not_looked_for_where_the_last_column_has_them(tmp_path: Path, source: str) -> None:
    x = np.stack([np.arange(30) % 7, np.arange(30) % 2], axis=1).astype(float)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    np.save(tmp_path / "y.npy", np.zeros(30))
    config = f"data: {{source: {source}, task: classification, split: {{validation: 0, test: 0}}}}\n"
    model = open_trained(make_run(tmp_path, config))
    assert file_data(model, str(tmp_path / "x.npy")).truths["output"].values.tolist() == [0, 1] * 15


def test_without_targets_beside_it(stored: Path) -> None:
    model = open_trained(make_run(stored, CONFIG.replace("SOURCE", SOURCES["npz"])))
    (stored / "alone.npy").write_bytes((stored / "x.npy").read_bytes())
    with pytest.raises(DataError, match=r"alone.npy: holds inputs of shape \(90, 8, 6\) and no targets; .* beside it"):
        file_data(model, str(stored / "alone.npy"))


@pytest.mark.parametrize("arguments", [(), ("--data", "png")])
def test_images_are_decoded_once(
    stored: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    from nnctl.cli.main import main

    run = make_run(stored, CONFIG.replace("SOURCE", SOURCES["image_folder"]))
    monkeypatch.chdir(stored)
    decode, decoded = images.decode, []
    monkeypatch.setattr(images, "decode", lambda *given: decoded.append(1) or decode(*given))
    assert main(["eval", str(run), "--worst", "3", *arguments]) == 0
    assert ".png" in capsys.readouterr().out
    assert len(decoded) == COUNT
