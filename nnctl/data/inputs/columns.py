"""Columns of a table, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field

from nnctl.data.columns import Column, NumericColumn, fit_column, typed
from nnctl.data.inputs.base import Feed, FittedInput, Input, table_of
from nnctl.data.preprocess import Kind, Preprocess
from nnctl.data.report import Problem, column_problems, unseen_problems
from nnctl.data.scaling import antilogarithm
from nnctl.data.sources import Arrays
from nnctl.data.tables import Table
from nnctl.data.targets import Truth
from nnctl.data.watching import ColumnsWatch
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError, DataError
from nnctl.spec import Listed


class Columns(Input):
    """Columns of a table, side by side: numbers, and a 0/1 input for each category.

    `data.types` and `data.preprocess` say how each column becomes numbers. It is the kind that needs no `type`.

    ```yaml
    facts: {columns: [year, mileage, region]}
    ```
    """

    type: Literal["columns"] = "columns"
    columns: Annotated[tuple[str, ...], Listed, Field(min_length=1)] = Field(description="The columns, in this order.")

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        return {"columns": self.columns}

    @property
    def features(self) -> tuple[str, ...]:
        return self.columns

    def read(self, data: Table | Arrays, left_out: dict[int, str] | None = None) -> Table:
        if isinstance(data, Table):
            data.require(self.columns)
            return data
        raise ConfigError(f"names columns, and {data.name} is an array, which has none")

    def fitted(self, values: Table, rows: Array, prepare: Preprocess, kinds: Mapping[str, Kind]) -> FittedColumns:
        train, limit = values.take(rows), prepare.max_categories
        columns = tuple(fit_column(train, name, kinds[name], prepare.options(name), limit) for name in self.columns)
        fitted = FittedColumns(columns=columns)
        if not fitted.names:
            raise DataError(
                f"{values.name}: {', '.join(self.columns)} has no value in any training row, so that nothing is left "
                "to learn from; name other columns"
            )
        return fitted


class FittedColumns(FittedInput):
    """Inputs (n, d) from the columns of a table, in any order; columns it does not know are ignored."""

    type: Literal["columns"] = "columns"
    columns: Annotated[tuple[Column, ...], Listed]

    @property
    def shape(self) -> Shape:
        return (len(self.names),)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(output for column in self.columns for output in column.outputs)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def numeric(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.kind == "numeric")

    def read(self, data: Table | Arrays) -> Table:
        table = table_of(data)
        table.require(self.reads)
        schema = table.frame.schema
        return typed(table, {c.name: c.kind for c in self.columns if not schema[c.name].is_float()})

    def feed(self, values: Table, rows: Array, dtype: DTypeLike, unseen: Literal["other"] | None = None) -> Feed:
        """All of them encoded: tables fit into memory."""
        return Feed(self, self.encoded(values if len(rows) == len(values) else values.take(rows), dtype, unseen))

    def encode(self, values: Table, rows: slice, dtype: DTypeLike) -> Array:
        indices = np.arange(len(values))[rows]
        return self.encoded(values if len(indices) == len(values) else values.take(indices), dtype)

    def encoded(self, table: Table, dtype: DTypeLike, unseen: Literal["other"] | None = None) -> Array:
        """Rows of a table as inputs (n, d); `unseen` beats what the columns say of new categories."""
        x = np.empty((len(table), *self.shape), dtype)
        start = 0
        for column in self.columns:
            stop = start + len(column.outputs)
            column.encode(table, x[:, start:stop], unseen=unseen)
            start = stop
        return x

    def transform(self, values: Array, dtype: DTypeLike) -> Array:
        return values.astype(dtype, copy=False)

    def undone(self, z: Array) -> Array:
        """Of numbers; a column of categories has no other."""
        raw, start = z.copy(), 0
        for column in self.columns:
            if isinstance(column, NumericColumn):
                raw[:, start] = antilogarithm(z[:, start] * column.scale + column.centre, column.logarithm)
            start += len(column.outputs)
        return raw

    def missing(self, values: Table) -> dict[str, int]:
        counts = values.frame.select(self.reads).null_count().row(0)
        return {name: n for name, n in zip(self.reads, counts, strict=True) if n}

    def watch(self) -> ColumnsWatch:
        watches = [column.watch() for column in self.columns]
        return ColumnsWatch([watch for watch in watches if watch is not None])

    def problems(self, values: Table, rows: Array, truths: Sequence[Truth]) -> list[Problem]:
        return column_problems(values.take(rows), self.columns, truths)

    def unseen(self, values: Table, rows: Array, split: str) -> list[Problem]:
        return unseen_problems(values.take(rows), split, self.columns)

    def hashes(self, values: Table, rows: Array) -> Array:
        hashes: Any = values.take(rows).frame.select(self.reads).hash_rows()
        return np.asarray(hashes.to_numpy())
