"""Which columns of a table are worth learning from, and why not the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nnctl.data.appearance import guessed
from nnctl.data.dates import inferred, readings
from nnctl.data.preprocess import DateKind
from nnctl.data.tables import FEW_ROWS, Table, as_labels, as_numbers, numeric_columns, table_of
from nnctl.data.telltale import determines, is_code, is_linear, names_rows, numbers_rows, sum_text, terms
from nnctl.engine.parameters import Array
from nnctl.suggest.commented import Because
from nnctl.suggest.text import is_number

if TYPE_CHECKING:
    import polars as pl

#: A category should be met this often, on average, to be learned.
ROWS_A_CATEGORY = 10
FEW_CATEGORIES = 20
MOST_CATEGORIES = 1000
#: So much of a column must look like something for the column to be that.
NEARLY_ALL = 0.9

DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([T ]\d.*)?)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?|\d{1,2}:\d{2}(:\d.*)?"
)


@dataclass(frozen=True)
class Candidate:
    """A column that may become a feature."""

    series: pl.Series
    lines: Array

    @cached_property
    def code(self) -> bool:
        """Whether it holds numbers that are codes, not amounts."""
        return bool(numeric_columns(self.series.to_frame())) and is_code(self.series)

    @cached_property
    def numeric(self) -> bool:
        """Whether it holds numbers that are amounts."""
        return bool(numeric_columns(self.series.to_frame())) and not self.code

    @cached_property
    def date(self) -> DateKind | None:
        """How its dates are written, where it holds dates."""
        return None if is_nested(self.series) else inferred(self.series)

    @cached_property
    def present(self) -> pl.Series:
        """The values that are not missing: numbers, or labels."""
        return (as_numbers(self.series) if self.numeric else as_labels(self.series)).drop_nulls()

    @cached_property
    def distinct(self) -> int:
        return self.present.n_unique()

    def share(self, matches: Callable[[str], object]) -> float:
        """The share of the different values for which something holds."""
        values = self.present.unique().to_list()
        return sum(bool(matches(value)) for value in values) / len(values)


def left_out(table: Table, names: Sequence[str]) -> list[Because]:
    """The columns not to learn from, each with the first reason that holds."""
    found = []
    for name in names:
        candidate = Candidate(table[name], table.lines)
        reason = next((reason for rule in RULES if (reason := rule(candidate))), None)
        if reason:
            found.append(Because(name, reason))
    return found


def _nested(c: Candidate) -> str | None:
    dtype = c.series.dtype
    return (
        f"{str(dtype).lower()} values: a table's values are numbers, text or booleans" if is_nested(c.series) else None
    )


def _empty(c: Candidate) -> str | None:
    return None if len(c.present) else "no value in any row"


def _constant(c: Candidate) -> str | None:
    # Where some are missing, that they are missing may tell something.
    return f"{c.present[0]!r:.40} in every row" if c.distinct == 1 and len(c.present) == len(c.series) else None


def _temporal(c: Candidate) -> str | None:
    if c.numeric or c.date or not (c.series.dtype.is_temporal() or c.share(DATE.fullmatch) >= NEARLY_ALL):
        return None
    if len(orders := readings(c.series)) > 1:
        name = c.series.name
        return (
            f"dates with the day or the month first: write types: {{{name}: {orders[0]}}}, or {orders[1]}, to learn "
            "from them"
        )
    return "dates or times of several forms: write them in one, such as 2021-03-31 17:05, to learn from them"


def _other_notation(c: Candidate) -> str | None:
    if c.numeric or c.date or c.distinct <= FEW_CATEGORIES:
        return None
    if c.series.name not in guessed(table_of(c.series.to_frame(), ""))[1]:
        return None
    return f"numbers in another notation than the file's, such as {c.present[0]!r}: write all alike to learn from them"


def _nearly_numbers(c: Candidate) -> str | None:
    if c.numeric or c.code or c.distinct <= FEW_CATEGORIES or c.share(is_number) < NEARLY_ALL:
        return None
    other = next(v for v in c.present if not is_number(v))
    return f"numbers, but also {other!r:.40}: correct it, or list it in the source's `missing`, to learn from them"


def _numbered(c: Candidate) -> str | None:
    if (c.numeric or c.code) and numbers_rows(c.series.name, as_numbers(c.series).to_numpy(), c.lines):
        return "a number given to each row: it names the row rather than describes it"
    return None


def _text(c: Candidate) -> str | None:
    if c.numeric or c.date or not names_rows(c.distinct, len(c.present)):
        return None
    what, names = "a code" if c.code else "text", "it names the row rather than describes it"
    return f"{what} with {c.distinct} different values in {len(c.present)} rows: {names}"


def _too_many(c: Candidate) -> str | None:
    most = min(MOST_CATEGORIES, max(FEW_CATEGORIES, len(c.series) // ROWS_A_CATEGORY))
    if c.numeric or c.date or c.distinct <= most:
        return None
    return f"{c.distinct} categories, too many for {len(c.series)} rows to learn one by one"


RULES = (_nested, _empty, _constant, _temporal, _nearly_numbers, _other_notation, _numbered, _text, _too_many)


def is_nested(series: pl.Series) -> bool:
    """Whether a column holds lists, structures or objects, as only binary formats can."""
    return series.dtype.is_nested() or series.dtype.is_object()


def gives_away(table: Table, names: Sequence[str], target: str, *, classes: bool) -> list[Because]:
    """The columns that say the target in other words, each with how.

    Of classes, each value goes with one class (and each class with one value, where they are amounts, which a class
    may well be a range of); of numbers, a straight line leads from one to the other, or they add up to the target.
    """
    if len(table) <= FEW_ROWS:
        return []
    known = table.take(table[target].is_not_null().to_numpy())
    candidates = [Candidate(known[name], known.lines) for name in names]
    numbers = {c.series.name: as_numbers(c.series).to_numpy() for c in candidates if c.numeric}
    y = as_numbers(known[target]).to_numpy() if numeric_columns(known[target].to_frame()) else None
    if classes:
        copies = [c.series.name for c in candidates if _says(c, as_labels(known[target]))]
    else:
        copies = [name for name, x in numbers.items() if y is not None and is_linear(x, y)]
    signs = {} if copies or y is None else terms(y, numbers)
    unless = "take this line out if it is known beforehand"
    return [Because(name, f"{target} in other words; {unless}") for name in copies] + [
        Because(name, f"{target} is {sum_text(signs)}; {unless}") for name in signs
    ]


def _says(c: Candidate, labels: pl.Series) -> bool:
    values = as_labels(c.series)
    return determines(values, labels) and (not c.numeric or values.n_unique() == labels.n_unique())
