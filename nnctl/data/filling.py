"""What stands in for missing values of a column."""

from __future__ import annotations

import numpy as np

from nnctl.data.tables import Table
from nnctl.engine.parameters import Array
from nnctl.errors import DataError


def filling(present: Array, method: str | None) -> float:
    """What fills the gaps between numbers (n,) that are there."""
    if not len(present):
        return 0.0  # nothing is known; the report names the column
    if method == "median":
        return float(np.median(present))
    if method == "most_frequent":
        values, counts = np.unique(present, return_counts=True)
        return float(values[counts.argmax()])
    unit = float(np.abs(present).max()) or 1.0
    return float((present / unit).mean()) * unit


def refuse_missing_cells(table: Table, name: str, missing: Array, fill: object) -> None:
    """Check that nothing is missing where nothing fills it.

    Raises:
        DataError: with the first row that has no value.
    """
    if fill is None and missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(
            f"{table.place(row)}: column {name!r} is missing (in {int(missing.sum())} of {len(missing)} rows) and "
            "data.preprocess.missing is error; mean, median, most_frequent and indicator fill it"
        )


def indicator_name(name: str, *, on: bool) -> tuple[str, ...]:
    """The name of the 0/1 input that says a value was missing, where there is one."""
    return (f"{name} is missing",) if on else ()
