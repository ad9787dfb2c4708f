"""Opening files: what is not there, what is compressed, what was cut off."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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


#: Of what is read once: the hashes so far, by path, while somebody wants them.
_wanted: ContextVar[dict[str, str] | None] = ContextVar("_wanted", default=None)


@contextmanager
def hashing() -> Iterator[dict[str, str]]:
    """Take the hash of every pipe, and of standard input, while it is read: it cannot be read again for it."""
    digests = dict[str, str]()
    token = _wanted.set(digests)
    try:
        yield digests
    finally:
        _wanted.reset(token)


class _Hashed(RawIOBase):
    """The bytes of another stream, with their hash."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.sha256 = stream, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self.stream.read(len(buffer))
        self.sha256.update(content)
        buffer[: len(content)] = content
        return len(content)


@contextmanager
def _once(path: str, stream: IO[bytes]) -> Iterator[BufferedReader[Any]]:
    """The bytes of a stream that cannot be read again; its hash is noted where it is wanted."""
    raw, digests = _Hashed(stream), _wanted.get()
    yield BufferedReader(raw)
    if digests is not None:
        digests[path] = raw.sha256.hexdigest()


@contextmanager
def _raw(path: str, base: Path) -> Iterator[BufferedReader[Any]]:
    if path == STDIN:
        if sys.stdin is None:  # the shell has closed it
            raise DataError("standard input: is closed; name a file of data")
        with _once(path, sys.stdin.buffer) as stream:
            yield stream
        return
    found = resolve(path, base)
    with found.open("rb") as file:
        if found.is_file():
            yield file
        else:
            with _once(path, file) as stream:
                yield stream


def is_gzip(file: Path) -> bool:
    """Whether a file is compressed, told by its first bytes."""
    with file.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


def sha256(file: Path) -> str:
    """The hash of a file's bytes as they are on disk."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
