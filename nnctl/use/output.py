"""Frames to files, some rows at a time: CSV, JSON lines, Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from nnctl.errors import ConfigError, DataError

if TYPE_CHECKING:
    import polars as pl


class Format(StrEnum):
    """The formats of output."""

    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


SUFFIXES = {".csv": Format.csv, ".jsonl": Format.jsonl, ".ndjson": Format.jsonl, ".parquet": Format.parquet}


def format_of(path: Path) -> Format:
    """The format a file's ending means.

    Raises:
        ConfigError: where it means none.
    """
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise ConfigError(f"--output {path}: the ending says no format; {', '.join(SUFFIXES)} do, or add --format")
    return form


def write_frames(frames: Iterable[pl.DataFrame], form: Format, stream: IO[bytes]) -> None:
    """Write frames of equal columns, at least one, each as soon as it is there."""
    if form == Format.parquet:
        _write_parquet(iter(frames), stream)
        return
    for number, frame in enumerate(frames):
        text = BytesIO()
        if form == Format.csv:
            lists = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
            if lists:
                raise ConfigError(f"CSV has no place for the lists of column {lists[0]!r}; write jsonl or parquet")
            frame.write_csv(text, include_header=number == 0)
        else:
            frame.write_ndjson(text)
        stream.write(text.getbuffer())
        stream.flush()


def _write_parquet(frames: Iterator[pl.DataFrame], stream: IO[bytes]) -> None:
    """The frames as groups of rows; the first one decides the types."""
    from polars.io.plugins import register_io_source

    first = next(frames)

    def again(*_: object) -> Iterator[pl.DataFrame]:
        return (_cast(frame, first) for frame in chain([first], frames))

    register_io_source(again, schema=first.schema).sink_parquet(stream)


def _cast(frame: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """A frame with the types of the first: of JSON lines, a kept column may look different further on."""
    from polars.exceptions import PolarsError

    try:
        return frame.cast(first.schema)
    except PolarsError:
        changed = [n for n, dtype in frame.schema.items() if dtype != first.schema[n]]
        raise DataError(
            f"column {changed[0]!r} is {first.schema[changed[0]]} at first and {frame.schema[changed[0]]} further on; "
            "parquet has one type a column: write csv or jsonl"
        ) from None
