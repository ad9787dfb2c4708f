"""NPY and NPZ."""

import gzip
import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from nnctl.data import image_cache
from nnctl.data.sources import Npy, Npz
from nnctl.errors import DataError

X = np.arange(24.0).reshape(4, 2, 3)
T = np.array([0, 1, 0, 1])


def is_mapped(array: Any) -> bool:
    while array is not None and not isinstance(array, np.memmap):
        array = array.base
    return array is not None


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_is_mapped(tmp_path: Path, order: Literal["C", "F"]) -> None:
    np.save(tmp_path / "x.npy", np.asarray(X, order=order))
    np.save(tmp_path / "t.npy", T)
    arrays = Npy(path="x.npy", labels="t.npy").open(tmp_path)
    assert is_mapped(arrays.x)
    np.testing.assert_array_equal(arrays.x, X)
    np.testing.assert_array_equal(arrays.labels, T)


@pytest.mark.parametrize(("save", "mapped"), [(np.savez, True), (np.savez_compressed, False)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_is_mapped_where_stored(tmp_path: Path, save: Any, mapped: bool, order: Literal["C", "F"]) -> None:
    save(tmp_path / "a.npz", x_train=np.asarray(X, order=order), y_train=T, other=np.zeros(3))
    arrays = Npz(path="a.npz", inputs="x_train", labels="y_train").open(tmp_path)
    assert is_mapped(arrays.x) == mapped
    np.testing.assert_array_equal(arrays.x, X)
    np.testing.assert_array_equal(arrays.labels, T)


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_too_large_for_memory_is_unpacked_into_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Literal["C", "F"]
) -> None:
    monkeypatch.setattr(image_cache, "RESIDENT", X.nbytes - 1)
    monkeypatch.setattr(image_cache, "CHUNK", 7)
    np.savez_compressed(tmp_path / "a.npz", x=np.asarray(X, order=order), y=T)
    arrays = Npz(path="a.npz").open(tmp_path)
    assert (is_mapped(arrays.x), is_mapped(arrays.labels)) == (True, False)
    np.testing.assert_array_equal(arrays.x, X)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def archive(member: bytes, compression: int, directory: int | None = None) -> bytes:
    """An archive of one array file; `directory` is the size that its directory tells instead of the true one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        made.writestr("x.npy", member)
        if directory is not None:
            made.infolist()[0].file_size = directory
    return file.getvalue()


def array_file(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue() + content


HEADER = len(array_file((4,)))
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
GOOD = archive(array_file((4,), b"abcd"), DEFLATED)
BEGIN = 30 + len("x.npy")  # of the deflated bytes, whose first three bits tell the kind of block
BAD = {
    "too long": (array_file((4,), b"abcde"), rf"x\.npy: {HEADER + 5} bytes where its header announces {HEADER + 4}"),
    "too short": (array_file((4,), b"abc"), rf"x\.npy: {HEADER + 3} bytes where its header announces {HEADER + 4}"),
    "absurd": (array_file((1 << 42,), b"abc"), rf"header announces {(1 << 42) + HEADER}, for an array \(4398"),
    "negative": (array_file((-2, -2), b"abcd"), "negative"),
}


@pytest.mark.parametrize("compression", [STORED, DEFLATED])
@pytest.mark.parametrize("case", BAD)
def test_sizes_that_do_not_match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, compression: int) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: pytest.fail("room was made for what is not there"))
    content, message = BAD[case]
    (tmp_path / "a.npz").write_bytes(archive(content, compression))
    with pytest.raises(DataError, match=message):
        Npz(path="a.npz", inputs="x", labels=None).open(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            archive(array_file((1 << 31,), b"abc"), DEFLATED, (1 << 31) + HEADER),
            "announces 2147483648 bytes, more than",
        ),
        (archive(array_file((1 << 31,), b"abc"), STORED, (1 << 31) + HEADER), r"cannot be read as \.npz"),
        (
            archive(array_file((5,), b"abc"), DEFLATED, 5 + HEADER),
            f"{HEADER + 3} bytes where {HEADER + 5} are announced",
        ),
        (GOOD[:BEGIN] + b"\xff" + GOOD[BEGIN + 1 :], r"cannot be read as \.npz \(Error -3"),
    ],
    ids=["absurd", "absurd, stored", "short", "damaged"],
)
def test_archives_that_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: pytest.fail("room was made for what is not there"))
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        Npz(path="a.npz", inputs="x", labels=None).open(tmp_path)


def test_another_packing_than_numpys(tmp_path: Path) -> None:
    pytest.importorskip("bz2")
    (tmp_path / "a.npz").write_bytes(archive(array_file((4,), b"abcd"), zipfile.ZIP_BZIP2))
    with pytest.raises(
        DataError, match=r"x\.npy: is not packed as numpy\.savez_compressed does it; write it with that"
    ):
        Npz(path="a.npz", inputs="x", labels=None).open(tmp_path)


def test_the_last_column_is_the_target_where_there_are_no_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(4, 3))
    arrays = Npy(path="x.npy").open(tmp_path).with_labels()
    assert arrays.x.shape == (4, 2)
    assert arrays.labels.tolist() == [2, 5, 8, 11]
    np.save(tmp_path / "images.npy", X)
    with pytest.raises(DataError, match="no targets; write `labels:`"):
        Npy(path="images.npy").open(tmp_path).with_labels()


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str, ...]]:
        return (pytest.fail, ("a pickle was run",))


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([Bomb(), Bomb()], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=np.array([Bomb(), Bomb()], object), y=T)
    np.savez_compressed(tmp_path / "z.npz", x=np.array([Bomb(), Bomb()], object), y=T)
    with pytest.raises(DataError, match="Python objects"):
        Npy(path="x.npy").open(tmp_path)
    for name in ("x.npz", "z.npz"):
        with pytest.raises(DataError, match="pickle|Object arrays"):
            Npz(path=name).open(tmp_path)


def test_mistakes_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=T)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "t3.npy", T[:3])
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    np.save(tmp_path / "none.npy", np.zeros((0, 3)))
    (tmp_path / "z.npy").write_bytes((tmp_path / "a.npz").read_bytes())
    (tmp_path / "cut.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    (tmp_path / "x.npy.gz").write_bytes(gzip.compress((tmp_path / "x.npy").read_bytes()))
    cases = {
        Npz(path="a.npz", inputs="xx"): r"no array 'xx'; did you mean 'x'\? There are x, y",
        Npy(path="x.npy", labels="t3.npy"): r"4 inputs, and targets of shape \(3,\)",
        Npy(path="text.npy"): "inputs of type <U1",
        Npy(path="none.npy"): r"shape \(0, 3\) holds no examples",
        Npy(path="z.npy"): "write `type: npz`",
        Npy(path="cut.npy"): r"cut\.npy: cannot be read as \.npy",
        Npy(path="x.npy.gz"): "unpack it with gunzip",
        Npz(path="x.npy"): r"cannot be read as \.npz",
        Npy(path="-"): "not read from standard input",
    }
    for source, message in cases.items():
        with pytest.raises(DataError, match=message):
            source.open(tmp_path)


HEADERS = {
    "a bracket that is not closed": (b"(4, 2, 3), }", b"(4, 2, 3),  "),
    "keys of two types": (b"{'descr'", b"{b'escr'"),
}


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("packed", [False, True])
def test_headers_that_are_not_as_numpy_writes_them(tmp_path: Path, kind: str, packed: bool) -> None:
    stream = io.BytesIO()
    np.save(stream, X)
    good, bad = HEADERS[kind]
    assert good in stream.getvalue()
    content = stream.getvalue().replace(good, bad)
    if packed:
        with zipfile.ZipFile(tmp_path / "x", "w") as archive:
            archive.writestr("x.npy", content)
    else:
        (tmp_path / "x").write_bytes(content)
    source = Npz(path="x", labels=None) if packed else Npy(path="x")
    with pytest.raises(DataError, match="x: cannot be read as .npy|x: cannot be read as .npz"):
        source.open(tmp_path)


def test_bytes_changed_anywhere_are_never_a_defect(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, X)
    rng = np.random.default_rng(1)
    for _ in range(300):
        content = bytearray(stream.getvalue())
        start, length = rng.integers(128), rng.integers(1, 9)
        content[start : start + length] = rng.bytes(int(rng.integers(9)))
        (tmp_path / "x.npy").write_bytes(content)
        with suppress(DataError):
            Npy(path="x.npy").open(tmp_path)
