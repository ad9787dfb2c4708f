"""Arrays that may be larger than memory."""

import gc
import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import image_cache
from nnctl.data.image_cache import gather, release, room_for
from nnctl.engine.parameters import Array
from tests.data.pictures import encoded, write

ROOT = Path(__file__).parents[2]


def mapped(tmp_path: Path, rows: int = 500) -> tuple[Array, Array]:
    x = np.random.default_rng(0).integers(0, 256, (rows, 7, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    return x, np.load(tmp_path / "x.npy", mmap_mode="r")


ROWS: dict[str, Any] = {
    "some": np.array([3, 1, 499, 3, 0]),
    "many": np.random.default_rng(1).integers(0, 500, 200),
    "none": np.zeros(0, int),
    "slice": slice(10, 300),
    "all": slice(None),
}


@pytest.mark.parametrize("resident", [0, 1 << 26])
@pytest.mark.parametrize("rows", ROWS)
def test_gather_is_indexing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resident: int, rows: str) -> None:
    monkeypatch.setattr(image_cache, "RESIDENT", resident)
    x, file = mapped(tmp_path)
    np.testing.assert_array_equal(gather(file, ROWS[rows]), x[ROWS[rows]])
    np.testing.assert_array_equal(gather(file[:, 2:], ROWS[rows]), x[:, 2:][ROWS[rows]])
    np.testing.assert_array_equal(gather(file[5:], np.array([0, 494])), x[[5, 499]])
    np.testing.assert_array_equal(gather(x, ROWS[rows]), x[ROWS[rows]])


def test_files_are_closed_with_their_arrays(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before = open_files()
    x = [mapped(tmp_path)[1], room_for((100, 50), 0)]
    assert open_files() > before
    del x
    gc.collect()
    assert open_files() == before


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_what_is_written_stays(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(image_cache, "RESIDENT", 0)
    x = room_for((100, 50), limit)
    x[:] = np.arange(100)[:, None]
    release(x)
    x[50:] += 1
    release(x[3:])
    np.testing.assert_array_equal(x[:, 7], np.arange(100) + (np.arange(100) >= 50))


def test_room_where_the_system_cannot_reserve_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    x = room_for((100, 50), 0)
    x[:] = 7
    assert x.sum() == 7 * 100 * 50


def test_a_disk_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="no room for 5,000 bytes of unpacked examples .*set TMPDIR"):
        room_for((100, 50), 0)


TRAIN = """
import sys
from pathlib import Path
import numpy as np
from nnctl.data import image_cache
image_cache.RESIDENT = 1 << 20
from nnctl.data.batching import Dealt
from nnctl.data.loading import load
from nnctl.data.spec import DataSpec
from nnctl.losses import CrossEntropy
kind, path = sys.argv[1:]
options = {"image_folder": {"color": "grey"}, "npz": {}, "idx": {"labels": path.replace("x.", "t.")}}
options["npy"] = options["idx"]
source = {"type": kind, "path": path, **options[kind]}
spec = {"source": source, "preprocess": {"numeric": "standardize", "by": "channel"}, "augment": ["flip"]}
data = load(DataSpec.model_validate(spec), Path(), 0, "float32", CrossEntropy())
for batch in Dealt(data.train, 7, shuffle=True, dtype="float32", seed=0).batches(0, 0, 0):
    batch.inputs["input"][:]
data.test.take(slice(0, 9), "float32")
# Not `ru_maxrss`, which begins with what the process that started this one had.
print(len(data.train.inputs["input"].values), Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def peak(kind: str, path: Path) -> list[int]:
    """Examples, and the most kilobytes of memory that reading them and one epoch took, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [sys.executable, "-c", TRAIN, kind, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    return [int(number) for number in done.stdout.split()]


def images(folder: Path, count: int) -> Path:
    """Many names of two files, which are read and decoded as if they were many files."""
    folder = write(folder, {f"{name}/0.png": encoded(np.eye(SIDE, dtype=np.uint8)) for name in "ab"})
    for i in range(1, count // 2):
        for name in "ab":
            (folder / f"{name}/{i}.png").hardlink_to(folder / f"{name}/0.png")
    return folder


def array(folder: Path, count: int) -> Path:
    folder.mkdir()
    np.save(folder / "x.npy", np.ones((count, SIDE, SIDE), np.uint8))
    np.save(folder / "t.npy", np.arange(count) % 2)
    return folder / "x.npy"


def archive(folder: Path, count: int) -> Path:
    folder.mkdir()
    np.savez_compressed(folder / "x.npz", x=np.ones((count, SIDE, SIDE), np.uint8), y=np.arange(count) % 2)
    return folder / "x.npz"


def gzip_idx(folder: Path, count: int) -> Path:
    folder.mkdir()
    header = b"\0\0\x08\3" + b"".join(n.to_bytes(4, "big") for n in (count, SIDE, SIDE))
    (folder / "x.gz").write_bytes(gzip.compress(header + bytes(count * SIDE**2), 1))
    (folder / "t.gz").write_bytes(gzip.compress(b"\0\0\x08\1" + count.to_bytes(4, "big") + b"\0\1" * (count // 2)))
    return folder / "x.gz"


SIDE = 400


@pytest.mark.parametrize(
    ("kind", "made"), [("image_folder", images), ("npy", array), ("npz", archive), ("idx", gzip_idx)]
)
def test_memory_stays_flat_when_the_data_grow_tenfold(
    tmp_path: Path, kind: str, made: Callable[[Path, int], Path]
) -> None:
    few, many = (peak(kind, made(tmp_path / str(count), count)) for count in (60, 600))
    assert (few[0], many[0]) == (60, 600)
    assert (many[1] - few[1]) * 1024 < 0.1 * 540 * SIDE**2, (few, many)
