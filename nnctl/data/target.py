"""What is predicted: classes, labels or numbers, and how each reaches the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.columns import codes_of
from nnctl.data.scaling import centre_and_scale
from nnctl.data.spec import Task
from nnctl.data.tables import Table, as_labels, as_numbers, in_order, listed, numeric_columns
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.spec import Listed, Spec, nearest

#: Whole numbers are classes up to this many different ones.
MOST_NUMBERED_CLASSES = 20
LABELS = {"0": 0.0, "false": 0.0, "no": 0.0, "1": 1.0, "true": 1.0, "yes": 1.0}
TASKS: tuple[Task, ...] = ("classification", "multilabel", "regression")


class Target(Spec):
    """The target as it was in training.

    | task | truth | what a loss sees |
    |---|---|---|
    | classification | (n,) the class's number | itself (`index`), or 0/1: (n, C), (n, 1) where one output tells two |
    | multilabel | (n, k), 0 or 1 | itself |
    | regression | (n, k) in its own units | (truth - centre) / scale |

    Classes are in order of their value where all are numbers, else of their spelling; of two, the
    second is the positive one.
    """

    task: Task
    columns: Annotated[tuple[str, ...], Listed]
    classes: Annotated[tuple[str, ...], Listed] = ()
    centre: Annotated[tuple[float, ...], Listed] = ()
    scale: Annotated[tuple[float, ...], Listed] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes, or of the columns."""
        return self.classes if self.task == "classification" else self.columns

    def outputs(self, loss: Loss) -> int:
        """How many outputs a network needs."""
        return 1 if self._single(loss) else len(self.names)

    def read(self, table: Table) -> Array:
        """The truth of a table's rows, which must all have one.

        Raises:
            DataError: for a class that training did not have, and for what is no number.
        """
        require(table, self.columns)
        if self.task == "regression":
            truth = np.stack([_numbers(table, name, self.columns) for name in self.columns], axis=1)
            _refuse_missing(table, np.isnan(truth).any(axis=1))
            return truth
        if self.task == "multilabel":
            return np.stack([_zero_one(table, name) for name in self.columns], axis=1)
        labels = as_labels(table[self.columns[0]])
        _refuse_missing(table, labels.is_null().to_numpy())
        codes = codes_of(labels, self.classes)
        if (codes < 0).any():
            row = int(np.flatnonzero(codes < 0)[0])
            raise DataError(f"{table.place(row)}: {self._unknown(labels[row])}")
        return codes

    def encode(self, truth: Array, loss: Loss, dtype: DTypeLike) -> Array:
        """The truth as the loss takes it."""
        if self.task == "regression":
            z: Array = (truth - np.array(self.centre)) / np.array(self.scale)
            return z.astype(dtype)
        if self.task == "multilabel":
            return truth.astype(dtype)
        if loss.encoding == "index":
            return truth
        if self._single(loss):
            return truth[:, None].astype(dtype)
        one_hot: Array = truth[:, None] == np.arange(len(self.classes))
        return one_hot.astype(dtype)

    def decode(self, predicted: Array) -> Array:
        """What `Loss.predict` returns, (n, C) for classes and in the target's own units for numbers."""
        if self.task == "regression":
            values: Array = predicted.astype(np.float64) * np.array(self.scale) + np.array(self.centre)
            return values
        if self.task == "classification" and predicted.shape[1] == 1:
            return np.concatenate([1 - predicted, predicted], axis=1)
        return predicted

    def _single(self, loss: Loss) -> bool:
        return self.task == "classification" and len(self.classes) == 2 and loss.single_output_for_two_classes

    def _unknown(self, label: str) -> str:
        near = nearest(label, self.classes)
        return (
            f"{self.columns[0]} is {label!r}, and training had no such class; its classes are {listed(self.classes)}"
            + (f"; did you mean {near!r}?" if near else "")
        )


def fit_target(table: Table, names: Sequence[str], task: Task, scaling: str, train: Array) -> Target:
    """Classes of all rows; centre and scale of the training rows.

    Classes are a fact about the problem, not a statistic: a rare one may be missing from the training rows.
    """
    columns = tuple(names)
    if task == "multilabel":
        return Target(task=task, columns=columns)
    if task == "classification":
        classes = in_order(as_labels(table[columns[0]]).unique().to_list())
        if len(classes) < 2:
            raise DataError(
                f"{table.name}: {columns[0]} is {classes[0]!r} in every row; there is nothing to tell apart"
            )
        return Target(task=task, columns=columns, classes=tuple(classes))
    method = "standardize" if scaling == "auto" else scaling
    fitted = [centre_and_scale(_numbers(table, name, columns)[train], method) for name in columns]
    return Target(task=task, columns=columns, centre=tuple(c for c, _ in fitted), scale=tuple(s for _, s in fitted))


