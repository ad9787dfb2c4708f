"""CSV and TSV."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, field_validator, model_validator

from nnctl.data.sources.files import STDIN, opened, resolve
from nnctl.data.sources.records import Format, Records
from nnctl.data.sources.written import Accounting, Decimal, Thousands, Units, Written
from nnctl.data.tables import MISSING, Table
from nnctl.errors import DataError
from nnctl.spec import Listed

PATH = "The file, relative to the experiment file; gzip is unpacked; `-` is standard input."


class Delimited(Written):
    """Text with one row a line and fields between separators."""

    path: str = Field(description=PATH)
    separator: str = Field(",", min_length=1, max_length=1, description="The character between fields.")
    header: bool = Field(True, description="Whether the first line holds the names of the columns.")
    columns: Annotated[tuple[str, ...], Listed] | None = Field(
        None, description="Names of the columns of a file without header; left out, column_1, column_2, ..."
    )
    quote: str | None = Field(
        '"', min_length=1, max_length=1, description="The character around fields that hold separators; null: none."
    )
    missing: Annotated[tuple[str, ...], Listed] = Field(
        MISSING, description="Fields that mean a missing value; an empty field always does."
    )
    encoding: str = Field("utf8", description="How text is written in bytes, such as utf8, latin1 or utf16.")
    decimal: Decimal = "."
    thousands: Thousands = None
    accounting: Accounting = False
    units: Units = Field({})

    _needed: tuple[str, ...] = PrivateAttr(())

    def needing(self, columns: Iterable[str]) -> Self:
        source = self.model_copy()
        source._needed = tuple(columns)
        return source

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError(f"{encoding!r} is not an encoding; utf8, latin1, cp1252 and utf16 are some") from None
        return encoding

    @model_validator(mode="after")
    def _header_or_columns(self) -> Delimited:
        if self.header and self.columns is not None:
            raise ValueError("`columns` names the columns of a file without a header; write `header: false` beside it")
        if self.separator == self.quote:
            raise ValueError(f"separator and quote are both {self.quote!r}; write `quote: null` if fields have none")
        if self.quote is None and self.separator in (self.decimal, self.thousands):
            raise ValueError(
                f"separator is {self.separator!r}, and numbers are written with it, which no field without a `quote` "
                "can hold; write the separator of the file"
            )
        return self

    def files(self) -> tuple[str, ...]:
        return (self.path,)

    def open(self, base: Path, *, skip_malformed: bool = False) -> Table:
        import polars as pl

        tables = list(self._tables(base, None, (), skip_malformed=skip_malformed))
        table = Table(
            pl.concat([t.frame for t in tables]) if tables else pl.DataFrame(),
            self.path,
            np.concatenate([t.lines for t in tables]) if tables else np.zeros(0, int),
            "line",
            tuple(m for t in tables for m in t.malformed),
            notation=self.notation,
            note=tables[0].note if tables else "",
        )
        if not len(table):
            raise DataError(f"{self.path}: no rows" + (" after the header" if self.header else ""))
        return table

    def batches(
        self, base: Path, rows: int, *, skip_malformed: bool = False, numbers: Collection[str] = ()
    ) -> Iterator[Table]:
        return self._tables(base, rows, numbers, skip_malformed=skip_malformed)

    def _tables(
        self, base: Path, rows: int | None, numbers: Collection[str], *, skip_malformed: bool
    ) -> Iterator[Table]:
        form = Format(
            self.path, self.separator, self.header, self.columns, self.quote, self.missing, self.notation, self._needed
        )
        encoding = "utf-8-sig" if codecs.lookup(self.encoding).name == "utf-8" else self.encoding
        with opened(self.path, base) as stream:
            text = TextIOWrapper(stream, encoding=encoding)
            try:
                yield from Records(form, text, numbers, skip_malformed=skip_malformed).tables(rows)
            except UnicodeError:
                raise DataError(self._not_text(base, encoding)) from None
            finally:
                text.detach()

    def _not_text(self, base: Path, encoding: str) -> str:
        again = self.path != STDIN and resolve(self.path, base).is_file()  # a pipe is read once
        place = self.path if not again else f"{self.path}{self._first_undecodable(base, encoding)}"
        return f"{place}: is not text in {self.encoding}; if it is text, write its `encoding`, such as latin1 or utf16"

    def _first_undecodable(self, base: Path, encoding: str) -> str:
        with opened(self.path, base) as stream:
            for number, line in enumerate(stream, 1):
                try:
                    line.decode(encoding)
                except UnicodeError:
                    return f", line {number}"
        return ""


class Csv(Delimited):
    """Comma-separated values.

    Spaces around fields are dropped, blank lines skipped. As RFC 4180 has it, a quoted field may hold
    separators, line ends and doubled quotes. Every row has as many fields as the header: any other is
    malformed. A column without a name is called column_N after its place.

    ```yaml
    {type: csv, path: measurements.csv, separator: ";", missing: ["NA", "-999"]}
    ```
    """

    type: Literal["csv"] = "csv"


class Tsv(Delimited):
    """Tab-separated values: as csv, but that quotes are characters like any other.

    The format (IANA text/tab-separated-values) has no quoting; write `quote: '"'` for a file that has.

    ```yaml
    {type: tsv, path: messages.tsv.gz, header: false, columns: [label, text]}
    ```
    """

    type: Literal["tsv"] = "tsv"
    separator: str = Field("\t", min_length=1, max_length=1, description="The character between fields.")
    quote: str | None = Field(
        None, min_length=1, max_length=1, description="The character around fields that hold separators; null: none."
    )
