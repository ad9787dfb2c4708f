"""How a column of dates becomes numbers: the parts of a calendar that differ in training, fitted and frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np

from nnctl.data.dates import seconds
from nnctl.data.filling import filling, indicator_name, refuse_missing_cells
from nnctl.data.preprocess import ColumnOptions, DateKind
from nnctl.data.scaling import centre_and_scale
from nnctl.data.tables import Table
from nnctl.engine.parameters import Array
from nnctl.spec import Listed, Spec

Part = Literal["year", "month", "weekday", "hour", "days"]
DAY = 86_400.0


def year(t: Array) -> Array:
    """The year of seconds since 1970 (n,)."""
    return _unit(t, "Y") + 1970


def month(t: Array) -> Array:
    """The month, from 0 for January."""
    return _unit(t, "M") % 12


def weekday(t: Array) -> Array:
    """The day of the week, from 0 for Monday; 1970 began on a Thursday."""
    return (np.floor(t / DAY) + 3) % 7


def hour(t: Array) -> Array:
    """The time of day in hours, with the minutes as a fraction."""
    return t % DAY / 3600


#: The parts that go round, how they are counted, and after how many they begin anew.
CYCLES: dict[Part, tuple[Callable[[Array], Array], int]] = {
    "month": (month, 12),
    "weekday": (weekday, 7),
    "hour": (hour, 24),
}


class DateColumn(Spec):
    """Parts of a date t, in seconds since 1970; a missing t is `fill` first.

        year, days:            (v - centre) / scale        v the year, or the days since `first`
        month, weekday, hour:  sin(2 pi v / n), cos(2 pi v / n)       n = 12, 7, 24

    December is then as near to January as June is to July. Parts that are the same in all of training are left out,
    such as the hour where all times are midnight. Times are those of the cells, or UTC where they have a zone.

    Attributes:
        kind: how dates are written.
        parts: what is made of them.
        first: the earliest in training, in seconds since 1970.
        centre, scale: of the year and of the days.
    """

    kind: DateKind
    name: str
    parts: Annotated[tuple[Part, ...], Listed]
    first: float
    centre: dict[Part, float]
    scale: dict[Part, float]
    fill: float | None
    indicator: bool

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the network's inputs this column makes."""
        names = [
            f"{self.name}.{part}{ending}"
            for part in self.parts
            for ending in ((".sin", ".cos") if part in CYCLES else ("",))
        ]
        return (*names, *indicator_name(self.name, on=self.indicator))

    def watch(self) -> None:
        """New dates are later than those of training, which is no news."""
        return

    def encode(self, table: Table, out: Array, *, unseen: str | None) -> None:
        """Write the column's inputs into `out` (n, len(outputs))."""
        t = seconds(table, self.name, self.kind)
        missing = np.isnan(t)
        refuse_missing_cells(table, self.name, missing, self.fill)
        if self.fill is not None:
            t = np.where(missing, self.fill, t)
        columns: list[Array] = []
        for part in self.parts:
            if part in CYCLES:
                count, period = CYCLES[part]
                angle = 2 * np.pi * count(t) / period
                columns += [np.sin(angle), np.cos(angle)]
            else:
                columns.append((_amount(part, t, self.first) - self.centre[part]) / self.scale[part])
        for place, column in enumerate([*columns, *([missing] if self.indicator else [])]):
            out[:, place] = column


def fit_date(table: Table, name: str, kind: DateKind, options: ColumnOptions) -> DateColumn:
    """Choose parts, scales and filling from training rows."""
    t = seconds(table, name, kind)
    missing = np.isnan(t)
    present = t[~missing]
    fill = None if options.missing == "error" else filling(present, options.missing)
    refuse_missing_cells(table, name, missing, fill)
    t = present if fill is None else np.where(missing, fill, t)
    first = float(present.min()) if len(present) else 0.0
    amounts: dict[Part, Array] = {part: _amount(part, t, first) for part in ("year", "days")}
    counted = amounts | {part: count(t) for part, (count, _) in CYCLES.items()}
    order: tuple[Part, ...] = ("year", "month", "weekday", "hour", "days")
    parts = tuple(part for part in order if len(np.unique(counted[part])) > 1)
    scales = {part: centre_and_scale(v, "standardize") for part, v in amounts.items() if part in parts}
    return DateColumn(
        kind=kind,
        name=name,
        parts=parts,
        first=first,
        centre={part: centre for part, (centre, _) in scales.items()},
        scale={part: scale for part, (_, scale) in scales.items()},
        fill=fill,
        indicator=options.missing == "indicator" and bool(missing.any()),
    )


def _amount(part: Part, t: Array, first: float) -> Array:
    return year(t) if part == "year" else (t - first) / DAY


def _unit(t: Array, unit: Literal["Y", "M"]) -> Array:
    """Whole years or months since 1970."""
    return np.floor(t).astype("datetime64[s]").astype(f"datetime64[{unit}]").astype(np.float64)
