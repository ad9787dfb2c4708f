"""IDX, the format of MNIST and its relatives."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import IO, Literal

import numpy as np
from pydantic import Field

from nnctl.data.image_cache import unpacked
from nnctl.data.sources.base import Arrays, Source
from nnctl.data.sources.files import DEFLATED, STDIN, is_gzip, opened, resolve
from nnctl.data.sources.npy import checked
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError

#: The third byte of the magic number; numbers are big-endian.
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
#: Of an array of NumPy; the format has room for 255.
MOST_DIMENSIONS = 64


class Idx(Source):
    """Arrays as MNIST has them: a file of inputs (n, ...) and one of targets (n,).

    The file begins with 0, 0, the type, the number of dimensions d, then d sizes of four bytes, then the
    numbers, all big-endian. A file is read where it lies; a gzip file is unpacked when it is opened, up to
    128 megabytes into memory, more into a temporary file. Source: Y. LeCun, C. Cortes and C. Burges, "The
    MNIST database of handwritten digits" (file formats).

    ```yaml
    {type: idx, path: train-images-idx3-ubyte.gz, labels: train-labels-idx1-ubyte.gz}
    ```
    """

    type: Literal["idx"] = "idx"
    path: str = Field(description="The inputs, relative to the experiment file; gzip is unpacked.")
    labels: str | None = Field(None, description="The targets; left out, the last column of a matrix of inputs.")

    def files(self) -> tuple[str, ...]:
        return (self.path,) if self.labels is None else (self.path, self.labels)

    def open(self, base: Path, *, skip_malformed: bool = False) -> Arrays:
        labels = None if self.labels is None else read_idx(self.labels, base)
        return checked(read_idx(self.path, base), labels, self.path)


def read_idx(path: str, base: Path) -> Array:
    """The array of one IDX file.

    Raises:
        DataError: where the magic number or the size is another.
    """
    if path == STDIN:
        raise DataError("arrays are not read from standard input; write them to a file")
    file = resolve(path, base)
    if not file.is_file():
        raise DataError(f"{path}: is a pipe or a device, and arrays are mapped from disk; write them to a file")
    on_disk = file.stat().st_size
    with opened(path, base) as stream:
        dtype, shape, start = _header(stream, path)
        size = prod(shape) * dtype.itemsize
        if not is_gzip(file):
            _check_size(on_disk, start + size, shape, path)
            return np.memmap(file, dtype, "r", start, shape)
        # No room is made for more than a file of this size can hold; its bytes are counted all the same.
        x, found = unpacked(stream, dtype, shape if size <= DEFLATED * on_disk else (0,))
        _check_size(start + found, start + size, shape, path)
        return x


def _header(stream: IO[bytes], path: str) -> tuple[np.dtype[np.generic], Shape, int]:
    """Type and shape of the array, and where its numbers begin; the stream is left there."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        found = magic.hex(" ") or "nothing"
        raise DataError(
            f"{path}: begins with {found} where an IDX file has 00 00, a type (08 to 0e) and its dimensions"
        )
    sizes = stream.read(4 * magic[3])
    start = 4 + 4 * magic[3]
    if 4 + len(sizes) < start:
        raise DataError(f"{path}: {4 + len(sizes)} bytes where the header alone has {start}; it was cut off")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if len(shape) > MOST_DIMENSIONS:
        raise DataError(f"{path}: an array of {len(shape)} dimensions; there can be {MOST_DIMENSIONS}")
    if not prod(shape):
        raise DataError(f"{path}: an array of shape {shape} holds no examples")
    return np.dtype(TYPES[magic[2]]), shape, start


def _check_size(size: int, expected: int, shape: Shape, path: str) -> None:
    if size != expected:
        raise DataError(f"{path}: {size} bytes where its header announces {expected}, for an array {shape}")
