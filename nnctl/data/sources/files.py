"""Opening files: what is not there, what is compressed, what was cut off."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, cast

from nnctl.errors import DataError
from nnctl.names import did_you_mean

GZIP_MAGIC = b"\x1f\x8b"
STDIN = "-"
#: Bytes that one byte of a deflated file stands for at most. Source: "zlib Technical Details", zlib.net.
DEFLATED = 1032


def located(path: str, base: Path) -> Path:
    """What a path means: relative to `base`; `~` is a home, where no file has it in its name."""
    file = base / path
    return file if os.path.lexists(file) else base / os.path.expanduser(path)  # noqa: PTH111 - Path's raises


def resolve(path: str, base: Path) -> Path:
    """The file a path means: relative to `base`.

    Raises:
        DataError: where there is no such file, with the nearest name in its folder.
    """
    file = located(path, base)
    if file.is_file():
        return file
    if file.is_dir():
        raise DataError(f"{path}: is a folder; write the path of a file in it")
    if file.exists():
        return file  # a pipe or a device
    folder = file.parent
    if not folder.is_dir():
        raise DataError(f"{path}: no such file; there is no folder {folder} either")
    raise DataError(
        f"{path}: no such file in {folder}{did_you_mean(file.name, sorted(f.name for f in folder.iterdir()))}"
    )


@contextmanager
def opened(path: str, base: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, decompressed where they are gzip (told by their first bytes); `-` is standard input.

    Raises:
        DataError: where the file cannot be opened, or a compressed one is damaged or cut off.
    """
    try:
        with _raw(path, base) as raw:
            if raw.peek(2)[:2] == GZIP_MAGIC:
                with gzip.open(raw) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            else:
                yield raw
    except EOFError:
        raise DataError(
            f"{path}: the gzip file ends before its data does; it was cut off, fetch or write it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); fetch or write it again") from None


@contextmanager
def _raw(path: str, base: Path) -> Iterator[BufferedReader[Any]]:
    if path == STDIN:
        if sys.stdin is None:  # the shell has closed it
            raise DataError("standard input: is closed; name a file of data")
        stdin = BufferedReader(cast("RawIOBase", sys.stdin.buffer))
        try:
            yield stdin
        finally:
            stdin.detach()
        return
    with resolve(path, base).open("rb") as file:
        yield file


def is_gzip(file: Path) -> bool:
    """Whether a file is compressed, told by its first bytes."""
    with file.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


def sha256(file: Path) -> str:
    """The hash of a file's bytes as they are on disk."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
