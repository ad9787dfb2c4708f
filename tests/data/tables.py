"""Tables for tests."""

from typing import Any

import numpy as np
import polars as pl

from nnctl.data.columns import Column, fit_column, kinds_of
from nnctl.data.spec import Preprocess
from nnctl.data.tables import Table, table_of
from nnctl.engine.parameters import Array


def table(**columns: Any) -> Table:
    return table_of(pl.DataFrame(columns, strict=False), "t.csv")


def fitted(train: Table, name: str, kind: Any = None, limit: int = 1000, **options: Any) -> Column:
    kind = kind or kinds_of(train, [name], {})[name]
    return fit_column(train, name, kind, Preprocess(**options).options(name), limit)


def encoded(column: Column, data: Table, dtype: type[Any] = np.float64, unseen: str | None = None) -> Array:
    out = np.empty((len(data), len(column.outputs)), dtype)
    column.encode(data, out, unseen=unseen)
    return out
