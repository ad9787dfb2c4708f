"""How one column becomes numbers: fitted on training rows, then frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.data.calendar import DateColumn, fit_date
from nnctl.data.dates import as_dates, date_kind, readings
from nnctl.data.filling import filling, indicator_name, refuse_missing_cells
from nnctl.data.preprocess import DATE_KINDS, LOGARITHMIC, ColumnOptions, Kind, Logarithm
from nnctl.data.scaling import antilogarithm, centre_and_scale, logarithm
from nnctl.data.tables import (
    MEANING,
    YES_AND_NO,
    Table,
    as_labels,
    as_numbers,
    in_order,
    numbers_of,
    numeric_columns,
)
from nnctl.data.watching import CategoryWatch, NumberWatch, Seen
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.names import unknown
from nnctl.spec import Listed, Reticent, Spec

if TYPE_CHECKING:
    import polars as pl


class NumericColumn(Reticent):
    """z = (x - centre) / scale; a missing x is `fill` first. With a logarithm, x is ln x or ln(1 + x)."""

    unsaid: ClassVar[tuple[str, ...]] = ("logarithm",)

    kind: Literal["numeric"] = "numeric"
    name: str
    centre: float
    scale: float
    fill: float | None
    indicator: bool
    seen: Seen | None = None
    logarithm: Logarithm | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the network's inputs this column makes."""
        return (self.name, *indicator_name(self.name, on=self.indicator))

    def watch(self) -> NumberWatch | None:
        """What new data are held against; None for a model file that does not say what training had."""
        return None if self.seen is None else NumberWatch(self.name, self.seen)

    def encode(self, table: Table, out: Array, *, unseen: str | None) -> None:
        """Write the column's inputs into `out` (n, len(outputs))."""
        x = numbers_learned(table, self.name, self.logarithm)
        missing = np.isnan(x)
        refuse_missing_cells(table, self.name, missing, self.fill)
        if self.fill is not None:
            x = np.where(missing, self.fill, x)
        with np.errstate(over="ignore"):
            out[:, 0] = (x - self.centre) / self.scale
        if not np.isfinite(out[:, 0]).all():
            row = int(np.flatnonzero(~np.isfinite(out[:, 0]))[0])
            raise DataError(f"{table.place(row)}: column {self.name!r} holds {x[row]!r}, too large for {out.dtype}")
        if self.indicator:
            out[:, 1] = missing


class CategoricalColumn(Spec):
    """A 0/1 column for each category, or the category's number; a missing value is `fill` first."""

    kind: Literal["categorical"] = "categorical"
    name: str
    categories: Annotated[tuple[str, ...], Listed]
    code: Literal["one_hot", "ordinal"]
    unseen: Literal["error", "other"]
    fill: str | None
    indicator: bool
    seen: Seen | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the network's inputs this column makes."""
        hot = tuple(f"{self.name}={category}" for category in self.categories)
        return (*(hot if self.code == "one_hot" else (self.name,)), *indicator_name(self.name, on=self.indicator))

    def watch(self) -> CategoryWatch | None:
        """What new data are held against; None for a model file that does not say what training had."""
        return None if self.seen is None else CategoryWatch(self.name, self.seen, self.categories)

    def encode(self, table: Table, out: Array, *, unseen: str | None) -> None:
        """Write the column's inputs into `out` (n, len(outputs)); `unseen` beats the column's own."""
        labels = as_labels(table[self.name])
        missing = labels.is_null().to_numpy()
        # A column without any value in training has no category to be filled with.
        refuse_missing_cells(table, self.name, missing, self.fill if self.categories else "")
        codes = codes_of(labels if self.fill is None else labels.fill_null(self.fill), self.categories)
        new = (codes < 0) & ~missing
        if new.any() and (unseen or self.unseen) == "error":
            row = int(np.flatnonzero(new)[0])
            raise DataError(f"{table.place(row)}: column {self.name!r} " + _unseen(labels[row], self.categories))
        if self.code == "one_hot":
            out[:, : len(self.categories)] = codes[:, None] == np.arange(len(self.categories))
        else:
            out[:, 0] = codes
        if self.indicator:
            out[:, -1] = missing


