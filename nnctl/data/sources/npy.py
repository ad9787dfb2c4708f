"""NumPy's own formats, mapped from disk: where they lie, or where they were unpacked."""

from __future__ import annotations

import os
import zipfile
import zlib
from dataclasses import replace
from io import BufferedReader
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from nnctl.data.image_cache import unpacked
from nnctl.data.sources.base import Arrays, Source
from nnctl.data.sources.files import DEFLATED, STDIN, is_gzip, resolve
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError
from nnctl.names import unknown
from nnctl.spec import Listed

#: What `zipfile` raises on an archive that is damaged or locked.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    TokenError,  # of NumPy, which reads a header that is not a literal as Python once more
    EOFError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class Npy(Source):
    """An array (n, ...) of inputs in an .npy file, and one of targets (n,) or (n, k) in another.

    Without `labels`, the last column of a matrix is the target. Arrays stay on disk and are read batch
    by batch. Arrays of Python objects are refused: they are pickles, which run code when read.

    ```yaml
    {type: npy, path: images.npy, labels: labels.npy}
    ```
    """

    type: Literal["npy"] = "npy"
    path: str = Field(description="The inputs, relative to the experiment file.")
    labels: str | None = Field(None, description="The targets; left out, the last column of the inputs.")

    def files(self) -> tuple[str, ...]:
        return (self.path,) if self.labels is None else (self.path, self.labels)

    def open(self, base: Path, *, skip_malformed: bool = False) -> Arrays:
        labels = None if self.labels is None else _load(self.labels, base)
        return checked(_load(self.path, base), labels, self.path)


class Npz(Source):
    """Arrays of inputs (n, ...) and targets (n,) or (n, k) in one .npz file.

    Without an array named `labels`, the last column of a matrix is the target. An archive written by
    `numpy.savez` is read where it lies; one by `numpy.savez_compressed` is unpacked when it is opened, up to 128
    megabytes into memory, more into a temporary file.

    ```yaml
    {type: npz, path: mnist.npz, inputs: x_train, labels: y_train}
    ```
    """

    type: Literal["npz"] = "npz"
    path: str = Field(description="The file, relative to the experiment file.")
    inputs: str | Annotated[tuple[str, ...], Listed, Field(min_length=1)] = Field(
        "x", description="Name of the array of inputs, or of several, which `data.inputs` names one by one."
    )
    labels: str | None = Field("y", description="Name of the array of targets; null: the last column of the inputs.")

    def files(self) -> tuple[str, ...]:
        return (self.path,)

    def open(self, base: Path, *, skip_malformed: bool = False) -> Arrays:
        file = _regular(self.path, base)
        try:
            with file.open("rb") as whole, zipfile.ZipFile(whole) as archive:
                named = (self.inputs,) if isinstance(self.inputs, str) else self.inputs
                found = {name: self._member(archive, whole, name) for name in named}
                labels = None if self.labels is None else self._member(archive, whole, self.labels)
        except UNREADABLE as error:
            raise DataError(f"{self.path}: cannot be read as .npz ({error})") from None
        if len({len(x) for x in found.values()}) > 1:
            lengths = ", ".join(f"{name} {len(x)}" for name, x in found.items())
            raise DataError(f"{self.path}: its inputs have different numbers of examples: {lengths}")
        arrays = {name: checked(x, labels, self.path) for name, x in found.items()}
        several = {} if isinstance(self.inputs, str) else {name: each.x for name, each in arrays.items()}
        return replace(next(iter(arrays.values())), arrays=several)

    def _member(self, archive: zipfile.ZipFile, whole: BufferedReader, name: str) -> Array:
        names = [n.removesuffix(".npy") for n in archive.namelist()]
        if name not in names:
            raise DataError(f"{self.path}: has {unknown('array', name, names)}; `inputs:` and `labels:` name them")
        info = archive.getinfo(archive.namelist()[names.index(name)])
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{info.filename}: is not packed as numpy.savez_compressed does it; write it with that")
        with archive.open(info) as member:
            place = whole.tell()  # behind what stands before the member's bytes, which opening it has read
            shape, fortran, dtype = _header(member)
            start, size = member.tell(), prod(shape) * dtype.itemsize
            if info.file_size != start + size:
                raise ValueError(
                    f"{info.filename}: {info.file_size} bytes where its header announces {start + size}, "
                    f"for an array {shape}"
                )
            if not size:
                return np.empty(shape, dtype)
            if info.compress_type == zipfile.ZIP_STORED:
                order: Literal["F", "C"] = "F" if fortran else "C"
                return np.memmap(whole, dtype, "r", place + start, shape, order)
            if size > DEFLATED * os.fstat(whole.fileno()).st_size:
                raise ValueError(f"{info.filename}: announces {size} bytes, more than a file of this size can hold")
            x, found = unpacked(member, dtype, shape[::-1] if fortran else shape)
            if found != size:
                raise ValueError(f"{info.filename}: {start + found} bytes where {info.file_size} are announced")
            return x.T if fortran else x


def _header(member: IO[bytes]) -> tuple[Shape, bool, np.dtype[Any]]:
    """Shape of an array, whether its order is Fortran's, and its type; the stream is left where its numbers begin."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(member)
    if dtype.hasobject:
        raise ValueError("an array of Python objects is a pickle, which nnctl does not read")
    return shape, fortran, dtype


def _load(path: str, base: Path) -> Array:
    file = _regular(path, base)
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        if "pickle" in reason or "object" in reason:
            reason = "it is no .npy file, or an array of Python objects, which nnctl does not read"
        raise DataError(f"{path}: cannot be read as .npy ({reason})") from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise DataError(f"{path}: is an .npz archive; write `type: npz`")
    return array


def _regular(path: str, base: Path) -> Path:
    if path == STDIN:
        raise DataError("arrays are not read from standard input; write them to a file")
    file = resolve(path, base)
    if not file.is_file():
        raise DataError(f"{path}: is a pipe or a device, and arrays are mapped from disk; write them to a file")
    if is_gzip(file):
        raise DataError(f"{path}: is gzip, and arrays are mapped from disk; unpack it with gunzip")
    return file


def checked(x: Array, labels: Array | None, name: str) -> Arrays:
    """The arrays, where they are inputs and targets of the same examples.

    Raises:
        DataError: where lengths or types do not fit.
    """
    if x.ndim < 1 or not len(x):
        raise DataError(f"{name}: an array of shape {x.shape} holds no examples")
    if x.dtype.kind not in "biuf":
        raise DataError(f"{name}: inputs of type {x.dtype}; numbers are needed")
    if x.ndim == 1:
        x = x[:, None]
    if labels is None:
        return Arrays(x, None, name)
    if labels.dtype.kind not in "biufU":
        raise DataError(f"{name}: targets of type {labels.dtype}; numbers, booleans or text are needed")
    if labels.ndim not in (1, 2) or len(labels) != len(x):
        raise DataError(
            f"{name}: {len(x)} inputs, and targets of shape {labels.shape} instead of ({len(x)},) or ({len(x)}, k)"
        )
    return Arrays(x, labels, name)
