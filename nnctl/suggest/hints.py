"""What may be wanted and is not done unasked: logarithms of what is skewed, splits by time and by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnctl.data.preprocess import Logarithm
from nnctl.data.scaling import logarithm, spread
from nnctl.data.tables import Table
from nnctl.engine.parameters import Array
from nnctl.suggest.columns import Candidate, is_nested
from nnctl.suggest.commented import Off

#: Logarithms are worth a thought from here on: an exponential distribution has a skewness of 2.
SKEWED = 2.0
#: A group has so many rows on average, and there are so many groups.
ROWS_A_GROUP = 2
FEWEST_GROUPS = 20


def skewness(x: Array) -> float:
    """The mean cube of standardized numbers (n,): 0 of what is symmetric; 0 of a constant."""
    mean, deviation = spread(x)
    return float((((x - mean) / (deviation or 1.0)) ** 3).mean())


def skewed(x: Array) -> tuple[Logarithm, str] | None:
    """The logarithm that takes away at least half of the skewness of numbers (n,), with both figures."""
    if not len(x) or x.min() < 0 or not np.isfinite(x).all():
        return None
    kind: Logarithm = "log" if x.min() > 0 else "log1p"
    before, after = skewness(x), skewness(logarithm(x, kind))
    if before <= SKEWED or abs(after) > before / 2:
        return None
    return kind, f"skewness {before:.1f}, of the logarithms {after:.1f}"


def logarithm_of_target(x: Array) -> dict[str, Off]:
    """The key of `preprocess` for a target of numbers (n,)."""
    if (of := skewed(x)) is None:
        return {}
    kind, figures = of
    return {
        "target": Off(kind, f"{figures}: if an error of a tenth is as bad for small as for large ones, take the # away")
    }


def logarithms_of_columns(numbers: dict[str, Array]) -> dict[str, Off]:
    """The key of `preprocess` for columns of numbers, by name."""
    of = {name: found for name, x in numbers.items() if (found := skewed(x))}
    if not of:
        return {}
    figures = "; ".join(f"{name!r:.40} has {text}" for name, (_, text) in of.items())
    return {"columns": Off({name: {"numeric": kind} for name, (kind, _) in of.items()}, figures)}


def split_by(table: Table, names: Sequence[str]) -> dict[str, Any]:
    """The keys of `split` where a column holds dates, or names what several rows are of."""
    columns = [Candidate(table[name], table.lines) for name in names if not is_nested(table[name])]
    if dated := next((c for c in columns if c.date and c.distinct > FEWEST_GROUPS), None):
        why = "rows are dated: to measure the model on what comes after all it learned from, take the # away"
        return _off("time", dated.series.name, why)
    if shared := next((c for c in columns if _names_groups(c)), None):
        rows = f"{shared.distinct} values of {shared.series.name!r} have {len(shared.present)} rows"
        why = f"{rows}: to measure the model on ones it has never met, take the # away"
        return _off("group", shared.series.name, why)
    return {}


def _names_groups(c: Candidate) -> bool:
    named = c.code or not c.numeric
    return named and not c.date and FEWEST_GROUPS < c.distinct <= len(c.present) / ROWS_A_GROUP


def _off(by: str, column: str, why: str) -> dict[str, Any]:
    return {"by": Off(by, f"{why}, and write stratify: false if it is there"), "column": Off(column, "")}
