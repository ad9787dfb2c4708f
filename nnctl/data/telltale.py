"""Columns that name the row rather than describe it, or that are the target in other words.

`nnctl init` leaves them out, `nnctl check` warns of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
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

#: So many rows a value has on average, at least, that says something of its label.
ROWS_A_VALUE = 5
#: What has at most this probability is no accident.
BY_CHANCE = 1e-6
#: A column that alone is right so often hardly is an ordinary feature: share of rows, or rank correlation.
NEARLY_ALWAYS = 0.99
#: So many rows, evenly spread, say whether a column is right so often.
LOOKED_AT = 2000
#: Sums are looked for among so many columns.
MOST_TERMS = 200


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
    with np.errstate(over="ignore"):  # numbers farther apart than the largest are not as near as lines
        if (np.diff(values) == np.diff(lines)).all():
            return True
    whole_and_different = (values == np.round(values)).all() and len(np.unique(values)) == len(values)
    gapless = values.max() == values.min() + (len(values) - 1)
    return bool(whole_and_different and (gapless or NUMBER_OF_ROW.fullmatch(name)))


def determines(values: pl.Series, labels: pl.Series) -> bool:
    """Whether each value goes with one label, and not by chance, nor because rows are there several times.

    Were labels, with shares p_c, dealt out at random to the n_v rows of each value v, all rows of each value would
    have the same with probability

        P = prod_v sum_c p_c^n_v
    """
    import polars as pl

    pairs = pl.DataFrame([values.alias("value"), labels.alias("label")]).group_by("value", "label").len()
    if labels.n_unique() < 2 or len(pairs) != values.n_unique() or ROWS_A_VALUE * len(pairs) > len(labels):
        return False
    p = np.sort(labels.value_counts()["count"].to_numpy() / len(labels))
    n, times = np.unique(pairs["len"].to_numpy(), return_counts=True)
    within = ((p / p[-1]) ** n[:, None]).sum(axis=1)  # the largest share is taken out, as its powers underflow
    return bool(times @ (n * np.log(p[-1]) + np.log(within)) < np.log(BY_CHANCE))


def cut(x: Array, codes: Array) -> float:
    """The share of rows whose class follows from one number, cut once between each two neighbouring classes.

    Args:
        x: the number, (rows,).
        codes: the classes, (rows,).
    """
    classes = sorted(np.unique(codes), key=lambda c: float(np.median(x[codes == c])))
    cuts = []
    for low, high in pairwise(classes):
        both = np.isin(codes, (low, high))
        values, place = np.unique(x[both], return_inverse=True)
        below = np.bincount(place, weights=codes[both] == low).cumsum()
        above = np.bincount(place, weights=codes[both] == high)
        cuts.append(values[np.argmax(below + above.sum() - above.cumsum())])
    order = np.array(classes)
    return float((order[np.searchsorted(np.maximum.accumulate(cuts), x)] == codes).mean())


def rank_correlation(x: Array, y: Array) -> float:
    """Spearman's coefficient of numbers (rows,), which is 1 or -1 where one is a monotone function of the other."""
    import polars as pl

    a, b = (pl.Series(each).rank().to_numpy() for each in (x, y))
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def is_linear(x: Array, y: Array) -> bool:
    """Whether a straight line through x (rows,) goes through every y (rows,)."""
    x, y = within_one(x), within_one(y)
    z = (x - x.mean()) / (x.std() or 1.0)
    return bool(abs(float(z @ (y - y.mean())) / (len(y) * (float(y.std()) or 1.0))) > 1 - 1e-12)


def terms(y: Array, columns: Mapping[str, Array]) -> dict[str, int]:
    """The columns whose sum a number is, each with its sign; none where it is not the sum of two or more.

    Args:
        y: (rows,).
        columns: (rows,) each; rows in which a number is missing (NaN) are passed over.
    """
    x = np.column_stack([*columns.values(), y]) if columns else np.empty((0, 1))
    x = x[np.isfinite(x).all(axis=1)]
    step = max(1, len(x) // (LOOKED_AT + 2 * len(columns)))
    x = x[::step]
    if len(columns) < 2 or len(columns) > MOST_TERMS or len(x) <= len(columns) + FEW_ROWS:
        return {}
    x = within_one(x)  # sums are the same, and squares of 1e300 do not overflow
    scale = np.linalg.norm(x, axis=0)
    scale[scale == 0] = 1.0
    a, b = x[:, :-1] / scale[:-1], x[:, -1] / scale[-1]
    weights = np.linalg.lstsq(a, b, rcond=None)[0] * scale[-1] / scale[:-1]
    signs = np.round(weights).astype(int)
    exact = np.abs(x[:, :-1] @ signs - x[:, -1]).max() <= 1e-9 * np.abs(x).max()
    if not exact or np.abs(signs).max() > 1 or np.abs(signs).sum() < 2:
        return {}
    return {name: int(sign) for name, sign in zip(columns, signs, strict=True) if sign}


def sum_text(signs: Mapping[str, int]) -> str:
    """A sum of columns as it is written: `a + b - c`."""
    first, *rest = sorted(signs, key=lambda name: -signs[name])
    text = "".join(f" {'+' if signs[name] > 0 else '-'} {name}" for name in rest)
    return f"{'' if signs[first] > 0 else '-'}{first}{text}"


def within_one(x: Array) -> Array:
    """Numbers over the largest of them: a correlation is the same, and squares of 1e300 do not overflow."""
    scaled: Array = x / (np.abs(x).max(initial=0.0) or 1.0)
    return scaled
