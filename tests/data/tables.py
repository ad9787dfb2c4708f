"""Tables for tests."""

import numpy as np
import polars as pl

from nnctl.data.columns import fit_column, kinds_of
from nnctl.data.spec import Preprocess
from nnctl.data.tables import Table, table_of


def table(**columns) -> Table:
    return table_of(pl.DataFrame(columns, strict=False), "t.csv")


def fitted(train: Table, name: str, kind=None, limit=1000, **options):
    kind = kind or kinds_of(train, [name], {})[name]
    return fit_column(train, name, kind, Preprocess(**options).options(name), limit)


def encoded(column, data: Table, dtype=np.float64, unseen=None):
    out = np.empty((len(data), len(column.outputs)), dtype)
    column.encode(data, out, unseen=unseen)
    return out
