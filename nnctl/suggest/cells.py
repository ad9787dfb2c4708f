"""How numbers and missing values are written in the cells of a table."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from nnctl.data.appearance import Strays, guessed, no_words, strays
from nnctl.data.doubts import settings_of
from nnctl.data.notation import Notation
from nnctl.data.sources.written import Written
from nnctl.data.tables import Table, as_numbers, numbers_of, numeric_columns, without_missing
from nnctl.suggest.columns import FEW_CATEGORIES
from nnctl.suggest.commented import Because

#: Words that mean a missing value to some programs, in small letters; taken as such only among numbers.
ALSO_MISSING = ("-", "--", ".", "none", "null", "na", "n/a", "#n/a", "<na>", "unknown", "missing")
#: A word that is met in a larger share of the rows may mean something.
RARE = 0.02


def cells(table: Table, source: Written) -> tuple[dict[str, Any], Table]:
    """The settings of a source that its cells call for, with reasons; and the table as it is read with them.

    Columns that are numbers in another notation than Python's are numbers in it.
    """
    import polars as pl

    notation, gained, rival = guessed(table)
    settings = _notation(table, notation, gained, rival)
    table = replace(table, notation=notation)
    reasons: dict[str, str] = {}
    for name in table.columns:
        odd = strays(table, name)
        if (odd and _means_nothing(odd, len(table))) or (odd := no_words(table, name)):
            reasons |= dict.fromkeys(
                odd.words, f"{', '.join(map(repr, odd.words))} in {table.place(odd.first)}, {name}"
            )
    if words := sorted(reasons):
        reason = "; ".join(dict.fromkeys(reasons.values()))
        settings["missing"] = Because([*source.missing, *words], f"{reason}: taken for missing values")
        table = replace(table, frame=without_missing(table.frame, words))
    text = [name for name, dtype in table.frame.schema.items() if dtype == pl.String and not notation.is_plain(name)]
    names = [name for name in text if name in numeric_columns(table.frame.select(text), notation)]
    return settings, replace(table, frame=table.frame.with_columns(numbers_of(table.frame.select(names), notation)))


def _notation(table: Table, notation: Notation, gained: set[str], rival: Notation | None) -> dict[str, Any]:
    settings = settings_of(notation, table.notation)
    names = [name for name in table.columns if name in gained and name not in notation.units]
    examples = {name: _example(table, name) for name in names or notation.units}
    reason = ", ".join(f"{name} holds {cell!r}" for name, cell in list(examples.items())[:3])
    if rival is not None:
        doubtful, one, other = _read_twice(table, notation, rival)
        swap = ", ".join(f"{key}: {value!r}" for key, value in settings_of(rival, notation).items())
        reason = f"a guess: {doubtful!r} may be {one:.10g} or {other:.10g}; for the second, write {swap}"
        settings.setdefault("decimal", notation.decimal)
    return {key: Because(value, reason if place == 0 else "") for place, (key, value) in enumerate(settings.items())}


def _example(table: Table, name: str) -> str:
    """A cell that is no number in the table's own notation."""
    series = table[name]
    return str(series.filter(as_numbers(series, table.notation).is_null() & series.is_not_null())[0])


def _read_twice(table: Table, notation: Notation, rival: Notation) -> tuple[str, float, float]:
    """A cell that two notations read as different numbers, and these."""
    import polars as pl

    for name, dtype in table.frame.schema.items():
        if dtype == pl.String:
            one, other = as_numbers(table[name], notation), as_numbers(table[name], rival)
            different = (one != other).fill_null(value=False)
            if different.any():
                row = int(different.arg_max() or 0)
                return str(table[name][row]), float(one[row]), float(other[row])
    raise RuntimeError("two notations were told apart that read the same numbers")


def _means_nothing(odd: Strays, rows: int) -> bool:
    """Whether words among numbers stand for a missing value: by what they say, or because they are rare."""
    if all(word.casefold() in ALSO_MISSING for word in odd.words):
        return True
    rare = odd.numbers > FEW_CATEGORIES and odd.count <= max(1, RARE * rows)
    return rare and not any(re.search(r"\d", word) for word in odd.words)
