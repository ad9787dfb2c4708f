"""Writing files so that whatever happens leaves the old one or the new one, whole."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO

from nnctl.errors import ConfigError

STDOUT = "-"
#: What the process has open already; opening it once more would cut off what others have written to it.
DESCRIPTOR = re.compile(r"/dev/(?P<name>stdout|stderr)|/(?:dev|proc/self)/fd/(?P<number>\d+)")
#: The ends of the names that files have while they are written.
WRITING = ".writing"


@contextmanager
def writing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to be written, which gets its name when all of it is on disk; `-` is standard output.

    Until then it has a name of its own beside the final one, so that two processes do not write into one file, and
    what was there before stays. Whatever ends it sooner, a signal too, leaves no trace. What a link points to is
    replaced, and not the link; a pipe or a device, which cannot be replaced and has no half, is written to.

    Raises:
        ConfigError: where the path is a folder, or in none.
        OSError: where the system refuses; it names the path.
    """
    if str(path) == STDOUT:
        if sys.stdout is None:  # the shell has closed it
            raise ConfigError("standard output: is closed; name a file with --output")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    final = Path(os.path.realpath(path))
    if final.is_dir():
        raise ConfigError(f"{path}: is a folder; name a file in it")
    if not final.parent.is_dir() and not DESCRIPTOR.fullmatch(str(path)):
        raise ConfigError(f"{path}: cannot be written, as there is no folder {final.parent}")
    beside = final.with_name(f".{token_hex(6)}{WRITING}")
    try:
        with naming(path, beside):
            if opened := DESCRIPTOR.fullmatch(str(path)):
                with os.fdopen(os.dup(int(opened["number"] or 1 + (opened["name"] == "stderr"))), "wb") as stream:
                    yield stream
            elif final.exists() and not final.is_file():
                with final.open("wb") as stream:
                    yield stream
            else:
                with _new(beside, final) as stream:
                    yield stream
                    stream.flush()
                    os.fsync(stream.fileno())
                beside.replace(final)
                flush_folder(final.parent)
    finally:
        beside.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with writing(path) as stream:
        stream.write(content)


def append(path: Path, line: str) -> None:
    """Add a line to a file."""
    with naming(path), path.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")


@contextmanager
def naming(path: str | Path, beside: Path | None = None) -> Iterator[None]:
    """Give errors of the system that name no file, or the one `beside`, the path that they are about."""
    try:
        yield
    except OSError as error:
        if error.filename not in (None, str(beside)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def _new(path: Path, like: Path) -> IO[bytes]:
    """A new file, with the rights of the one that it is to replace."""
    stream = path.open("xb")
    if like.exists():
        os.fchmod(stream.fileno(), stat.S_IMODE(like.stat().st_mode))
    return stream


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
