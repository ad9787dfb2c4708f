"""Tables that no file holds: written in the experiment file, or generated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nnctl.data.generators import AnyGenerator, cells
from nnctl.data.sources.base import Source
from nnctl.data.sources.written import Accounting, Decimal, Missing, Thousands, Units, Written
from nnctl.data.tables import Table, column_of, table_of
from nnctl.spec import Listed


class Inline(Written):
    """Rows written in the experiment file itself; a key that a row lacks is a missing value.

    ```yaml
    {type: inline, rows: [{x1: 0, x2: 1, label: "yes"}, {x1: 1, x2: 1, label: "no"}]}
    ```
    """

    type: Literal["inline"] = "inline"
    rows: Annotated[tuple[dict[str, float | bool | str | None], ...], Listed] = Field(
        min_length=1, description="The rows, each a mapping of column to value."
    )
    missing: Missing = ()
    decimal: Decimal = "."
    thousands: Thousands = None
    accounting: Accounting = False
    units: Units = Field({})

    unsaid: ClassVar[tuple[str, ...]] = ("missing", *Written.unsaid)

    def open(self, base: Path, *, skip_malformed: bool = False) -> Table:
        import polars as pl

        names = dict.fromkeys(name for row in self.rows for name in row)
        columns = [column_of([row.get(name) for row in self.rows], name) for name in names]
        return self.as_written(table_of(pl.DataFrame(columns), "data.source.rows"))


class Generated(Source):
    """A made-up data set, from one of the generators.

    ```yaml
    {type: generated, generator: {type: moons, size: 300, noise: 0.15}}
    ```
    """

    type: Literal["generated"] = "generated"
    generator: AnyGenerator = Field(description="The recipe.")

    def open(self, base: Path, *, skip_malformed: bool = False) -> Table:
        import polars as pl

        names, columns = self.generator.generate()
        return table_of(pl.DataFrame({n: cells(columns[n]) for n in names}), f"generated {self.generator.type}")

    @model_validator(mode="after")
    def _is_a_table_alone(self) -> Self:
        if self.generator.has_files:
            kind = self.generator.type
            raise ValueError(
                f"{kind} are files beside a table; write them with `nnctl datasets make {kind} --output "
                f"FOLDER/{kind}.csv`, and {{type: csv, path: FOLDER/{kind}.csv}} here"
            )
        return self
