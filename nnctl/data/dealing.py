"""Dealing rows out by chance, or by a column of times or of groups."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnctl.data.columns import finite_numbers
from nnctl.data.dates import date_kind, moment, readings, seconds
from nnctl.data.preprocess import DateKind
from nnctl.data.reading import Raw
from nnctl.data.spec import DataSpec
from nnctl.data.splitting import Parts, split, split_by_group, split_by_time
from nnctl.data.tables import Table, as_labels, numeric_columns
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError


def cut(raw: Raw, spec: DataSpec, seed: int, strata: Array | None) -> Parts:
    """The usable rows of each split, counted among themselves; `strata` is for what is split by chance.

    Raises:
        DataError: where a row has no time or group.
        ConfigError: where the column holds neither, or fewer than there are splits.
    """
    opened = raw.opened["train"]
    shares, rows = (spec.share("validation"), spec.share("test")), opened.usable
    if spec.split.column is None or not any(shares):
        return split(len(rows), *shares, seed, strata)
    if spec.split.by == "time":
        return split_by_time(_times(opened.table, spec.split.column, _kind(raw, spec))[rows], *shares)
    labels = _groups(opened.table, spec.split.column)[rows]
    return split_by_group(np.unique(labels, return_inverse=True)[1], *shares, seed)


def spans(raw: Raw, spec: DataSpec, rows: Mapping[str, Array]) -> dict[str, str]:
    """Of the rows of each split that a column decided, the first and last time, or how many groups there are."""
    table, how = raw.opened["train"].table, spec.split
    if how.column is None:
        return {}
    if how.by == "group":
        labels = _groups(table, how.column)
        return {name: f"{len(np.unique(labels[own]))} groups" for name, own in rows.items()}
    kind = _kind(raw, spec)
    times, text = _times(table, how.column, kind), moment if kind else "{:.10g}".format
    return {name: f"{text(times[own].min())} to {text(times[own].max())}" for name, own in rows.items()}


def _kind(raw: Raw, spec: DataSpec) -> DateKind | None:
    """How the times are written; None for numbers."""
    table, name = raw.opened["train"].table, str(spec.split.column)
    kind = date_kind(table[name], raw.kinds.get(name) or spec.types.get(name))
    if kind is None and not numeric_columns(table.frame.select(name), table.notation):
        orders = " or ".join(readings(table[name]))
        remedy = f"write data.types: {{{name}: {orders.replace(' or ', '}, or {' + name + ': ')}}}" if orders else ""
        what = "dates whose order is not clear" if orders else "neither dates nor numbers"
        raise ConfigError(
            f"data.split.column: {name!r} holds {what}, such as {table[name].drop_nulls()[:1].to_list()}"
            + (f"; {remedy}" if remedy else "; name a column of dates or numbers")
        )
    return kind


def _times(table: Table, name: str, kind: DateKind | None) -> Array:
    values = finite_numbers(table, name) if kind is None else seconds(table, name, kind)
    _refuse_missing(table, name, np.isnan(values), "time")
    return values


def _groups(table: Table, name: str) -> Array:
    labels = as_labels(table[name])
    _refuse_missing(table, name, labels.is_null().to_numpy(), "group")
    return np.array(labels.to_list())


def _refuse_missing(table: Table, name: str, missing: Array, what: str) -> None:
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(
            f"{table.place(row)}: has no {what} in column {name!r}, as {int(missing.sum())} of {len(table)} rows have "
            "none, and data.split deals rows out by it; fill it in, or take such rows out"
        )
