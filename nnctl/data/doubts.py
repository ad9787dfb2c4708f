"""Columns that hardly are what they are taken for: a word among numbers, numbers in another notation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnctl.data.appearance import Strays, guessed, no_words, strays
from nnctl.data.dates import readings
from nnctl.data.notation import Notation
from nnctl.data.preprocess import Kind
from nnctl.data.report import Problem
from nnctl.data.sources import Source
from nnctl.data.sources.written import Written
from nnctl.data.tables import Table, as_numbers
from nnctl.data.targets import MOST_NUMBERED_CLASSES
from nnctl.data.telltale import leading_zeros
from nnctl.errors import DataError


def column_doubts(table: Table, source: Source, kinds: Mapping[str, Kind], said: Iterable[str]) -> list[Problem]:
    """What is doubtful about the columns taken for categories; not of those that are said to be."""
    names = [name for name, kind in kinds.items() if kind == "categorical" and name not in set(said)]
    orders = [name for name in names if len(readings(table[name])) > 1]
    ambiguous = [
        Problem(
            "doubtful",
            f"column {name!r} holds dates such as {table[name].drop_nulls()[0]!r}, which may have the day or the month "
            f"first, and is read as categories; write data.types: {{{_yaml(name)}: date_dmy}}, or date_mdy",
            name,
        )
        for name in orders
    ]
    names = [name for name in names if name not in orders]
    remedy = "if that is right, write data.types: {%s: categorical}"
    return ambiguous + [
        Problem("doubtful", f"{text}, and is read as categories; {what}; {remedy % _yaml(name)}", name)
        for name, text, what, _ in _doubts(table, source, names, "column")
    ]


def target_doubts(table: Table, source: Source, columns: Sequence[str], *, may_be_numbers: bool) -> list[Problem]:
    """What is doubtful about a target taken for classes though nobody said so.

    Raises:
        DataError: where it would be numbers but for that.
    """
    problems = []
    for name, text, what, distinct in _doubts(table, source, columns, "target"):
        message = f"{text}, and is read as classes; {what}; if that is right, write data.task: classification"
        if may_be_numbers and distinct > MOST_NUMBERED_CLASSES:
            raise DataError(message)
        problems.append(Problem("doubtful", message, name))
    return problems


def code_doubts(table: Table, kinds: Mapping[str, Kind], said: Iterable[str], targets: Iterable[str]) -> list[Problem]:
    """Columns taken for numbers, though nobody said so, that hold digits beginning with a zero, as codes do."""
    numbers = [name for name, kind in kinds.items() if kind == "numeric" and name not in set(said)]
    problems = []
    for name, what in [*((name, "column") for name in numbers), *((name, "target") for name in targets)]:
        zeros = leading_zeros(table[name]).fill_null(value=False)
        if not zeros.any():
            continue
        row = int(zeros.arg_max() or 0)
        remedy = "data.task: classification" if what == "target" else f"data.types: {{{_yaml(name)}: categorical}}"
        message = (
            f"{table.place(row)}: {what} {name!r} holds {table[name][row]!r} (in {zeros.sum()} of {len(table)} rows), "
            f"and as a number loses its leading zero; if these are codes, write {remedy}"
        )
        problems.append(Problem("doubtful", message, name))
    return problems


def settings_of(notation: Notation, own: Notation) -> dict[str, Any]:
    """What to write in a source whose numbers are in a notation."""
    keys = ("decimal", "thousands", "accounting", "units")
    return {key: getattr(notation, key) for key in keys if getattr(notation, key) != getattr(own, key)}


def _doubts(table: Table, source: Source, names: Sequence[str], what: str) -> Iterable[tuple[str, str, str, int]]:
    """Of each column in doubt its name, what it holds, what to write, and how many different numbers it would have."""
    if not isinstance(source, Written) or not names:
        return
    notation, gained, _ = guessed(table.only(names))
    settings = ", ".join(f"{key}: {_yaml(value)}" for key, value in settings_of(notation, table.notation).items())
    for name in names:
        if odd := strays(table, name) or no_words(table, name):
            otherwise = f" beside {odd.numbers} different numbers" if odd.numbers else ""
            also = " and data.missing_target: drop" if what == "target" else ""
            yield name, f"{_place(table, name, odd, what)}{otherwise}", _missing(source, odd) + also, odd.numbers
        elif name in gained:
            numbers = as_numbers(table[name], notation)
            row = int((as_numbers(table[name], table.notation).is_null() & numbers.is_not_null()).arg_max() or 0)
            text = f"{table.place(row)}: {what} {name!r} holds {table[name][row]!r}, a number in another notation"
            yield name, text, f"write {settings} in its source to read it as one", numbers.n_unique()


def _place(table: Table, name: str, odd: Strays, what: str) -> str:
    words, rows = " and ".join(map(repr, odd.words)), "1 row" if odd.count == 1 else f"{odd.count} rows"
    return f"{table.place(odd.first)}: {what} {name!r} holds {words} (in {rows} of {len(table)})"


def _missing(source: Written, odd: Strays) -> str:
    words = [word for word in (*source.missing, *odd.words) if word]
    return f"if that means a missing value, write missing: {_yaml(words)} in its source"


def _yaml(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_yaml(key)}: {_yaml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    plain = isinstance(value, str) and value.isidentifier() and value.lower() not in ("null", "nan", "true", "false")
    return value if plain else json.dumps(value, ensure_ascii=False)
