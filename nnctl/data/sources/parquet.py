"""Parquet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nnctl.data.sources.files import STDIN, opened, resolve
from nnctl.data.sources.written import Accounting, Decimal, Missing, Thousands, Units, Written
from nnctl.data.tables import Table, table_of
from nnctl.errors import DataError

if TYPE_CHECKING:
    import polars as pl


class Parquet(Written):
    """Apache Parquet: typed columns, read in parts. Null and NaN are missing values.

    ```yaml
    {type: parquet, path: measurements.parquet}
    ```
    """

    type: Literal["parquet"] = "parquet"
    path: str = Field(description="The file, relative to the experiment file; `-` is standard input.")
    missing: Missing = ()
    decimal: Decimal = "."
    thousands: Thousands = None
    accounting: Accounting = False
    units: Units = Field({})

    unsaid: ClassVar[tuple[str, ...]] = ("missing", *Written.unsaid)

    def files(self) -> tuple[str, ...]:
        return (self.path,)

    def open(self, base: Path, *, skip_malformed: bool = False) -> Table:
        frame = self._collect(self._scan(base))
        if not frame.height:
            raise DataError(f"{self.path}: no rows")
        return self.as_written(table_of(frame, self.path))

    def batches(
        self, base: Path, rows: int, *, skip_malformed: bool = False, numbers: Collection[str] = ()
    ) -> Iterator[Table]:
        scan, start = self._scan(base), 0
        while (frame := self._collect(scan.slice(start, rows))).height or not start:
            yield self.as_written(table_of(frame, self.path, start + 1))  # an empty one of a file without rows
            start += frame.height or 1

    def _scan(self, base: Path) -> pl.LazyFrame:
        import polars as pl

        if self.path != STDIN and (file := resolve(self.path, base)).is_file():
            return pl.scan_parquet(file, glob=False)
        with opened(self.path, base) as stream:
            return pl.scan_parquet(BytesIO(stream.read()))

    def _collect(self, scan: pl.LazyFrame) -> pl.DataFrame:
        import polars as pl

        try:
            return scan.collect()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{self.path}: cannot be read as Parquet ({reason})") from None