Column = Annotated[NumericColumn | CategoricalColumn | DateColumn, Field(discriminator="kind")]


def kinds_of(table: Table, names: Sequence[str], overrides: Mapping[str, Kind]) -> dict[str, Kind]:
    """Numeric where every value is a number, dates where every value is one in the same order, unless told otherwise.

    Raises:
        ConfigError: where the order of dates is to be seen, and cannot.
    """
    numeric = numeric_columns(table.frame.select(names), table.notation)
    kinds: dict[str, Kind] = {}
    for name in names:
        said: Kind | None = overrides.get(name, "numeric" if name in numeric else None)
        kinds[name] = date_kind(table[name], said) or said or "categorical"
        if said == "date" and len(orders := readings(table[name])) > 1:
            raise ConfigError(
                f"data.types.{name}: is date, and {table[name].drop_nulls()[0]!r} may have the day or the month first; "
                f"write {' or '.join(orders)}"
            )
    return kinds


def typed(table: Table, kinds: Mapping[str, Kind]) -> Table:
    """The table with some columns as numbers, labels or dates, each read once and all numbers in one go.

    A column of numbers or dates that holds something else is left as it is: whoever reads it says where.
    """
    numeric = [name for name, kind in kinds.items() if kind == "numeric"]
    raw = table.frame.select(numeric)
    numbers, types = numbers_of(raw, table.notation), raw.schema
    nulls, before = numbers.null_count().row(0, named=True), raw.null_count().row(0, named=True)
    clean = [n for n in numeric if types[n].is_float() or nulls[n] == before[n]]
    labels = [as_labels(table[name]) for name, kind in kinds.items() if kind == "categorical"]
    dates = [as_dates(table[name], kind) for name, kind in kinds.items() if kind in DATE_KINDS]
    dates = [each for each in dates if each.null_count() == table[each.name].null_count()]
    return replace(table, frame=table.frame.with_columns([*numbers.select(clean), *labels, *dates]))


def fit_column(
    table: Table, name: str, kind: Kind, options: ColumnOptions, limit: int
) -> NumericColumn | CategoricalColumn | DateColumn:
    """Choose centre, scale, categories and filling from training rows.

    Raises:
        DataError: where a value does not fit the kind, is missing and must not be, or there are more
            categories than `limit` to be made columns of.
    """
    if kind != "numeric" and options.numeric in LOGARITHMIC:
        raise ConfigError(
            f"data.preprocess.columns.{name}.numeric: is {options.numeric}, and the column is {kind}; take one of the "
            f"two out, or write data.types: {{{name}: numeric}}"
        )
    if kind in DATE_KINDS:
        return fit_date(table, name, kind, options)
    fit = _fit_numeric if kind == "numeric" else _fit_categorical
    column = fit(table, name, options)
    if isinstance(column, CategoricalColumn) and column.code == "one_hot" and len(column.categories) > limit:
        raise DataError(
            f"{table.name}: column {name!r} has {len(column.categories)} different values, more than the {limit} "
            f"that one_hot makes columns of; add it to data.exclude, write "
            f"data.preprocess.columns: {{{name}: {{categorical: ordinal}}}}, or raise data.preprocess.max_categories"
        )
    return column


def _fit_numeric(table: Table, name: str, options: ColumnOptions) -> NumericColumn:
    kind = next((each for each in LOGARITHMIC if each == options.numeric), None)
    x = numbers_learned(table, name, kind)
    missing = np.isnan(x)
    present = x[~missing]
    fill = filling(present, options.missing) if options.missing != "error" else None
    refuse_missing_cells(table, name, missing, fill)
    # The filled column is what the network sees, so its statistics are the ones that count.
    filled = present if fill is None else np.where(missing, fill, x)
    method = "standardize" if kind or options.numeric in ("auto", "scale") else str(options.numeric)
    centre, scale = centre_and_scale(filled, method)
    return NumericColumn(
        name=name,
        centre=centre,
        scale=scale,
        fill=fill,
        indicator=options.missing == "indicator" and bool(missing.any()),
        logarithm=kind,
        seen=Seen(
            rows=len(x),
            missing=int(missing.sum()),
            low=float(antilogarithm(present.min(), kind)) if len(present) else None,
            high=float(antilogarithm(present.max(), kind)) if len(present) else None,
        ),
    )


