"""IDX, the format of MNIST and its relatives."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.data.sources.base import Arrays, Source
from nnctl.data.sources.files import STDIN, is_gzip, opened, resolve
from nnctl.data.sources.npy import checked
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError

#: The third byte of the magic number; numbers are big-endian.
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class Idx(Source):
    """Arrays as MNIST has them: a file of inputs (n, ...) and one of targets (n,).

    The file begins with 0, 0, the type, the number of dimensions d, then d sizes of four bytes, then the
    numbers, all big-endian. A gzip file is unpacked into memory, another mapped from disk. Source:
    Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits" (file formats).

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
    if is_gzip(file):
        with opened(path, base) as stream:
            content = stream.read()
        dtype, shape, start = _header(content, path)
        _check_size(len(content), dtype, shape, start, path)
        return np.frombuffer(content, dtype, offset=start).reshape(shape)
    with file.open("rb") as stream:
        dtype, shape, start = _header(stream.read(4 + 4 * 255), path)
    _check_size(file.stat().st_size, dtype, shape, start, path)
    return np.memmap(file, dtype, "r", start, shape) if prod(shape) else np.empty(shape, dtype)


def _header(content: bytes, path: str) -> tuple[np.dtype[np.generic], Shape, int]:
    """Type and shape of the array, and where its numbers begin."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        found = content[:4].hex(" ") or "nothing"
        raise DataError(
            f"{path}: begins with {found} where an IDX file has 00 00, a type (08 to 0e) and its dimensions"
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{path}: {len(content)} bytes where the header alone has {start}; it was cut off")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", content[3], 4))
    return np.dtype(TYPES[content[2]]), shape, start


def _check_size(size: int, dtype: np.dtype[np.generic], shape: Shape, start: int, path: str) -> None:
    expected = start + prod(shape) * dtype.itemsize
    if size != expected:
        raise DataError(f"{path}: {size} bytes where its header announces {expected}, for an array {shape}")
