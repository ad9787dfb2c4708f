"""A data set into a folder: what is there is checked, what is missing is fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from nnctl.data.fetch.catalogue import DataSet, File
from nnctl.errors import ConfigError, DataError

#: Seconds without an answer, or without more of it, after which the next mirror is asked.
TIMEOUT = 30.0
CHUNK = 1 << 16


class Watcher:
    """Hears how it goes, and shows nothing; displays extend it."""

    def start(self, file: File, url: str) -> None:
        """A file is asked for."""

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


class Unavailable(Exception):
    """Why a file cannot be had."""


def fetch(
    data_set: DataSet,
    folder: Path,
    mirrors: Sequence[str],
    watcher: Watcher,
    timeout: float = TIMEOUT,
) -> list[Fetched]:
    """Bring every file of a data set into a folder, from the first mirror that gives it.

    Raises:
        ConfigError: where the folder is not one, or files are missing and pooch is not installed.
        DataError: where a file cannot be had, with what to do without a network.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; name a folder for the data set")
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


def is_file(path: Path, file: File) -> bool:
    """Whether the bytes at a path are those of a file."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _fetch_file(file: File, path: Path, mirrors: Sequence[str], watcher: Watcher, timeout: float) -> Fetched:
    if is_file(path, file):
        watcher.note(f"{path}: is there, and its checksum is right")
        return Fetched(path, file, None, None)
    if path.exists():
        watcher.note(f"{path}: is there, but is another file; it is kept beside the right one once that is there")
    reasons = []
    for mirror in mirrors:
        url = mirror + file.name
        watcher.start(file, url)
        try:
            new = _download(url, file, path.with_name(f".{file.name}.new"), watcher, timeout)
        except Unavailable as reason:
            reasons.append(f"  {url}: {reason}")
            watcher.note(reasons[-1].strip())
            continue
        kept = _put_aside(path)
        new.rename(path)
        if kept:
            watcher.note(f"{path}: what had its name is now {kept.name}")
        return Fetched(path, file, url, kept)
    raise Unavailable("\n".join(reasons))


def _download(url: str, file: File, to: Path, watcher: Watcher, timeout: float) -> Path:
    """The path, once it is the file; pooch gives it its name only if the checksum is right.

    Raises:
        ConfigError: where pooch is not installed.
        Unavailable: where the address does not give the file.
    """
    try:
        import pooch
    except ImportError:
        raise ConfigError("fetching needs pooch, which is not installed: pip install 'nnctl[fetch]'") from None

    def receive(url: str, path: str, _: object) -> None:
        _receive(url, file, Path(path), watcher, timeout)

    pooch.get_logger().setLevel("ERROR")  # the watcher hears it all
    try:
        pooch.retrieve(url, f"sha256:{file.sha256}", to.name, to.parent, downloader=receive)
    except ValueError:
        raise Unavailable(
            "the checksum is another: damaged, not this file, or a page of a network that asks to log in"
        ) from None
    return to


def _receive(url: str, file: File, to: Path, watcher: Watcher, timeout: float) -> None:
    """What the address gives, as long as it is not more than the file has.

    Raises:
        Unavailable: where it gives more, or less than it announced, or nothing.
    """
    import requests

    # Unless told so, servers may pack what is packed already.
    headers = {"User-Agent": "nnctl", "Accept-Encoding": "identity"}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer, to.open("wb") as stream:
            answer.raise_for_status()
            for chunk in answer.iter_content(CHUNK):
                stream.write(chunk)
                if stream.tell() > file.size:
                    raise Unavailable(f"more than {file.size:,} bytes came: it is not this file")
                watcher.at(stream.tell())
    except (requests.RequestException, ValueError) as error:  # ValueError: a redirection to what is no address
        raise Unavailable(_reason(error)) from None


def _reason(error: Exception) -> str:
    """An error of the network in a line: the answer's status, or the cause at the bottom."""
    from requests import HTTPError, Timeout

    if isinstance(error, HTTPError) and error.response is not None:
        return printable(f"HTTP {error.response.status_code} {error.response.reason}").rstrip()
    if isinstance(error, Timeout):
        return "no answer in time"
    cause: BaseException = error
    while cause.__context__:
        cause = cause.__context__
    return printable(getattr(cause, "strerror", None) or str(cause))


def printable(text: str) -> str:
    """What a server said, fit for a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]


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
