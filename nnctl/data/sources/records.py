"""Delimited text as rows, with the line each begins on.

Python's `csv` reads everything and knows its lines; polars reads several times faster but takes short
rows as they come. So polars reads the blocks in which every row certainly has all its fields; columns that
are wanted as numbers it reads as such where every field is one or is missing.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import chain, islice
from math import isfinite
from typing import TYPE_CHECKING, TextIO

import numpy as np

from nnctl.data.notation import PLAIN, Notation
from nnctl.data.tables import Table, without_missing
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.names import listed

if TYPE_CHECKING:
    import polars as pl

#: Characters of text a block holds.
BLOCK = 1 << 22
#: Characters a field may take, roughly: decides how much text a few rows are.
FIELD = 16
#: Rows read at a time where Python's `csv` reads.
ROWS = 1 << 16


@dataclass(frozen=True)
class Format:
    """How rows are written: the settings of `Delimited`, and the file's name for messages."""

    name: str
    separator: str
    header: bool
    columns: tuple[str, ...] | None
    quote: str | None
    missing: tuple[str, ...]
    notation: Notation = PLAIN
    needed: tuple[str, ...] = ()


class Records:
    """Reads one stream from beginning to end, keeping count of lines.

    Attributes:
        line: the last line read.
        malformed: the rows skipped since the last table, each with its place.
        note: which columns were taken for which, where a file without a header has fewer than are named.
    """

    def __init__(self, form: Format, text: TextIO, numbers: Collection[str] = (), *, skip_malformed: bool) -> None:
        self.form, self.text, self.skip_malformed = form, text, skip_malformed
        self.line = 0
        self.malformed: list[str] = []
        self.note = ""
        self._first = ""  # the text of the first record
        self.names = self._names()
        # Where `-999` means missing, polars would read ` -999`, with a space, as a number.
        plain = not any(map(_is_number, form.missing))
        self.numbers = {name for name in self.names if plain and name in numbers and form.notation.is_plain(name)}

    def tables(self, rows: int | None = None) -> Iterator[Table]:
        """The file as tables of at most `rows` rows, or as large as its blocks; an empty one of a file without rows."""
        empty = True
        for read, lines in self._frames(rows):
            frame = without_missing(read, self.form.missing)
            step = rows or len(lines)
            for start in range(0, len(lines), step):
                empty = False
                yield self._table(frame[start : start + step], lines[start : start + step])
        if self.malformed or empty:
            yield self._table(_frame(self.names, []), np.zeros(0, int))

    def _table(self, frame: pl.DataFrame, lines: Array) -> Table:
        malformed, self.malformed = tuple(self.malformed), []
        return Table(frame, self.form.name, lines, "line", malformed, notation=self.form.notation, note=self.note)

    def _names(self) -> list[str]:
        """The names of the columns; leaves a first record that is data for `_frames`."""
        fields, _ = next(self._parse(self._remembered()), ([], 0))
        if not fields:
            raise DataError(f"{self.form.name}: is empty")
        if not self.form.header:
            names = list(self.form.columns or (f"column_{i}" for i in range(1, len(fields) + 1)))
            if len(names) != len(fields):
                names = self._without_others(names, len(fields))
            self.line = 0
        else:
            names = [name.strip() or f"column_{i}" for i, name in enumerate(fields, 1)]
            self._first = ""
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            hint = ", or write `header: false` if the first line is data" if _mostly_numbers(names) else ""
            names_twice = ", ".join(map(repr, repeated))
            raise DataError(
                f"{self.form.name}: more than one column is named {names_twice}; give each its own name{hint}"
            )
        return names

    def _without_others(self, names: Sequence[str], count: int) -> list[str]:
        """The names of the columns of a file without a header that has fewer: those that are needed, if they are it."""
        kept = [name for name in names if name in self.form.needed]
        others = [name for name in names if name not in kept]
        if kept and len(kept) == count:
            taken = ", ".join(f"{place} for {name}" for place, name in enumerate(kept, 1))
            self.note = (
                f"{self.form.name}: has {count} columns without names, and training had {len(names)}; taken as those "
                f"without {listed(others)}: {taken}"
            )
            return kept
        advice = (
            f"; without names it stays open which are left out: write all {len(names)}, or only the {len(kept)} that "
            f"are needed, all but {listed(others)}"
        )
        raise self._error(f"{_count(count)} where `columns` names {len(names)}{advice if kept else ''}", self.line)

    def _frames(self, rows: int | None) -> Iterator[tuple[pl.DataFrame, Array]]:
        """Frames with the line each row begins on."""
        quote = self.form.quote
        size = BLOCK if rows is None else min(BLOCK, rows * FIELD * len(self.names))
        while block := self._block(size):
            if quote is not None and quote in block:
                # From the first quote on a line may not be a row, and a block may end inside one.
                yield from self._slowly(chain(StringIO(block), self._checked()), rows)
                return
            frame = self._quickly(block)
            if frame is None:
                yield from self._slowly(StringIO(block), rows)
            else:
                yield frame, np.arange(self.line + 1, self.line + 1 + frame.height)
                self.line += frame.height

    def _block(self, size: int) -> str:
        """The next lines of text, about `size` characters; after the first record where that is data."""
        block, self._first = self._first or self.text.read(size), ""
        if block and not block.endswith("\n"):
            block += self.text.readline()
        if "\0" in block:
            raise self._zero_byte(self.line + 1 + block[: block.index("\0")].count("\n"))
        return block

    def _checked(self) -> Iterator[str]:
        for line in self.text:
            if "\0" in line:
                raise self._zero_byte(self.line + 1)
            yield line

    def _remembered(self) -> Iterator[str]:
        for line in self._checked():
            self._first += line
            yield line

    def _quickly(self, block: str) -> pl.DataFrame | None:
        """The block by polars, or None where some row may not have all its fields.

        The separators must be as many as whole rows have. polars refuses a row with too many fields,
        so none can have too few either. It needs the end of the last line to see that: without one, it takes an
        empty field too many for none.
        """
        separators, separator = len(self.names) - 1, self.form.separator
        if separators == 0 or separator == " " or not separator.isascii():
            return None
        content = block.encode() + (b"" if block.endswith("\n") else b"\n")
        lines = _occurrences("\n", content)
        if _occurrences(separator, content) != separators * lines:
            return None
        frame = self._by_polars(content, self.numbers) if self.numbers else None
        if frame is None:
            frame = self._by_polars(content, set())  # whoever reads a column finds what is no number, and says where
        return frame if frame is not None and frame.height == lines else None

    def _by_polars(self, content: bytes, numbers: set[str]) -> pl.DataFrame | None:
        """Rows as polars reads them, some columns as numbers; None where it cannot, or a number is not finite."""
        import polars as pl

        try:
            frame = pl.read_csv(
                content,
                has_header=False,
                schema={name: pl.Float64 if name in numbers else pl.String for name in self.names},
                separator=self.form.separator,
                quote_char=None,
                null_values=list(self.form.missing) if numbers else None,
            )
        except pl.exceptions.PolarsError:
            return None  # `_slowly` finds the row and says what is wrong with it
        finite = frame.select(pl.col(name).is_finite().all() for name in numbers)
        return frame if not numbers or all(finite.row(0)) else None

    def _slowly(self, lines: Iterator[str], rows: int | None) -> Iterator[tuple[pl.DataFrame, Array]]:
        """The lines by Python's `csv`, only whole rows."""
        records = self._whole(lines)
        while chunk := list(islice(records, rows or ROWS)):
            yield _frame(self.names, [fields for fields, _ in chunk]), np.array([line for _, line in chunk])

    def _whole(self, lines: Iterator[str]) -> Iterator[tuple[list[str], int]]:
        """The records that have a field for every column."""
        wanted = f"where the header has {len(self.names)}" if self.form.header else f"instead of {len(self.names)}"
        for fields, line in self._parse(lines):
            if len(fields) == len(self.names):
                yield fields, line
            else:
                self._refuse(f"{_count(len(fields))} {wanted}", line)

    def _parse(self, lines: Iterator[str]) -> Iterator[tuple[list[str], int]]:
        """Fields of each record that is not blank, with the line it begins on."""
        form, offset, last = self.form, self.line, ""

        def remembered(line: str) -> str:
            nonlocal last
            last = line
            return line

        reader = csv.reader(
            map(remembered, lines),
            delimiter=form.separator,
            quotechar=form.quote or '"',
            quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            skipinitialspace=True,
            strict=True,
        )
        while True:
            begins = self.line + 1
            try:
                fields = next(reader, None)
            except csv.Error as error:
                self.line = offset + reader.line_num
                self._refuse(_in_words(error), begins)
                continue
            self.line = offset + reader.line_num
            if fields is None:
                return
            if len(fields) > 1 or last.strip():  # in a file of one column, `""` is a missing value
                yield fields, begins

    def _refuse(self, found: str, line: int) -> None:
        """Note a malformed row, or stop at it."""
        error = self._error(found, line)
        if not self.skip_malformed:
            raise error
        self.malformed.append(str(error))

    def _error(self, found: str, line: int) -> DataError:
        return DataError(f"{self.form.name}, line {line}: {found}")

    def _zero_byte(self, line: int) -> DataError:
        return self._error("a zero byte, which text does not hold; is this a binary file, or `encoding: utf16`?", line)


def _frame(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pl.DataFrame:
    import polars as pl

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pl.DataFrame([pl.Series(n, values, pl.String) for n, values in zip(names, columns, strict=True)])


def _occurrences(character: str, content: bytes) -> int:
    """How often an ASCII character occurs; several times faster than `bytes.count` where it is often."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == ord(character)))


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _in_words(error: csv.Error) -> str:
    if "unexpected end" in str(error) or "field larger" in str(error):
        return "a quote is opened here and never closed; write `quote: null` if quotes are ordinary characters"
    return "a closing quote is followed by text; a quote inside a quoted field is doubled"


def _mostly_numbers(names: Sequence[str]) -> bool:
    return 2 * sum(name.replace(".", "", 1).lstrip("+-").isdigit() for name in names) > len(names)


def _count(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"
