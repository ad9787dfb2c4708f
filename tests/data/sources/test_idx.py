"""IDX."""

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import image_cache
from nnctl.data.sources import Idx
from nnctl.data.sources.idx import read_idx
from nnctl.engine.parameters import Array
from nnctl.errors import DataError

#: As the format's page has them, big-endian.
PUBLISHED = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}


def idx(array: Array, code: int) -> bytes:
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return (
        bytes([0, 0, code, array.ndim])
        + sizes
        + struct.pack(f">{array.size}{PUBLISHED[code]}", *array.ravel().tolist())
    )


@pytest.mark.parametrize("code", PUBLISHED)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_reads_every_type(tmp_path: Path, code: int, pack: Callable[..., Any] | type[bytes]) -> None:
    x = np.arange(24).reshape(4, 2, 3)
    (tmp_path / "x").write_bytes(pack(idx(x, code)))
    (tmp_path / "t").write_bytes(pack(idx(np.arange(4), 0x08)))
    arrays = Idx(path="x", labels="t").open(tmp_path)
    np.testing.assert_array_equal(arrays.x, x)
    assert arrays.labels.tolist() == [0, 1, 2, 3]


def test_the_published_layout() -> None:
    """The magic number 2051 and the sizes of the MNIST training images, from their page."""
    header = bytes.fromhex("00000803 0000ea60 0000001c 0000001c")
    assert int.from_bytes(header[:4], "big") == 2051
    assert idx(np.zeros((60000, 28, 28), np.uint8), 0x08)[:16] == header


BAD = {
    "empty": (b"", "begins with nothing"),
    "magic": (b"\0\1\x08\1", "begins with 00 01 08 01 where an IDX file has 00 00"),
    "type": (b"\0\0\x07\1\0\0\0\0", "begins with 00 00 07 01"),
    "header cut off": (b"\0\0\x08\3\0\0", "6 bytes where the header alone has 16"),
    "too short": (b"\0\0\x08\1\0\0\0\5abcd", r"12 bytes where its header announces 13, for an array \(5,\)"),
    "too long": (b"\0\0\x08\1\0\0\0\3abcd", "12 bytes where its header announces 11"),
    "absurd": (b"\0\0\x08\2\xff\xff\xff\xff\xff\xff\xff\xff", "announces 18446744065119617037"),
    "dimensions": (b"\0\0\x08\x41" + 65 * b"\0\0\0\1" + b"a", "an array of 65 dimensions; there can be 64"),
    "nothing in it": (b"\0\0\x08\2" + 3 * b"\xff" + b"\xff\0\0\0\0", r"shape \(4294967295, 0\) holds no examples"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("case", BAD)
def test_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, pack: Callable[..., Any] | type[bytes]
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: pytest.fail("room was made for what is not there"))
    content, message = BAD[case]
    (tmp_path / "x").write_bytes(pack(content))
    with pytest.raises(DataError, match=message):
        read_idx("x", tmp_path)


PACKED = gzip.compress(b"\0\0\x08\1\0\0\0\3abc")
BAD_GZIP = {
    "cut off": (PACKED[:-9], "ends before its data does"),
    "checksum": (PACKED[:-8] + b"abcd" + PACKED[-4:], "the gzip file is damaged"),
}


@pytest.mark.parametrize("case", BAD_GZIP)
def test_refuses_gzip(tmp_path: Path, case: str) -> None:
    content, message = BAD_GZIP[case]
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx("x", tmp_path)


@pytest.mark.parametrize("code", PUBLISHED)
def test_what_is_too_large_for_memory_is_unpacked_into_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(image_cache, "RESIDENT", 100)
    monkeypatch.setattr(image_cache, "CHUNK", 7)  # no multiple of any number's size
    x = np.arange(120).reshape(20, 3, 2)
    (tmp_path / "x").write_bytes(gzip.compress(idx(x, code)))
    found = read_idx("x", tmp_path)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, x)
    assert [file.name for file in tmp_path.iterdir()] == ["x"]
