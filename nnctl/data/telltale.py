"""Columns that name the row rather than describe it, or that are the target in other words.

`nnctl init` leaves them out, `nnctl check` warns of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.tables import FEW_ROWS
from nnctl.engine.parameters import Array

if TYPE_CHECKING:
    import polars as pl

#: What columns of row numbers are called.
NUMBER_OF_ROW = re.compile(r"(?i:(.*[ _.-])?(id|ids|uuid|guid|index|rownames?|unnamed: 0))|.*[a-z]I[Dd]")

#: What columns of codes are called whose digits are no amount, and how codes are written that numbers would shorten.
CODE = re.compile(
    r"(?i:(.*[ _.-])?(id|ids|zip|plz|code|codes|(zip|post|postal|area|country)[ _-]?code|(hospital|phone)[ _-]?number))"
    r"|.*[a-z](ID|Id|Code)"
)
LEADING_ZERO = r"^0\d+$"


def leading_zeros(values: pl.Series) -> pl.Series:
    """Where a column of text has digits that begin with a zero, which as numbers would lose it, (rows,)."""
    import polars as pl

    return values.str.contains(LEADING_ZERO) if values.dtype == pl.String else values.is_null() & values.is_not_null()


def is_code(values: pl.Series) -> bool:
    """Whether numbers look like codes: the column is called one and they are whole, or some begin with a zero."""
    import polars as pl

    if values.dtype == pl.String and leading_zeros(values).any():
        return True
    numbers = values.cast(pl.Float64, strict=False).drop_nulls()
    return bool(CODE.fullmatch(values.name) and len(numbers) > FEW_ROWS and (numbers == numbers.round()).all())


def names_rows(distinct: int, rows: int) -> bool:
    """Whether text looks like a name given to each row: it has more different values than half the rows."""
    return rows > FEW_ROWS and 2 * distinct > rows


def numbers_rows(name: str, values: Array, lines: Array) -> bool:
    """Whether numbers look like one given to each row.

    They go up as the lines do (so rows may be left out in between), or they are whole, all different, and without a
    gap or called a number of the row. None is missing (NaN).

    Args:
        name: of the column.
        values: (rows,).
        lines: the line each row stands on; (rows,).
    """
    if len(values) <= FEW_ROWS or np.isnan(values).any():
        return False
    if (np.diff(values) == np.diff(lines)).all():
        return True
    whole_and_different = (values == np.round(values)).all() and len(np.unique(values)) == len(values)
    gapless = values.max() - values.min() == len(values) - 1
    return bool(whole_and_different and (gapless or NUMBER_OF_ROW.fullmatch(name)))


def one_to_one(values: pl.Series, labels: pl.Series) -> bool:
    """Whether each value goes with one label, and each label with one value."""
    import polars as pl

    pairs = pl.DataFrame([values.alias(" value"), labels.alias(" label")])
    return values.n_unique() == labels.n_unique() == pairs.n_unique()