def _fit_categorical(table: Table, name: str, options: ColumnOptions) -> CategoricalColumn:
    labels = as_labels(table[name])
    missing = labels.is_null().to_numpy()
    categories = in_order(labels.drop_nulls().unique().to_list())
    counts = np.bincount(codes_of(labels.drop_nulls(), categories), minlength=len(categories))
    fill = None if options.missing == "error" or not categories else categories[int(counts.argmax())]
    if options.missing == "error":
        refuse_missing_cells(table, name, missing, None)
    return CategoricalColumn(
        name=name,
        categories=tuple(categories),
        code=options.categorical or "one_hot",
        unseen=options.unseen or "error",
        fill=fill,
        indicator=options.missing == "indicator" and bool(missing.any()),
        seen=Seen(rows=len(labels), missing=int(missing.sum())),
    )


def finite_numbers(table: Table, name: str) -> Array:
    """A column as float64 (n,), missing values as NaN.

    Raises:
        DataError: where a value is not a number, or not finite.
    """
    series = table[name]
    numbers = series if series.dtype.is_float() else as_numbers(series, table.notation)
    values: Array = numbers.to_numpy().astype(np.float64)  # null becomes NaN
    wrong = np.isinf(values)
    if not series.dtype.is_float():
        wrong |= np.isnan(values) & series.is_not_null().to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{table.place(row)}: column {name!r} is numeric and holds {series[row]!r}; "
            "correct it, or list it in the source's `missing`, or write data.types: {" + name + ": categorical}"
        )
    return values


def numbers_learned(table: Table, name: str, kind: Logarithm | None) -> Array:
    """A column as float64 (n,), or its logarithms, missing values as NaN.

    Raises:
        DataError: where a value is not a number, or has no logarithm.
    """
    x = finite_numbers(table, name)
    refuse_without_logarithm(table, name, x, kind)
    return logarithm(x, kind)


def refuse_without_logarithm(table: Table, name: str, x: Array, kind: Logarithm | None, what: str = "column") -> None:
    """Check that every number of a column (n,) that is there has a logarithm of a kind.

    Raises:
        DataError: with the first that has not.
    """
    wrong = ~np.isfinite(logarithm(x, kind)) & ~np.isnan(x)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        key = "data.preprocess.target" if what == "target" else f"data.preprocess.columns.{name}.numeric"
        of = "0" if x[row] == 0 else "a negative number"
        remedy = "log1p, which takes numbers from 0" if np.nanmin(x) >= 0 else "standardize"
        raise DataError(
            f"{table.place(row)}: {what} {name!r} is {table[name][row]!r}, and {of} has no logarithm "
            f"({key} is {kind}); correct it, or write {remedy}"
        )


def codes_of(labels: pl.Series, categories: tuple[str, ...] | list[str]) -> Array:
    """The place of each label among the categories (n,); -1 for others and for missing ones.

    Where the categories are a pair that says yes and no, such as `true` and `false`, so do other such pairs.
    """
    import polars as pl

    places = {category: place for place, category in enumerate(categories)}
    if {category.lower() for category in categories} in map(set, YES_AND_NO):
        own = {MEANING[category.lower()]: place for category, place in places.items()}
        new = labels.drop_nulls().unique().to_list()
        places |= {w: own[MEANING[w.lower()]] for w in new if w not in places and w.lower() in MEANING}
    codes = labels.replace_strict(list(places), list(places.values()), default=-1, return_dtype=pl.Int64)
    return codes.fill_null(-1).to_numpy()


def _unseen(label: str, categories: tuple[str, ...]) -> str:
    had = unknown("category", label, categories)
    return f"holds {label!r}, and training had {had}; `data.preprocess.unseen: other` lets new categories in"
