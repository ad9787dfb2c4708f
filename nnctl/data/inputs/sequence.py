"""Sequences of numbers: arrays with the length of each example beside them, or cells that hold lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Literal, NoReturn, Self

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field, model_validator

from nnctl.data.inputs.array import FittedArray
from nnctl.data.inputs.base import Input, arrays_of, table_of
from nnctl.data.preprocess import NUMERIC, Kind, Numeric, Preprocess
from nnctl.data.report import Problem, array_problems
from nnctl.data.scaling import centres_and_scales
from nnctl.data.sources import Arrays, Source
from nnctl.data.tables import Table
from nnctl.data.targets import Truth
from nnctl.engine.graph import Signal
from nnctl.engine.parameters import Array, Shape
from nnctl.engine.sequences import Sequences
from nnctl.errors import ConfigError, DataError

#: Rows left out, with what is wrong with each; without it the first is an error.
LeftOut = dict[int, str] | None


class NumberSequence(Input):
    """Sequences of numbers, each of its own length.

    Of an `npz` file it is an array (n, time, features), or (n, time) for a single feature, and another with the
    length of each example, both among the source's `inputs`; what lies beyond a length is never looked at, NaN or not.
    Of JSON lines or Parquet it is a column that holds a list of numbers, or of lists of numbers, one a step:
    `{column: signal}`. An empty cell is a sequence without steps.

    Each feature is scaled by itself, by the steps of the training split. Nothing is padded: a batch holds its
    sequences one after another, with their lengths.

    ```yaml
    {type: sequence, array: x, lengths: n}
    ```
    """

    type: Literal["sequence"] = "sequence"
    array: str | None = Field(None, description="The array of steps, one of the source's `inputs`.")
    lengths: str | None = Field(None, description="The array of lengths, one of the source's `inputs`.")
    column: str | None = Field(None, description="The column of lists, in place of `array` and `lengths`.")
    numeric: Numeric | None = Field(None, description=NUMERIC)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.array is None) != (self.lengths is None) or (self.array is None) == (self.column is None):
            raise ValueError("write `array` and `lengths` (of an npz file), or `column` (of a table that holds lists)")
        return self

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        return {"column": (self.column,)} if self.column else {}

    def read(self, data: Table | Arrays, left_out: LeftOut = None) -> Sequences:
        if isinstance(data, Table) != (self.column is not None):
            holds = "a table, whose lists `column` names" if isinstance(data, Table) else "arrays, which `array` names"
            raise ConfigError(f"does not say where its steps are: {data.name} holds {holds}")
        return _read(data, self.array, self.lengths, self.column, None, left_out)

    def fitted(self, values: Sequences, rows: Array, prepare: Preprocess, kinds: Mapping[str, Kind]) -> FittedSequence:
        training = values[rows].values
        if not len(training):
            raise DataError(
                f"{self.column or self.array!r} has no step in the training split; nothing could be learned"
            )
        method = self.numeric or prepare.numeric
        centre, scale = centres_and_scales(training, np.arange(len(training)), method, "value")
        return FittedSequence(
            shape=training.shape[1:],
            centre=centre,
            scale=scale,
            array=self.array,
            lengths=self.lengths,
            column=self.column,
            steps=-(-len(training) // len(rows)),
        )


class FittedSequence(FittedArray):
    """Steps of a shape, z = (x - centre) / scale. `steps` is how many a training example has on average."""

    type: Literal["sequence"] = "sequence"  # type: ignore[assignment] # told apart by it from an array
    lengths: str | None = None
    column: str | None = None
    steps: int

    @property
    def of_table(self) -> bool:
        return self.column is not None

    @property
    def signal(self) -> Signal:
        return Signal(self.shape, steps=self.steps)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.column,) if self.column else ()

    def suited(self, source: Source) -> Source:
        return source

    def read(self, data: Table | Arrays) -> Any:
        data = table_of(data) if self.column else arrays_of(data)
        return _read(data, self.array, self.lengths, self.column, self.shape, None)

    def gather(self, values: Sequences, rows: Array | slice) -> Sequences:
        return values[rows]

    def transform(self, values: Any, dtype: DTypeLike) -> Any:
        """Of sequences their steps; of steps alone, these."""
        if isinstance(values, Sequences):
            return Sequences(super().transform(values.values, dtype), values.lengths)
        return super().transform(values, dtype)

    def missing(self, values: Any) -> dict[str, int]:
        empty = int((values.lengths == 0).sum())
        return {self.column or str(self.array): empty} if empty else {}

    def problems(self, values: Any, rows: Array, truths: Sequence[Truth]) -> list[Problem]:
        steps = values[rows].values
        return array_problems(steps.reshape(len(steps), -1), np.arange(len(steps)))

    def hashes(self, values: Any, rows: Array) -> Array:
        ends = np.concatenate([[0], np.cumsum(values.lengths)])
        return np.array([hash(values.values[ends[i] : ends[i + 1]].tobytes()) for i in rows], np.int64)


def _read(
    data: Table | Arrays,
    array: str | None,
    lengths: str | None,
    column: str | None,
    shape: Shape | None,
    left_out: LeftOut,
) -> Sequences:
    """The steps of every example, as float64 or what type the array has; `shape` is that of a step, where it is known.

    Raises:
        DataError: with the place of the first example that cannot be read, where there is no `left_out`.
    """

    def refuse(row: int, message: str) -> None:
        message = f"{data.place(row)}: {message}"
        if left_out is None:
            raise DataError(message)
        left_out.setdefault(row, message)

    if isinstance(data, Table):
        name = f"column {column!r}"
        sequences = _of_column(data, str(column), shape, refuse)
    else:
        name = f"array {array!r}"
        sequences = _of_arrays(data, str(array), str(lengths), shape, refuse)
    steps = sequences.values
    if steps.dtype.kind == "f":
        owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
        starts = np.cumsum(sequences.lengths) - sequences.lengths
        for i in np.flatnonzero(~np.isfinite(steps).all(axis=tuple(range(1, steps.ndim)))):
            refuse(int(owner[i]), f"step {i - starts[owner[i]] + 1} of {name} holds NaN or infinity; fill or remove it")
    return sequences


def _of_arrays(data: Arrays, array: str, lengths: str, shape: Shape | None, refuse: Any) -> Sequences:
    x, n = data.array(array), data.array(lengths)
    x = x[..., None] if x.ndim == 2 else x  # (n, time, features)
    if x.ndim < 3 or not prod(x.shape[2:]):
        raise DataError(f"{data.name}: array {array!r} has the shape {x.shape}; sequences are (n, time, features)")
    if shape is not None and x.shape[2:] != shape:
        raise DataError(f"{data.name}: array {array!r} has steps of shape {x.shape[2:]}, and the model takes {shape}")
    if n.shape[1:] != (1,) or n.dtype.kind == "b":
        raise DataError(
            f"{data.name}: array {lengths!r} is of type {n.dtype} and shape {n.shape}; it must hold one whole number, "
            "the length, for each example"
        )
    whole = np.array(n[:, 0], np.float64)
    wrong = ~((whole >= 0) & (whole <= x.shape[1]) & (whole == np.floor(whole)))
    for row in np.flatnonzero(wrong):
        refuse(
            int(row),
            f"array {lengths!r} holds {n[row, 0]:g}; a length is a whole number from 0 to {x.shape[1]}, the steps that "
            f"{array!r} has",
        )
    counts = np.where(wrong, 0, whole).astype(np.int64)
    return Sequences.of([row[:count] for row, count in zip(x, counts, strict=True)])


def _of_column(data: Table, column: str, shape: Shape | None, refuse: Any) -> Sequences:
    import polars as pl

    data.require((column,))
    series = data[column]
    leaf: Any = series.dtype
    while isinstance(leaf, pl.List | pl.Array):
        leaf = leaf.inner
    lists = leaf is not series.dtype and (leaf.is_numeric() or leaf == pl.Null)
    if not lists and series.null_count() < len(series):
        _refuse_column(data, column, str(series.dtype).lower())
    cells: dict[int, Array] = {}
    for row, cell in enumerate(series.to_list() if lists else ()):
        if not cell:
            continue
        try:
            steps = np.array(cell, np.float64)
        except ValueError:
            refuse(row, f"the steps in column {column!r} have different numbers of values")
            continue
        steps = steps[:, None] if steps.ndim == 1 else steps  # (time, features)
        if not steps.size:
            refuse(row, f"column {column!r} has steps without numbers")
            continue
        shape = steps.shape[1:] if shape is None else shape
        if steps.shape[1:] != shape:
            refuse(row, f"column {column!r} has steps of shape {steps.shape[1:]}, where {shape} is expected")
            continue
        cells[row] = steps
    shape = shape or (1,)
    lengths = [len(cells.get(row, ())) for row in range(len(series))]
    return Sequences(np.concatenate([np.empty((0, *shape)), *cells.values()]), np.array(lengths, np.int64))


def _refuse_column(data: Table, column: str, dtype: str) -> NoReturn:
    raise DataError(
        f"{data.name}: column {column!r} holds {dtype} values; a sequence is a list of numbers, or of lists of numbers"
    )
