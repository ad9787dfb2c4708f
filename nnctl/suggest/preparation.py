"""How the columns of a table are prepared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from nnctl.data.dates import moment, seconds
from nnctl.data.preprocess import Kind
from nnctl.data.spec import DEFAULT_SHARE, Task
from nnctl.data.tables import Table, as_labels, as_numbers, in_order, numeric_columns
from nnctl.data.targets import Classes, choose, with_target
from nnctl.data.telltale import leading_zeros
from nnctl.errors import DataError
from nnctl.names import listed
from nnctl.suggest.columns import Candidate, gives_away, left_out
from nnctl.suggest.commented import Because, plain
from nnctl.suggest.hints import logarithms_of_columns, split_by
from nnctl.suggest.inputs import FACTS, called, inputs, picture_columns, text_columns
from nnctl.suggest.targets import are_one

#: Where this share of a column is missing, that it is may mean something.
OFTEN_MISSING = 0.05
#: More malformed rows than this are not a few bad lines but another format.
MOST_MALFORMED = 0.1
#: Of more columns, what was seen is not said one by one.
MOST_LISTED = 40
#: Whole numbers with fewer different values may be names.
FEW_NUMBERS = 10

SPLIT = {
    "validation": Because(DEFAULT_SHARE, "decides when to stop"),
    "test": Because(DEFAULT_SHARE, "never looked at while training"),
}


def no_split(rows: int) -> dict[str, Any]:
    """A split that leaves every row to training."""
    return {
        "validation": Because(
            0.0, f"{rows} rows are too few to hold any back: how good the model is on others stays open"
        ),
        "test": 0.0,
    }


def prepare(table: Table, targets: Sequence[str], task: Task | None) -> dict[str, Any]:
    """The keys of the data section that follow from a table, apart from source and split.

    Raises:
        DataError: where no column is left to learn from, or most rows are malformed.
    """
    found: dict[str, Any] = {}
    one = are_one(table, targets, task)
    if one:
        found["target"] = targets[0] if len(targets) == 1 else list(targets)
    else:
        found["outputs"] = dict[str, Any]()
        for name in targets:
            found["outputs"][called(name, found["outputs"])] = {"target": name}
    if table.malformed:
        found["malformed"] = _malformed(table)
    kept = with_target(table, targets, "drop") if one else _with_any(table, targets)
    if one and len(kept) < len(table):
        reason = f"{len(table) - len(kept)} of {len(table)} rows have no target and are left out"
        found["missing_target"] = Because("drop", reason)
    pictures = picture_columns(kept, targets)
    texts = text_columns(kept, [name for name in kept.columns if name not in {*targets, *pictures}])
    exclude, features = _features(kept, targets, [*pictures, *texts], task)
    if pictures or texts:
        found["inputs"] = inputs(kept, features, pictures, texts, found.get("outputs", ()))
        if exclude and features:
            reasons = "; ".join(f"{name} ({reason})" for name, reason in exclude)
            found["inputs"][FACTS] = Because(found["inputs"][FACTS], f"left out: {reasons}")
    elif exclude:
        found["exclude"] = exclude
    found["split"] = split_by(kept, [name for name in kept.columns if name not in {*targets, *pictures, *texts}])
    return found | (_columns(kept, features) if features else {})


def _with_any(table: Table, targets: Sequence[str]) -> Table:
    """The rows that have some target."""
    some = np.any([as_labels(table[name]).is_not_null().to_numpy() for name in targets], axis=0)
    return table.take(some)


def _malformed(table: Table) -> Because:
    count = len(table.malformed)
    if count > MOST_MALFORMED * (count + len(table)):
        raise DataError(
            f"{table.malformed[0]}; {count} rows are like this, so the file may be of another kind than it seems"
        )
    rows = "1 row" if count == 1 else f"{count} rows"
    return Because("skip", f"{rows} cannot be read; the first: {table.malformed[0]}")


def _features(
    table: Table, targets: Sequence[str], others: Sequence[str], task: Task | None
) -> tuple[list[Because], list[str]]:
    """The columns left out, each with its reason, and those to learn from beside `others`, inputs by themselves."""
    candidates = [name for name in table.columns if name not in {*targets, *others}]
    exclude = left_out(table, candidates)
    features = [name for name in candidates if name not in {because.value for because in exclude}]
    if not features and not others:
        reasons = "; ".join(f"{because.value}: {because.reason}" for because in exclude[:5])
        raise DataError(f"{table.name}: no column is left to learn from" + (f" ({reasons})" if reasons else ""))
    for target in targets if features and (len(targets) == 1 or not are_one(table, targets, task)) else ():
        same = gives_away(table, features, target, classes=choose(table, [target], task, None) is Classes)
        if len(same) < len(features) or others:
            exclude += same
            features = [name for name in features if name not in {because.value for because in same}]
    return exclude, features


def _columns(table: Table, features: Sequence[str]) -> dict[str, Any]:
    """Types and preprocessing, with what was seen."""
    codes = {name for name in features if Candidate(table[name], table.lines).code}
    numeric = numeric_columns(table.frame[list(features)]) - codes
    dates = {name: kind for name in features if (kind := Candidate(table[name], table.lines).date)}
    nulls = {name: as_labels(table[name]).null_count() for name in features}
    worst = max(features, key=nulls.__getitem__)
    often = nulls[worst] > OFTEN_MISSING * len(table)
    gaps = f"{worst!r:.40} lacks {nulls[worst]} of {len(table)}" if nulls[worst] else "no value is missing"
    preprocess: dict[str, Any] = {}
    if numeric:
        preprocess["numeric"] = Because("standardize", "mean 0 and standard deviation 1, as networks like it")
    if len(numeric) + len(dates) < len(features):
        preprocess["categorical"] = Because("one_hot", "a 0/1 input for each category")
        preprocess["unseen"] = Because("other", "a category that training did not have is none of the known ones")
    how = "filled with the mean, or the commonest category" + (", and a 0/1 input says so" if often else "")
    preprocess["missing"] = Because("indicator" if often else "mean", f"{gaps}; {how}" if nulls[worst] else gaps)
    amounts = {name: as_numbers(table[name]).drop_nulls().to_numpy() for name in features if name in numeric}
    preprocess |= logarithms_of_columns(amounts)
    types = {name: _type(table, name, numeric=name in numeric, missing=nulls[name]) for name in features}
    for name, date in dates.items():
        present = seconds(table, name, date)
        first, last = (moment(float(end(present))) for end in (np.nanmin, np.nanmax))
        types[name] = Because(date, f"{first} to {last}: year, month, weekday, hour and days, as far as they differ")
    for name in codes:
        zeros = " that begin with zeros" if leading_zeros(table[name]).any() else ""
        types[name] = Because("categorical", f"codes{zeros}, not amounts; {types[name].reason}")
    return {"types": _listed_types(types)} | {"preprocess": preprocess}


def _listed_types(types: dict[str, Because]) -> Because:
    """The kind of every column, each with what was seen, or of many with their number alone."""
    if len(types) <= MOST_LISTED:
        return Because(types, f"{len(types)} columns to learn from")
    counts = {kind: sum(each.value == kind for each in types.values()) for kind in get_args(Kind)}
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return Because(plain(types), f"{len(types)} columns to learn from: {summary}")


def _type(table: Table, name: str, *, numeric: bool, missing: int) -> Because:
    gaps = f"; {missing} missing" if missing else ""
    if not numeric:
        labels = as_labels(table[name]).drop_nulls().unique().to_list()
        return Because("categorical", f"{len(labels)} categories: {listed(in_order(labels), 4)}{gaps}")
    values = as_numbers(table[name]).drop_nulls().to_numpy()
    distinct = set(values[:100_000].tolist())
    few = 2 < len(distinct) <= FEW_NUMBERS and all(value.is_integer() for value in distinct)
    hint = "; write categorical if these are names, not amounts" if few else ""
    return Because("numeric", f"{values.min():.6g} to {values.max():.6g}{gaps}{hint}")
