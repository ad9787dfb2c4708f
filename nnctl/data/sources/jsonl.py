"""JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.data.sources.files import opened
from nnctl.data.sources.written import Accounting, Decimal, Missing, Thousands, Units, Written
from nnctl.data.tables import Table, column_of
from nnctl.errors import DataError

if TYPE_CHECKING:
    import polars as pl


#: More digits are beyond what 64 bits of floating point hold.
MOST_DIGITS = 308


class JsonLines(Written):
    """JSON lines: one object a line, `{"age": 31, "job": "baker"}`, encoded in UTF-8.

    Columns are all keys there are; a key that an object lacks, null and NaN are missing values. A list of numbers,
    or of lists of numbers, is a sequence, which an input of type `sequence` reads. Gzip is unpacked.

    ```yaml
    {type: jsonl, path: measurements.jsonl}
    ```
    """

    type: Literal["jsonl"] = "jsonl"
    path: str = Field(description="The file, relative to the experiment file; gzip is unpacked; `-` is standard input.")
    missing: Missing = ()
    decimal: Decimal = "."
    thousands: Thousands = None
    accounting: Accounting = False
    units: Units = Field({})

    unsaid: ClassVar[tuple[str, ...]] = ("missing", *Written.unsaid)

    def files(self) -> tuple[str, ...]:
        return (self.path,)

    def open(self, base: Path, *, skip_malformed: bool = False) -> Table:
        for table in self._tables(base, None, skip_malformed=skip_malformed):
            return table
        raise DataError(f"{self.path}: no rows")

    def batches(
        self, base: Path, rows: int, *, skip_malformed: bool = False, numbers: Collection[str] = ()
    ) -> Iterator[Table]:
        return self._tables(base, rows, skip_malformed=skip_malformed)

    def _tables(self, base: Path, rows: int | None, *, skip_malformed: bool) -> Iterator[Table]:
        import polars as pl

        malformed: list[str] = []
        objects = self._objects(base, malformed if skip_malformed else None)
        while chunk := list(islice(objects, rows)):
            names = list(dict.fromkeys(name for record, _ in chunk for name in record))
            columns = [_column([record.get(name) for record, _ in chunk], name) for name in names]
            lines = np.array([line for _, line in chunk])
            yield self.as_written(Table(pl.DataFrame(columns), self.path, lines, "line", tuple(malformed)))
            malformed.clear()

    def _objects(self, base: Path, malformed: list[str] | None) -> Iterator[tuple[dict[str, Any], int]]:
        """Each line's object with its line; malformed ones are noted, or raised where there is no list."""
        with opened(self.path, base) as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    yield _object(line), number
                except ValueError as error:
                    message = f"{self.path}, line {number}: {error}"
                    if malformed is None:
                        raise DataError(message) from None
                    malformed.append(message)


def _object(line: bytes) -> dict[str, Any]:
    """The object on a line.

    Raises:
        ValueError: where it is something else, in words.
    """
    try:
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once, parse_int=_whole)
        if b"\\ud" in line.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at character {error.colno} ({error.msg.lower()})") from None
    except UnicodeEncodeError:
        raise ValueError("half of a character: an escape from \\ud800 to \\udfff without its other half") from None
    except UnicodeDecodeError:
        raise ValueError("not text in UTF-8") from None
    except RecursionError:
        raise ValueError("nested too deeply; a row is one object of numbers, text, booleans and nulls") from None
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 - a bad value in a file, not a caller's mistake
            f'{line.decode("utf-8-sig").strip():.40} where a row is an object, such as {{"age": 31}}'
        )
    return {name: _steps(name, each) if isinstance(each, list) else each for name, each in value.items()}


def _steps(name: str, cell: list[Any]) -> list[list[float]]:
    """The steps of a sequence, one list of numbers each; a number by itself is one of a single feature.

    Raises:
        ValueError: where it holds anything else, in words.
    """
    steps = [step if isinstance(step, list) else [step] for step in cell]
    for i, step in enumerate(steps, 1):
        for each in step:
            if not isinstance(each, int | float) or isinstance(each, bool) or not abs(each) <= sys.float_info.max:
                shown = json.dumps(each)
                raise ValueError(
                    f"{name!r} holds a list with {shown:.40}; a list holds finite numbers, or lists of them, one a step"
                )
        if len(step) != len(steps[0]):
            raise ValueError(f"step {i} of {name!r} has {len(step)} numbers, and the first {len(steps[0])}")
    return [[float(each) for each in step] for step in steps]


def _column(cells: list[Any], name: str) -> pl.Series:
    """A column of what objects have at one key: lists, or what tables have else."""
    import polars as pl

    if all(isinstance(cell, list) for cell in cells if cell is not None) and any(cell is not None for cell in cells):
        return pl.Series(name, cells, pl.List(pl.List(pl.Float64)))
    return column_of(cells, name)


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits; numbers have {MOST_DIGITS} at most, or are text in quotes")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} twice in one object")
    return record
