"""What a download under way looks like: a bar a file on a terminal, else a line now and then."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nnctl.cli._console import Console, animates
from nnctl.data.fetch.catalogue import File
from nnctl.data.fetch.folder import Watcher

if TYPE_CHECKING:
    from rich.progress import Progress

#: Parts of a file after each of which a line is written.
PARTS = 4


@contextmanager
def display(console: Console) -> Iterator[Watcher]:
    """The display that fits standard error."""
    if console.quiet:
        yield Watcher()
    elif not animates(sys.stderr):
        yield Lines(console)
    else:
        with _progress() as progress:
            yield Bars(console, progress)


class Lines(Watcher):
    """A line when a file is asked for, and one for every part of it."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def start(self, file: File, url: str) -> None:
        self.file, self.told = file, 0
        self.console.note(f"{file.name}: {file.size:,} bytes, from {url}")

    def at(self, done: int) -> None:
        part = done * PARTS // self.file.size
        if part > self.told:
            self.console.note(f"{self.file.name}: {100 * part // PARTS} %")
        self.told = part

    def note(self, text: str) -> None:
        self.console.note(text)


class Bars(Watcher):
    """A bar for every file."""

    def __init__(self, console: Console, progress: "Progress") -> None:
        self.console = console
        self.progress = progress
        self.task: dict[str, int] = {}

    def start(self, file: File, url: str) -> None:
        if file.name not in self.task:
            self.task[file.name] = self.progress.add_task(file.name, total=file.size)
        self.now = self.progress.tasks[self.task[file.name]].id
        self.at(0)

    def at(self, done: int) -> None:
        self.progress.update(self.now, completed=done)

    def note(self, text: str) -> None:
        self.console.note(text)


def _progress() -> "Progress":
    import rich.console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=rich.console.Console(file=sys.stderr, highlight=False),
    )
