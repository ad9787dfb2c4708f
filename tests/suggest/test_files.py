"""Formats by their endings, and the files that belong together."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.data.sources import Arrays
from nnctl.data.spec import DataSpec
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.suggest.commented import plain
from nnctl.suggest.files import sources


def idx(array: Array) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


IMAGES, LABELS = idx(np.arange(48).reshape(3, 4, 4)), idx(np.array([0, 1, 0]))
PAIRS = {
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"): "idx",
    ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"): "idx",
    ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"): "idx",
    ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"): "idx",
    ("images.idx", "labels.idx"): "idx",
}


@pytest.mark.parametrize("names", PAIRS, ids=lambda names: names[0])
def test_idx_images_find_their_labels(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, content in zip(names, (IMAGES, LABELS), strict=True):
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = plain(sources(str(tmp_path / names[0]), tmp_path))
    assert found == {"source": {"type": "idx", "path": names[0], "labels": names[1]}}
    assert opened(found, tmp_path).labels.tolist() == [0, 1, 0]


def test_idx_images_find_their_test_set(tmp_path: Path) -> None:
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(IMAGES)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(LABELS)
    test = plain(sources(str(tmp_path / "train-images-idx3-ubyte"), tmp_path))["test"]
    assert test == {"type": "idx", "path": "t10k-images-idx3-ubyte", "labels": "t10k-labels-idx1-ubyte"}
    assert "test" not in sources(str(tmp_path / "t10k-images-idx3-ubyte"), tmp_path)


@pytest.mark.parametrize(
    ("x", "y"), [("x", "y"), ("X_train", "y_train"), ("images", "labels"), ("my_data", "my_target")]
)
def test_npy_inputs_find_their_targets(tmp_path: Path, x: str, y: str) -> None:
    np.save(tmp_path / f"{x}.npy", np.ones((3, 2)))
    np.save(tmp_path / f"{y}.npy", np.arange(3))
    found = plain(sources(str(tmp_path / f"{x}.npy"), tmp_path))
    assert found == {"source": {"type": "npy", "path": f"{x}.npy", "labels": f"{y}.npy"}}
    assert opened(found, tmp_path).labels.tolist() == [0, 1, 2]


def test_npy_alone_has_its_targets_in_it(tmp_path: Path) -> None:
    np.save(tmp_path / "matrix.npy", np.ones((3, 2)))
    assert plain(sources(str(tmp_path / "matrix.npy"), tmp_path)) == {"source": {"type": "npy", "path": "matrix.npy"}}


SMALL, LARGE, THREE, FOUR = np.ones((3, 2)), np.ones((4, 2)), np.arange(3), np.arange(4)
ARCHIVES = {
    "x and y": ({"x": LARGE, "y": FOUR}, None, ("x", "y")),
    "test beside": (
        {"x_test": SMALL, "y_test": THREE, "x_train": LARGE, "y_train": FOUR},
        None,
        ("x_train", "y_train"),
    ),
    "other names": ({"data": LARGE, "target": FOUR, "names": FOUR}, None, ("data", "target")),
    "named": ({"a": LARGE, "b": FOUR}, "b", ("a", "b")),
    "named among several": ({"x": LARGE, "y": FOUR, "z": FOUR}, "z", ("x", "z")),
}


@pytest.mark.parametrize(("arrays", "target", "expected"), ARCHIVES.values(), ids=ARCHIVES)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_arrays_find_each_other(
    tmp_path: Path, arrays: dict[str, Array], target: str | None, expected: tuple[str, str], save: Any
) -> None:
    save(tmp_path / "a.npz", **arrays)
    found = plain(sources(str(tmp_path / "a.npz"), tmp_path, target))
    assert (found["source"]["inputs"], found["source"]["labels"]) == expected
    assert len(opened(found, tmp_path)) == 4
    assert ("test" in found) == ("x_test" in arrays)


@pytest.mark.parametrize("target", [None, "nope"])
def test_npz_arrays_that_do_not_tell(tmp_path: Path, target: str | None) -> None:
    np.savez(tmp_path / "a.npz", a=LARGE, b=FOUR)
    with pytest.raises(ConfigError, match="it has a, b; write --target NAME"):
        sources(str(tmp_path / "a.npz"), tmp_path, target)


def test_formats_by_ending(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "a.data").write_text("a,b\n1,2\n")
    (tmp_path / "a.bin").write_bytes(b"\0\1\2")
    kinds = {
        name: sources(str(tmp_path / name), tmp_path)["source"]["type"] for name in ("a.parquet", "a.jsonl", "a.data")
    }
    assert kinds == {"a.parquet": "parquet", "a.jsonl": "jsonl", "a.data": "csv"}
    with pytest.raises(DataError, match="format is not known"):
        sources(str(tmp_path / "a.bin"), tmp_path)
    with pytest.raises(DataError, match=r"did you mean 'a\.data'"):
        sources(str(tmp_path / "b.data"), tmp_path)
    with pytest.raises(ConfigError, match="standard input"):
        sources("-", tmp_path)


def test_paths_start_from_the_experiment_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert sources("a.csv", tmp_path / "deep")["source"]["path"] == "../a.csv"


def opened(found: dict[str, dict[str, Any]], base: Path) -> Arrays:
    data = DataSpec.model_validate(found).source.open(base)
    assert isinstance(data, Arrays)
    return data


@pytest.mark.parametrize("name", ["length", "lengths"])
def test_an_array_of_lengths_is_named_beside_the_inputs(tmp_path: Path, name: str) -> None:
    arrays: Any = {"x": LARGE, "y": FOUR, name: FOUR}
    np.savez(tmp_path / "a.npz", **arrays)
    found = sources(str(tmp_path / "a.npz"), tmp_path)
    assert plain(found) == {"source": {"type": "npz", "path": "a.npz", "inputs": "x", "labels": "y"}}
    assert (
        f"as sequences of the lengths in {name!r}, write `inputs: [x, {name}]` here" in found["source"]["inputs"].reason
    )
