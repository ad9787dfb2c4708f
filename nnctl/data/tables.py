"""A table in memory, and how its values are read as numbers or as labels.

Text formats hold strings until a column's kind is known, so that `007` stays what it is where it is a
label. Two values are the same label whatever the format they came from: `1`, `1.0` and the integer 1
are `1`, `-0.0` is `0`; `True` and the boolean are `true`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.notation import PLAIN, Notation
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.names import unknown

if TYPE_CHECKING:
    import polars as pl

#: What text formats take for a missing value unless told otherwise.
MISSING = ("", "NA", "N/A", "nan", "NaN", "null", "?")
#: Pairs of words that say yes and no, in lower case.
YES_AND_NO = (("true", "false"), ("yes", "no"), ("1", "0"), ("t", "f"), ("y", "n"), ("on", "off"))
#: What each means.
MEANING = {word: 1.0 - place for pair in YES_AND_NO for place, word in enumerate(pair)}
#: Fewer rows say nothing about what a column is.
FEW_ROWS = 20


@dataclass(frozen=True)
class Table:
    """Rows of named columns, which know where they came from.

    Attributes:
        frame: the columns, missing values as null.
        name: of the file, for messages.
        lines: the line (or row, see `unit`) each row stands on, counted from 1; (rows,).
        unit: what `lines` counts.
        malformed: the rows left out because they could not be read, each with its place.
        folder: where the paths in it start.
        notation: how numbers are written in columns of text.
        note: what the user should know of how it was read.
    """

    frame: pl.DataFrame
    name: str
    lines: Array
    unit: str = "row"
    malformed: tuple[str, ...] = ()
    folder: Path = Path()
    notation: Notation = PLAIN
    note: str = ""

    def __len__(self) -> int:
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        return self.frame.columns

    def __getitem__(self, column: str) -> pl.Series:
        return self.frame[column]

    def place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.name}, {self.unit} {self.lines[row]}"

    def require(self, names: Sequence[str]) -> None:
        """Check that there are columns.

        Raises:
            DataError: naming all that are not there, each with the nearest that is.
        """
        there = set(self.columns)
        lacking = [name for name in names if name not in there]
        if not lacking:
            return
        raise DataError(f"{self.name}: has {unknown('column', lacking, self.columns)}")

    def only(self, names: Sequence[str]) -> Table:
        """The same rows of a few columns."""
        return replace(self, frame=self.frame.select(names))

    def take(self, rows: Array) -> Table:
        """Some of the rows, by index or by a boolean mask."""
        indices = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(self, frame=self.frame[indices], lines=self.lines[indices])


def table_of(frame: pl.DataFrame, name: str, first: int = 1) -> Table:
    """A table whose rows are counted from `first`."""
    return Table(frame, name, np.arange(first, first + frame.height))


def column_of(values: Sequence[object], name: str) -> pl.Series:
    """A column of parsed JSON or YAML values: numbers or booleans where all are, strings otherwise.

    Raises:
        DataError: where a value is itself a list or an object.
    """
    import polars as pl

    present = [v for v in values if v is not None]
    for value in present:
        if isinstance(value, list | dict):
            raise DataError(
                f"column {name!r} holds {value!r:.60}; a table's values are numbers, text, booleans or null"
            )
    if present and all(isinstance(v, bool) for v in present):
        return pl.Series(name, values, pl.Boolean)
    if present and all(type(v) is int and abs(v) < 2**63 for v in present):
        return pl.Series(name, values, pl.Int64)
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
        return pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64)  # type: ignore[arg-type]
    texts = [v if v is None or isinstance(v, str) else repr(v) for v in values]
    return pl.Series(name, texts, pl.String)


def without_missing(frame: pl.DataFrame, missing: Sequence[str]) -> pl.DataFrame:
    """Text columns stripped of surrounding spaces, with null for the strings that mean missing and for empty ones."""
    import polars as pl

    text = pl.col(pl.String)
    stripped = frame.with_columns(text.str.strip_chars())
    return stripped.with_columns(pl.when(~text.is_in(["", *missing])).then(text))


def as_numbers(series: pl.Series, notation: Notation = PLAIN) -> pl.Series:
    """The column as float64; null for missing values and for what is not a number.

    NaN, which binary formats hold, is a missing value too. Infinities are kept.
    """
    return numbers_of(series.to_frame(), notation)[series.name]


def numbers_of(frame: pl.DataFrame, notation: Notation = PLAIN) -> pl.DataFrame:
    """Every column as `as_numbers` has it, in one go."""
    import polars as pl

    _refuse_nested(frame)
    numbers = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype.is_temporal():
            column = pl.lit(None, pl.Float64).alias(name)
        elif dtype in (pl.Categorical, pl.Enum):
            column = column.cast(pl.String)
        elif dtype == pl.String:
            column = notation.numbers(name)
        numbers.append(column.cast(pl.Float64, strict=False).fill_nan(None))
    return frame.select(numbers)


def as_labels(series: pl.Series) -> pl.Series:
    """The column as strings, each value in its one spelling (see the module); null for missing."""
    import polars as pl

    _refuse_nested(series.to_frame())
    floats = series.fill_nan(None) if series.dtype.is_float() else series
    text = floats if floats.dtype == pl.String else floats.cast(pl.String)
    found = text.drop_nulls().unique()
    spelled = found.str.strip_chars().str.replace(r"^(-?\d+)\.0+$", "${1}").str.replace(r"^-(0+)$", "${1}")
    lower = spelled.str.to_lowercase()
    spelled = spelled.zip_with(~lower.is_in(["true", "false"]), lower)
    return text if (found == spelled).all() else text.replace(found, spelled)


def numeric_columns(frame: pl.DataFrame, notation: Notation = PLAIN) -> set[str]:
    """The columns whose values, missing ones aside, are all numbers, and which have any; booleans are labels."""
    import polars as pl

    nulls, before = (f.null_count().row(0) for f in (numbers_of(frame, notation), frame))
    numeric = set()
    for (name, dtype), missing, missing_before in zip(frame.schema.items(), nulls, before, strict=True):
        some = missing < frame.height
        all_are = dtype.is_numeric() or missing == missing_before
        if dtype != pl.Boolean and some and all_are:
            numeric.add(name)
    return numeric


def in_order(labels: Sequence[str]) -> list[str]:
    """Labels in the order of classes: by value where all are numbers, else by spelling."""
    return sorted(set(labels), key=(lambda label: (float(label), label)) if all_numbers(labels) else None)


def all_numbers(labels: Sequence[str]) -> bool:
    """Whether every label is a number, by which labels are put in order."""
    try:
        return all(float(label) is not None for label in labels)
    except ValueError:
        return False


def _refuse_nested(frame: pl.DataFrame) -> None:
    import polars as pl

    for name, dtype in frame.schema.items():
        if dtype.is_nested() or dtype.is_object() or dtype in (pl.Duration, pl.Binary):
            raise DataError(
                f"column {name!r} holds {str(dtype).lower()} values; a table's values are numbers, text or booleans "
                "(lists of numbers are an input of type `sequence`)"
            )
