"""A data set into a folder: what is there is checked, what is missing is fetched."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from nnctl.data.fetch.catalogue import DataSet, File
from nnctl.data.fetch.download import TIMEOUT, Unavailable, download
from nnctl.data.fetch.partial import Partial
from nnctl.errors import ConfigError, DataError


class Watcher:
    """Hears how it goes, and shows nothing; displays extend it."""

    def start(self, file: File, done: int, url: str) -> None:
        """A file is asked for; `done` of its bytes are there."""

    def at(self, done: int) -> None:
        """That many of the file's bytes are there."""

    def note(self, text: str) -> None:
        """Something good to know."""


class Fetched(NamedTuple):
    """A file that is there and right: what it came from (nothing if it was there), where another of its name is now."""

    path: Path
    file: File
    source: str | None
    kept: Path | None


def fetch(
    data_set: DataSet,
    folder: Path,
    mirrors: Sequence[str],
    watcher: Watcher,
    timeout: float = TIMEOUT,
) -> list[Fetched]:
    """Bring every file of a data set into a folder, from the first mirror that gives it.

    Raises:
        ConfigError: where the folder is not one.
        DataError: where a file cannot be had, with what to do without a network.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; name a folder for the data set")
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        fetched: list[Fetched] = []
        for file in data_set.files:
            try:
                fetched.append(_fetch_file(file, folder / file.name, mirrors, watcher, timeout))
            except Unavailable as reasons:
                missing = [other for other in data_set.files if not is_file(folder / other.name, other)]
                raise DataError(
                    f"{data_set.name}: {file.name} cannot be had\n{reasons}\n" + by_hand(data_set, folder, missing)
                ) from None
        return fetched


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder, so that two processes never write one file.

    Raises:
        DataError: where another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{folder}: another process is fetching into it; run this again when it is done") from None
        yield
    finally:
        os.close(descriptor)


def is_file(path: Path, file: File) -> bool:
    """Whether the bytes at a path are those of a file."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _fetch_file(file: File, path: Path, mirrors: Sequence[str], watcher: Watcher, timeout: float) -> Fetched:
    if is_file(path, file):
        Partial(path).remove()
        watcher.note(f"{path}: is there, and its checksum is right")
        return Fetched(path, file, None, None)
    if path.exists():
        watcher.note(f"{path}: is there, but is another file; it is kept beside the right one once that is there")
    with Partial(path) as partial:
        source = _fill(partial, file, mirrors, watcher, timeout)
        kept = _put_aside(path)
        partial.become_final()
    if kept:
        watcher.note(f"{path}: what had its name is now {kept.name}")
    return Fetched(path, file, source, kept)


def _fill(partial: Partial, file: File, mirrors: Sequence[str], watcher: Watcher, timeout: float) -> str:
    """Complete a partial file from the first mirror that can; returns the address.

    Raises:
        Unavailable: where none can, with the reason of each.
    """
    if partial.length >= file.size:  # all came but the name, or it is something else
        if partial.holds(file):
            return str(partial.path)
        partial.clear()
    reasons = []
    for mirror in mirrors:
        url = mirror + file.name
        watcher.start(file, partial.length, url)
        try:
            download(url, file, partial, watcher.at, timeout)
        except Unavailable as reason:
            reasons.append(f"  {url}: {reason}")
            watcher.note(reasons[-1].strip())
        else:
            return url
    raise Unavailable("\n".join(reasons))


def _put_aside(path: Path) -> Path | None:
    """Give what has the file's name another: the first free number behind it."""
    if not path.exists():
        return None
    free = next(aside for n in count(1) if not (aside := path.with_name(f"{path.name}.{n}")).exists())
    return path.rename(free)


def by_hand(data_set: DataSet, folder: Path, missing: Sequence[File]) -> str:
    """What to do where there is no network."""
    files = [f"  {data_set.mirrors[0]}{file.name}\n    {file.size:,} bytes, sha256 {file.sha256}" for file in missing]
    elsewhere = "" if folder == data_set.folder else f" --to {folder}"
    return "\n".join(
        [
            f"Without a network here: get these files where there is one, and put them into {folder}/:",
            *files,
            f"`nnctl datasets fetch {data_set.name}{elsewhere}` then checks them without asking anyone; "
            + next_step(data_set, folder),
        ]
    )


def next_step(data_set: DataSet, folder: Path) -> str:
    """How to train on a data set that is there."""
    if data_set.config and folder == data_set.folder:
        return f"`nnctl train {data_set.config}` trains on them"
    return f"in an experiment, `{{type: idx, path: {folder.absolute()}/..., labels: ...}}` reads them"
