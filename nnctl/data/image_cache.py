"""Arrays that may be larger than memory: room for what was unpacked, and reading mapped files without filling it."""

from __future__ import annotations

import mmap
import os
import tempfile
from math import prod
from typing import IO

import numpy as np
from numpy.typing import DTypeLike

from nnctl.engine.parameters import Array, Shape

#: Bytes of a mapped file that are let stay in memory; nothing is gained by driving out a smaller one.
RESIDENT = 1 << 27
#: Rows read from a larger one in one go. Each may bring megabytes of its neighbourhood into memory.
ROWS = 32
#: Bytes that are unpacked in one go.
CHUNK = 1 << 20


def room_for(shape: Shape, limit: int, dtype: DTypeLike = np.uint8) -> Array:
    """An array to be filled: in memory up to `limit` bytes, else in a temporary file.

    The file has no name, so that it is gone with the process however that ends. It lies where the
    system keeps temporary files, which the environment variable TMPDIR changes.

    Raises:
        OSError: where the disk has no room for it.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    if size <= limit:
        return np.empty(shape, dtype)
    folder = tempfile.gettempdir()
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            _reserve(file, size)
        except OSError as error:
            raise OSError(
                error.errno,
                f"no room for {size:,} bytes of unpacked examples ({error.strerror}); set TMPDIR to a folder with "
                "more, or for image files raise cache_megabytes to hold them in memory",
                folder,
            ) from None
        return np.memmap(file, dtype, "r+", shape=shape)


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
        OSError: where the disk has no room for it.
    """
    x = room_for(shape, RESIDENT, dtype)
    room, count = x.reshape(-1).view(np.uint8), 0
    while chunk := stream.read(CHUNK):
        part = room[count : count + len(chunk)]
        part[:] = np.frombuffer(chunk, np.uint8, len(part))
        count += len(chunk)
        release(x)
    return x, count


def gather(x: Array, rows: Array | slice) -> Array:
    """x[rows], taking no more memory than that where x is a large mapped file; a view where it can be one."""
    file = _large_file(x)
    plain = np.asarray(x)  # a memmap's own indexing is ten times as slow for a few rows
    if file is None:
        return plain[rows]
    if isinstance(rows, slice):
        found = np.array(plain[rows])
        file.madvise(mmap.MADV_DONTNEED)
        return found
    found = np.empty((len(rows), *x.shape[1:]), x.dtype)
    for start in range(0, len(rows), ROWS):
        part = slice(start, start + ROWS)
        found[part] = plain[rows[part]]
        file.madvise(mmap.MADV_DONTNEED)
    return found


def release(x: Array) -> None:
    """Give back the memory that a large mapped file takes; its pages are read again when next used.

    The system does so itself where memory runs short, but until then they count as the process's own.
    """
    file = _large_file(x)
    if file is not None:
        file.madvise(mmap.MADV_DONTNEED)


def _large_file(x: Array) -> mmap.mmap | None:
    """The mapping an array lies in, if it is larger than may stay in memory."""
    owner: object = x
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) and len(owner) > RESIDENT else None
