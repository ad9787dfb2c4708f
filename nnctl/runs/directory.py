"""`RunDirectory` owns every path and file format of a run."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Self, Unpack, cast

from pydantic import ValidationError

from nnctl.errors import ConfigError, DataError
from nnctl.files import append, write
from nnctl.runs.checkpoint import Checkpoints
from nnctl.runs.facts import SHAPE, RunFacts
from nnctl.training.history import UNREADABLE, EpochRow


class RunDirectory:
    """One run on disk.

    config.yaml         the resolved experiment, re-runnable
    run.json            status, stop reason, best epoch, versions, data hashes, timings
    metrics.jsonl       one object an epoch
    model.safetensors   the model
    checkpoints/        last.safetensors, previous.safetensors
    log.txt             messages with their time
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.run_json = path / "run.json"
        self.metrics = path / "metrics.jsonl"
        self.model = path / "model.safetensors"
        self.log_file = path / "log.txt"
        self.checkpoints = Checkpoints(path / "checkpoints")

    @classmethod
    def create(cls, root: Path, name: str) -> Self:
        """A new directory `root/name-0001`, numbered so that none is ever overwritten."""
        try:
            root.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ConfigError(f"--runs {root}: is or lies in a file ({error.filename}); name a folder") from None
        number = max((_number(p, name) for p in root.iterdir()), default=0)
        while True:
            number += 1
            path = root / f"{name}-{number:04d}"
            try:
                path.mkdir()
            except FileExistsError:
                continue  # another process took the number
            return cls(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing run.

        Raises:
            DataError: where the path is not a run directory.
        """
        if not path.is_dir():
            raise DataError(f"{path}: no such run directory")
        run = cls(path)
        if not run.run_json.exists() or not run.config.exists():
            raise DataError(f"{path}: not a run directory (it has no run.json and config.yaml)")
        return run

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for writing, so that two processes never train one run at once."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(f"{self.path}: another process is training this run") from None
            yield
        finally:
            os.close(descriptor)

    def write_config(self, text: str) -> None:
        write(self.config, text.encode())

    def info(self) -> RunFacts:
        """The contents of run.json."""
        try:
            content = json.loads(self.run_json.read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{self.run_json}: cannot be read ({error})") from None
        try:
            SHAPE.validate_python(content, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            place = f"{'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
            raise DataError(
                f"{self.run_json}: {place}is {first['input']!r:.40}, where a run has another kind of value "
                f"({first['msg'].lower()}); put back what was there, or train anew from {self.config.name}"
            ) from None
        return cast("RunFacts", content)

    def update(self, **facts: Unpack[RunFacts]) -> None:
        """Write facts into run.json; others stay."""
        held = self.info() if self.run_json.exists() else {}
        write(self.run_json, (json.dumps(plain({**held, **facts}), indent=2) + "\n").encode())

    def append_row(self, row: EpochRow) -> None:
        """Add an epoch's line to metrics.jsonl."""
        append(self.metrics, json.dumps(plain(row.as_json())))

    def flush_rows(self) -> None:
        """Make the lines so far durable; done before every checkpoint that counts on them."""
        if self.metrics.exists():
            with self.metrics.open("rb") as file:
                os.fsync(file.fileno())

    def rows(self) -> list[dict[str, Any]]:
        """The whole lines of metrics.jsonl; a last line cut short by a crash is left out."""
        if not self.metrics.exists():
            return []
        rows = []
        for line in self.metrics.read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except (ValueError, RecursionError):
                break
        return rows

    def keep_rows(self, epochs: Iterable[tuple[int | None, int]]) -> int:
        """Leave metrics.jsonl the lines of these epochs, those a checkpoint knows of, by trial and number.

        An epoch whose line cannot be read gets one with its number alone. Returns how many there are of these.
        """
        lines, lost = dict[tuple[int | None, int], bytes](), 0
        for line in self.metrics.read_bytes().splitlines(keepends=True) if self.metrics.exists() else []:
            with suppress(*UNREADABLE):
                row = EpochRow.of_json(json.loads(line))
                lines[row.restart, row.epoch] = line
        kept = []
        for trial, epoch in epochs:
            line = lines.get((trial, epoch), b"")
            lost += not line
            bare = {"epoch": epoch} if trial is None else {"epoch": epoch, "restart": trial}
            kept.append(line or json.dumps(bare).encode() + b"\n")
        write(self.metrics, b"".join(kept))
        return lost

    def log(self, message: str) -> None:
        """Add a line with the time to log.txt."""
        append(self.log_file, f"{datetime.now(UTC).isoformat(timespec='seconds')} {message}")


def _number(path: Path, name: str) -> int:
    tail = path.name.removeprefix(f"{name}-")
    return int(tail) if path.name != tail and tail.isdecimal() else 0


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers that are not finite become null."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
