"""What a user should know about the data before believing a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nnctl.data.columns import CategoricalColumn, Column, NumericColumn, codes_of, finite_numbers
from nnctl.data.scaling import blocks
from nnctl.data.tables import Table, as_labels
from nnctl.data.targets import Truth
from nnctl.data.telltale import names_rows, numbers_rows, sum_text, terms
from nnctl.engine.parameters import Array

Kind = Literal[
    "constant",
    "empty",
    "identifier",
    "leakage",
    "duplicates",
    "unseen",
    "classes",
    "split",
    "malformed",
    "dropped",
    "doubtful",
]


@dataclass(frozen=True)
class Problem:
    """One thing that is odd about the data; it is used as it is all the same."""

    kind: Kind
    message: str
    column: str | None = None


@dataclass(frozen=True)
class Report:
    """What was found while loading.

    Attributes:
        rows: of each part.
        dropped: rows without target that were left out.
        malformed: rows that could not be read and were left out, each with its place.
        missing: missing values by column, where there are any, over all parts.
        classes: rows of each class, or of each label, by output and by part.
        problems: what looks wrong.
        known: rows that have the target of an output, by output and by part, where some have none.
        files: SHA-256 of each file's bytes, by path.
        spans: of each part, where a column says which rows it has: its first and last time, or how many groups.
    """

    rows: Mapping[str, int]
    dropped: int = 0
    malformed: tuple[str, ...] = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    known: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    spans: Mapping[str, str] = field(default_factory=dict)


def left_out_problems(malformed: Sequence[str], dropped: int = 0) -> list[Problem]:
    """What is not there any more."""
    problems = []
    if malformed:
        first = f"; the first: {malformed[0]}" if len(malformed) > 1 else f": {malformed[0]}"
        problems.append(Problem("malformed", f"{len(malformed)} left out as malformed{first}"))
    if dropped:
        rows = "1 row left out, as it has" if dropped == 1 else f"{dropped} rows left out, as they have"
        problems.append(Problem("dropped", f"{rows} no target"))
    return problems


def column_problems(train: Table, columns: Sequence[Column], truths: Sequence[Truth]) -> list[Problem]:
    """Columns that carry nothing, name the row, or give the answer away."""
    import polars as pl

    found: list[Problem] = []
    names = [column.name for column in columns]
    counts = train.frame.select(pl.col(names).drop_nulls().n_unique()).row(0)
    for column, distinct in zip(columns, counts, strict=True):
        series = train[column.name]
        present = len(series) - series.null_count()
        if not distinct:
            message = f"column {column.name!r} has no values in the training split; add it to data.exclude"
            found.append(Problem("empty", message, column.name))
        elif distinct == 1:
            message = f"column {column.name!r} is {series.drop_nulls()[0]!r} in every training row; it carries nothing"
            found.append(Problem("constant", message, column.name))
        elif _names_the_row(train, column, distinct, present):
            message = (
                f"column {column.name!r} has {distinct} different values in {present} rows: it names the row "
                "rather than describes it; add it to data.exclude"
            )
            found.append(Problem("identifier", message, column.name))
        elif away := [(truth, how) for truth in truths if (how := truth.given_away(column, train))]:
            truth, how = away[0]
            given = "the target" if len(truths) == 1 else ", ".join(truth.target.columns)
            message = f"column {column.name!r} gives {given} away: {how}; was it known before?"
            found.append(Problem("leakage", message, column.name))
    return found + _sums(train, columns, truths, {problem.column for problem in found})


def _sums(train: Table, columns: Sequence[Column], truths: Sequence[Truth], others: set[str | None]) -> list[Problem]:
    """Targets that are sums or differences of columns, of which nothing else is said."""
    numeric = [column.name for column in columns if isinstance(column, NumericColumn) and column.name not in others]
    numbers = {name: finite_numbers(train, name) for name in numeric}
    problems = []
    for truth in truths:
        own = {name: truth.of_present(x) for name, x in numbers.items()}
        for name, amounts in zip(truth.target.columns, truth.target.amounts(truth.present).T, strict=False):
            if signs := terms(amounts, own):
                message = f"the target {name!r} is {sum_text(signs)} in every row; were all of these known before?"
                problems.append(Problem("leakage", message))
    return problems


def _names_the_row(table: Table, column: Column, distinct: int, present: int) -> bool:
    if isinstance(column, CategoricalColumn):
        return names_rows(distinct, present)
    return isinstance(column, NumericColumn) and numbers_rows(
        column.name, finite_numbers(table, column.name), table.lines
    )


def array_problems(x: Array, rows: Array) -> list[Problem]:
    """Features of an array that are the same in every training example; pixels of an image's border often are."""
    first = x[rows[0]].astype(np.float64).ravel()
    varies, images = np.zeros(first.shape, bool), x.ndim > 2
    for block in blocks(x, rows):
        varies |= (block != first).any(axis=0)
        if images and varies.any():
            return []
    constant = int(np.sum(~varies))
    if not constant:
        return []
    return [Problem("constant", f"{constant} of {len(first)} features are the same in every training example")]


def duplicate_problems(hashes: Mapping[str, Array], of_all_columns: Mapping[str, Array]) -> list[Problem]:
    """Rows of other parts that training has too, by what is learned from; of a table also by all of its columns."""
    found = []
    for part, own in hashes.items():
        again = np.isin(own, hashes["train"]) & (part != "train")
        repeated = int(again.sum())
        if repeated:
            rows = "1 row" if repeated == 1 else f"{repeated} rows"
            found.append(
                Problem(
                    "duplicates",
                    f"{rows} of the {part} split ({repeated / len(own):.1%}) also in the training split, equal in the "
                    f"columns learned from{_in_all_columns(part, again, of_all_columns)}",
                )
            )
    return found


def _in_all_columns(part: str, again: Array, hashes: Mapping[str, Array]) -> str:
    """How many of the rows are those of training in whatever else the table holds."""
    if not hashes:
        return ""
    whole = int((again & np.isin(hashes[part], hashes["train"])).sum())
    return f"; {whole or 'none'} of them in all columns of the file"


def unseen_problems(table: Table, part: str, columns: Sequence[Column]) -> list[Problem]:
    """Categories of a split-off part that its training rows do not have."""
    import polars as pl

    found = []
    for column in columns:
        if isinstance(column, CategoricalColumn):
            labels = as_labels(table[column.name]).drop_nulls()
            new = labels.filter(pl.Series(codes_of(labels, column.categories) < 0, dtype=pl.Boolean))
            if len(new):  # only where it was let in: elsewhere encoding has refused it
                names = ", ".join(map(repr, new.unique().sort().to_list()[:5]))
                message = (
                    f"column {column.name!r}: {names} in the {part} split ({len(new)} rows) and not in the training "
                    "split; taken as `unseen: other`"
                )
                found.append(Problem("unseen", message, column.name))
    return found