def choose_task(table: Table, names: Sequence[str], asked: Task | None, loss: Loss | None) -> Task:
    """The task asked for, or what columns look like; in either case one that the loss can do.

    Raises:
        ConfigError: where the loss cannot do what the columns are.
    """
    allowed: Sequence[Task] = TASKS if loss is None else loss.tasks
    task = asked or _appearance(table, names, allowed)
    if loss is not None and task not in loss.tasks:
        raise ConfigError(
            f"loss: {loss.type} is for {' or '.join(loss.tasks)}, and {', '.join(names)} calls for {task}"
        )
    if task == "classification" and len(names) > 1:
        raise ConfigError(f"classification has one target column, and data.target names {', '.join(names)}")
    return task


def _appearance(table: Table, names: Sequence[str], allowed: Sequence[Task]) -> Task:
    """What the columns look like; a few whole numbers may be either, and the first that the loss allows is taken."""
    if len(names) > 1:
        flags = all(set(as_labels(table[n]).drop_nulls().unique().to_list()) <= set(LABELS) for n in names)
        return "multilabel" if "multilabel" in allowed and (flags or "regression" not in allowed) else "regression"
    series = table[names[0]]
    if not numeric_columns(series.to_frame()):
        return "classification"
    fitting: list[Task] = [task for task in allowed if task != "multilabel"]
    if len(fitting) == 1:
        return fitting[0]
    numbers = as_numbers(series).drop_nulls()
    distinct = numbers.n_unique()
    whole = bool((numbers == numbers.round()).all())
    few = distinct <= MOST_NUMBERED_CLASSES and distinct < len(numbers)
    return fitting[0] if (whole and few) or "regression" not in allowed else "regression"


def require(table: Table, names: Sequence[str]) -> None:
    """Check that a table has columns.

    Raises:
        DataError: naming all that it has not, each with the nearest it has.
    """
    columns = set(table.columns)
    lacking = [name for name in names if name not in columns]
    if not lacking:
        return
    described = []
    for name in lacking:
        near = nearest(name, table.columns)
        described.append(repr(name) + (f" (did you mean {near!r}?)" if near else ""))
    noun = "column" if len(lacking) == 1 else "columns"
    raise DataError(f"{table.name}: has no {noun} {', '.join(described)}; its columns are {listed(table.columns)}")


def _numbers(table: Table, name: str, names: Sequence[str]) -> Array:
    """One of the columns of a target as float64 (n,), missing values as NaN."""
    labels = as_labels(table[name])
    numbers: Array = as_numbers(table[name]).to_numpy().astype(np.float64)  # null becomes NaN
    wrong = ~np.isfinite(numbers) & labels.is_not_null().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        several = (
            "; several targets are all numbers, or all labels of 0 and 1, and classes are one column"
            if len(names) > 1
            else ""
        )
        raise DataError(f"{table.place(row)}: target {name!r} is {labels[row]!r}, which is no finite number{several}")
    return numbers


def _zero_one(table: Table, name: str) -> Array:
    labels = as_labels(table[name])
    _refuse_missing(table, labels.is_null().to_numpy())
    values = [LABELS.get(label.lower(), -1.0) for label in labels]
    for row, value in enumerate(values):
        if value < 0:
            raise DataError(f"{table.place(row)}: label {name!r} is {labels[row]!r}; labels are 0 or 1")
    return np.array(values)


def with_target(table: Table, names: Sequence[str], missing_target: str = "error") -> Table:
    """The rows that have all of their target; others are an error unless they are to be dropped.

    Raises:
        DataError: where a target is missing, or no row is left.
    """
    require(table, names)
    missing = np.any([as_labels(table[name]).is_null().to_numpy() for name in names], axis=0)
    if missing_target == "error":
        _refuse_missing(table, missing)
    if missing.all():
        raise DataError(f"{table.name}: the target is missing in every row")
    return table.take(~missing) if missing.any() else table


def _refuse_missing(table: Table, missing: Array) -> None:
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(
            f"{table.place(row)}: the target is missing (in {int(missing.sum())} of {len(missing)} rows); "
            "in training, `data.missing_target: drop` leaves such rows out"
        )
