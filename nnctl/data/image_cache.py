"""Arrays that may be larger than memory: room for what was unpacked, and reading mapped files without filling it."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from math import prod
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError

#: Bytes of a mapped file that are let stay in memory; nothing is gained by driving out a smaller one.
RESIDENT = 1 << 27
#: Rows read from a larger one in one go. Each may bring megabytes of its neighbourhood into memory.
ROWS = 32
#: Bytes that are unpacked in one go.
CHUNK = 1 << 20


class OpenFile(NamedTuple):
    """A mapped file that can be read past its mapping: where that begins in the file and in memory."""

    descriptor: int
    start: int
    address: int


_OPEN: weakref.WeakKeyDictionary[mmap.mmap, OpenFile] = weakref.WeakKeyDictionary()


def room_for(shape: Shape, limit: int, dtype: DTypeLike = np.uint8) -> Array:
    """An array to be filled: in memory up to `limit` bytes, else in a temporary file.

    The file has no name, so that it is gone with the process however that ends. It lies where the
    system keeps temporary files, which the environment variable TMPDIR changes.

    Raises:
        DataError: where the disk has no room for it.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    if size <= limit:
        return np.empty(shape, dtype)
    folder = tempfile.gettempdir()
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            _reserve(file, size)
        except OSError as error:
            raise DataError(
                f"{folder}: no room for {size:,} bytes of unpacked examples ({error.strerror}); set TMPDIR to a folder "
                "with more, or for image files raise cache_megabytes to hold them in memory"
            ) from None
        return read_by_rows(np.memmap(file, dtype, "r+", shape=shape), file.fileno())


def _reserve(file: IO[bytes], size: int) -> None:
    """Take up a file's room now: a disk that is full when a page is written ends the process without a word."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for start in range(0, size, CHUNK):  # macOS has no such call
        file.write(bytes(min(CHUNK, size - start)))
    file.flush()


def unpacked(stream: IO[bytes], dtype: DTypeLike, shape: Shape) -> tuple[Array, int]:
    """An array of the bytes of a stream, and how many bytes those were, to be compared with the array's.

    What is over is only counted. No more than `CHUNK` and `RESIDENT` bytes take up memory at a time.

    Raises:
        DataError: where the disk has no room for it.
    """
    x = room_for(shape, RESIDENT, dtype)
    room, count = x.reshape(-1).view(np.uint8), 0
    while chunk := stream.read(CHUNK):
        part = room[count : count + len(chunk)]
        part[:] = np.frombuffer(chunk, np.uint8, len(part))
        count += len(chunk)
        release(x)
    return x, count


def read_by_rows(x: np.memmap[Any, Any], descriptor: int) -> Array:
    """Have `gather` read rows of a mapped array from its open file; the array itself.

    A page fault may map two megabytes of the file, and to give them back after every few rows takes four times as
    long as to read these by system calls (1.6 us a row of 3 kB against 4.5; 0.4 from a small file that stays mapped).
    """
    owner = _mapping(x)
    if owner is not None:
        start = x.offset - x.offset % mmap.ALLOCATIONGRANULARITY
        _OPEN[owner] = OpenFile(os.dup(descriptor), start, _address(np.frombuffer(owner, np.uint8)))
        weakref.finalize(owner, os.close, _OPEN[owner].descriptor)
    return x


def gather(x: Array, rows: Array | slice) -> Array:
    """x[rows], taking no more memory than that where x is a large mapped file; a view where it can be one.

    Raises:
        DataError: where the file has become shorter since it was opened.
    """
    file = _large_file(x)
    if file is None or not len(x):
        return np.asarray(x)[rows]  # a memmap's own indexing is ten times as slow for a few rows
    if isinstance(rows, slice):
        found = np.array(x[rows])
        file.madvise(mmap.MADV_DONTNEED)
        return found
    found = np.empty((len(rows), *x.shape[1:]), x.dtype)
    if file in _OPEN and x[0].flags.c_contiguous:
        _read(x, rows, _OPEN[file], found)
        return found
    for start in range(0, len(rows), ROWS):
        part = slice(start, start + ROWS)
        found[part] = x[rows[part]]
        file.madvise(mmap.MADV_DONTNEED)
    return found


def _read(x: Array, rows: Array, file: OpenFile, found: Array) -> None:
    """Fill `found` with rows of x, one system call each."""
    first, stride, size = file.start + _address(x) - file.address, x.strides[0], x[0].nbytes
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(x):
        raise IndexError(f"rows {rows.min()} to {rows.max()} are asked for of {len(x)}")
    room = memoryview(found.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
    places = (first + rows * stride).tolist()
    count = sum(
        os.preadv(file.descriptor, (room[start : start + size],), place)
        for start, place in zip(range(0, found.nbytes, size), places, strict=True)
    )
    if count != found.nbytes:
        raise DataError(f"a file of examples has become shorter: {count} bytes were read where {found.nbytes} were")


def _address(x: Array) -> int:
    return int(x.__array_interface__["data"][0])


def release(x: Array) -> None:
    """Give back the memory that a large mapped file takes; its pages are read again when next used.

    The system does so itself where memory runs short, but until then they count as the process's own.
    """
    file = _large_file(x)
    if file is not None:
        file.madvise(mmap.MADV_DONTNEED)


def _large_file(x: Array) -> mmap.mmap | None:
    """The mapping an array lies in, if it is larger than may stay in memory."""
    owner = _mapping(x)
    return owner if owner is not None and len(owner) > RESIDENT else None


def _mapping(x: Array) -> mmap.mmap | None:
    """The mapping an array lies in."""
    owner: object = x
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) else None
