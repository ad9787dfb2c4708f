"""What is to be predicted: which columns are meant, and what kind of target they are."""

from __future__ import annotations

from collections.abc import Sequence

from nnctl.data.spec import Task
from nnctl.data.tables import Table, as_labels, numeric_columns
from nnctl.data.targets.labels import is_label
from nnctl.data.telltale import names_rows
from nnctl.errors import ConfigError, DataError
from nnctl.names import listed, unknown
from nnctl.suggest.text import is_number


def chosen_targets(table: Table, given: Sequence[str]) -> list[str]:
    """The columns meant by what stands on the command line: names, or numbers from 1 (-1 is the last).

    Raises:
        ConfigError: where there is none, or no such column.
        DataError: where a column cannot be a target: it is the same in every row, or names the row.
    """
    if not given:
        raise ConfigError(f"which column is to be predicted? {_columns(table)}; write --target COLUMN")
    names = [name for name in (_column(table, text) for text in given) if name is not None]
    wrong = [text for text in given if _column(table, text) is None]
    if wrong:
        lacks = unknown("column", wrong, table.columns)
        raise ConfigError(f"--target: {table.name} has {lacks}; a number from 1 to {len(table.columns)} names one too")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ConfigError(f"--target {repeated} is given twice; name each column once")
    for name in names:
        _check(table, name)
    return names


def are_one(table: Table, names: Sequence[str], task: Task | None) -> bool:
    """Whether columns are one output together: a single column, numbers alone, or labels of 0 and 1 alone."""
    if len(names) == 1 or task is not None:
        return True
    flags = [is_label(table, name) for name in names]
    return all(flags) or (not any(flags) and numeric_columns(table.frame[list(names)], table.notation) == set(names))


def _column(table: Table, text: str) -> str | None:
    """The column of a name or a number; None where there is none."""
    if text in table.columns:
        return text
    count = len(table.columns)
    if text.removeprefix("-").isdecimal() and 1 <= abs(int(text)) <= count:
        return table.columns[int(text) - (int(text) > 0)]
    return None


def _columns(table: Table) -> str:
    return f"{table.name} has {listed(table.columns)}"


def _check(table: Table, name: str) -> None:
    labels = as_labels(table[name]).drop_nulls()
    distinct = labels.n_unique()
    if not len(labels):
        raise DataError(f"{table.name}: the target {name!r} has no value in any row")
    if distinct == 1:
        raise DataError(f"{table.name}: the target {name!r} is {labels[0]!r} in every row; there is nothing to learn")
    text = not numeric_columns(table[name].to_frame())
    if text and names_rows(distinct, len(labels)):
        odd = next(value for value in labels if not is_number(value))
        raise DataError(
            f"{table.name}: the target {name!r} is text with {distinct} different values in {len(labels)} rows, "
            f"such as {odd!r:.40}: too few examples of each to learn; name another column, or make these values numbers"
        )
