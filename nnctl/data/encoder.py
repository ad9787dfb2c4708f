"""The preprocessing a model carries: fitted once, plain data, exact in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field, TypeAdapter

from nnctl.data.columns import Column, finite_numbers, typed
from nnctl.data.image_cache import gather
from nnctl.data.scaling import centre_and_scale
from nnctl.data.sources import Arrays
from nnctl.data.sources.images import Images
from nnctl.data.tables import Table, table_of
from nnctl.data.targets import AnyTarget
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError
from nnctl.spec import Listed, Spec

#: Bytes of an array looked at in one go.
BLOCK = 1 << 24


class TableEncoder(Spec):
    """Inputs (n, d) from the columns of a table, in any order; columns it does not know are ignored."""

    kind: Literal["table"] = "table"
    columns: Annotated[tuple[Column, ...], Listed]
    target: AnyTarget
    weight: str | None = None

    @property
    def input_shape(self) -> Shape:
        """The shape of one example."""
        return (len(self.features),)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the network's inputs."""
        return tuple(output for column in self.columns for output in column.outputs)

    def inputs(self, data: Table | Arrays, dtype: DTypeLike, unseen: Literal["other"] | None = None) -> Array:
        """The network's inputs (n, d); `unseen` beats what the columns say of new categories.

        Raises:
            DataError: naming all columns that are not there, or the place of a value that cannot be.
        """
        table = _table(data)
        table.require([column.name for column in self.columns])
        schema = table.frame.schema
        table = typed(table, {c.name: c.kind for c in self.columns if not schema[c.name].is_float()})
        x = np.empty((len(table), *self.input_shape), dtype)
        start = 0
        for column in self.columns:
            stop = start + len(column.outputs)
            column.encode(table, x[:, start:stop], unseen=unseen)
            start = stop
        return x

    def truth(self, data: Table | Arrays) -> Array:
        """What would be right, see `Target`."""
        return self.target.read_all(_table(data))

    def weights(self, data: Table | Arrays) -> Array | None:
        """The sample weights (n,), or None where the table has none; all are 1 then."""
        table = _table(data)
        return None if self.weight is None or self.weight not in table.columns else read_weights(table, self.weight)

    def ignored(self, data: Table | Arrays) -> list[str]:
        """The columns of the table that play no part."""
        known = {column.name for column in self.columns} | {*self.target.columns, self.weight}
        return [name for name in _table(data).columns if name not in known]

    def to_json(self) -> str:
        """The encoder as JSON, from which `from_json` makes an equal one."""
        return self.model_dump_json()


class ArrayEncoder(Spec):
    """Inputs (n, *shape) from arrays of that shape: z = (x - centre) / scale, feature by feature.

    `centre` and `scale` have one number a feature, in C order, one number a channel, or one for all. A last
    axis of 1 makes no difference: images (h, w) and (h, w, 1) are the same.
    """

    kind: Literal["array"] = "array"
    shape: Annotated[tuple[int, ...], Listed]
    centre: Annotated[tuple[float, ...], Listed]
    scale: Annotated[tuple[float, ...], Listed]
    target: AnyTarget

    @property
    def input_shape(self) -> Shape:
        """The shape of one example."""
        return self.shape

    def transform(self, x: Array, dtype: DTypeLike) -> Array:
        """Raw examples (n, *shape) as inputs; the same array where they are that already."""
        if (self.centre, self.scale) == ((0.0,), (1.0,)):
            return x.astype(dtype, copy=False)
        z = x.astype(dtype)
        if self.centre != (0.0,):
            z -= self._numbers(self.centre, dtype)
        if self.scale != (1.0,):
            z /= self._numbers(self.scale, dtype)
        return z

    def raw(self, data: Table | Arrays) -> Array:
        """The examples as they are, checked; a matrix may have the target as one more column.

        Raises:
            DataError: where their shape is another.
        """
        arrays = _arrays(data)
        if arrays.shape == self.shape:
            return arrays.x
        if _without_channel(arrays.shape) == _without_channel(self.shape):
            return arrays.x.reshape(len(arrays), *self.shape)
        if len(self.shape) == 1 and arrays.shape == (self.shape[0] + 1,) and arrays.labels is None:
            return arrays.x[:, :-1]
        raise DataError(f"{arrays.name}: examples of shape {arrays.shape}, and the model takes {self.shape}")

    def inputs(self, data: Table | Arrays, dtype: DTypeLike, unseen: Literal["other"] | None = None) -> Array:
        """The network's inputs (n, *shape)."""
        x = self.raw(data)
        refuse_non_finite(x, _arrays(data).name)
        return self.transform(x, dtype)

    def truth(self, data: Table | Arrays) -> Array:
        """What would be right, see `Target`."""
        return self.target.read_all(target_table(_arrays(data), self.target.columns))

    def weights(self, data: Table | Arrays) -> None:
        """Arrays have no sample weights."""

    def ignored(self, data: Table | Arrays) -> list[str]:
        """Arrays have no columns that could be left over."""
        return []

    def to_json(self) -> str:
        """The encoder as JSON, from which `from_json` makes an equal one."""
        return self.model_dump_json()

    def _numbers(self, values: tuple[float, ...], dtype: DTypeLike) -> Array:
        numbers = np.array(values, dtype)
        return numbers.reshape(self.shape) if len(values) == prod(self.shape) else numbers


Encoder = TableEncoder | ArrayEncoder
_any_encoder: TypeAdapter[Any] = TypeAdapter(Annotated[Encoder, Field(discriminator="kind")])


def from_json(text: str | bytes) -> Encoder:
    """The encoder that `to_json` wrote."""
    encoder: Encoder = _any_encoder.validate_json(text)
    return encoder


def fit_array(x: Array, rows: Array, method: str, target: AnyTarget, by: str = "value") -> ArrayEncoder:
    """Choose centre and scale from the training rows of an array, looking at one block of it at a time."""
    shape = x.shape[1:]
    if method == "auto":
        method = "scale" if x.dtype == np.uint8 and by == "value" else "standardize"
    if method in ("scale", "none"):
        centre, scale = centre_and_scale(np.ones(1), method)
        return ArrayEncoder(shape=shape, centre=(centre,), scale=(scale,), target=target)
    statistics = _quantiles if method == "robust" else _moments
    centres, scales = statistics(x.reshape(len(x), -1), rows, method)
    if by == "channel":
        centres, scales = _by_channel(centres, scales, shape[-1] if len(shape) > 2 else 1, method)
    scales = np.where(scales > 0, scales, 1.0)
    return ArrayEncoder(shape=shape, centre=tuple(centres.tolist()), scale=tuple(scales.tolist()), target=target)


def blocks(x: Array, rows: Array | None = None) -> Iterator[Array]:
    """An array's examples as float64 (n, features), some rows at a time."""
    count = len(x) if rows is None else len(rows)
    step = max(1, BLOCK // (8 * max(1, prod(x.shape[1:]))))
    for start in range(0, count, step):
        part = slice(start, start + step)
        yield gather(x, part if rows is None else rows[part]).astype(np.float64).reshape(-1, prod(x.shape[1:]))


def _moments(x: Array, rows: Array, method: str) -> tuple[Array, Array]:
    """Mean and standard deviation, or smallest and range, of each feature; constants get a scale of 0."""
    low, high = np.full(x.shape[1], np.inf), np.full(x.shape[1], -np.inf)
    for block in blocks(x, rows):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    if method == "min_max":
        return low, high - low
    mean = sum(block.sum(axis=0) for block in blocks(x, rows)) / len(rows)
    squares = sum(((block - mean) ** 2).sum(axis=0) for block in blocks(x, rows))
    constant = low == high
    return np.where(constant, low, mean), np.where(constant, 0.0, np.sqrt(squares / len(rows)))


def _by_channel(centres: Array, scales: Array, channels: int, method: str) -> tuple[Array, Array]:
    """Centre and scale of channels, from those of their features, which have as many examples each."""
    c, s = centres.reshape(-1, channels), scales.reshape(-1, channels)  # (h w, channels)
    if method == "min_max":
        low = c.min(axis=0)
        return low, (c + s).max(axis=0) - low
    mean: Array = c.mean(axis=0)
    return mean, np.sqrt((s**2 + (c - mean) ** 2).mean(axis=0))


def _quantiles(x: Array, rows: Array, method: str) -> tuple[Array, Array]:
    """As for columns, a few features at a time: a median needs all rows of them."""
    step = max(1, BLOCK // (8 * len(rows)))
    fitted = [
        centre_and_scale(feature, method)
        for start in range(0, x.shape[1], step)
        for feature in gather(x[:, start : start + step], rows).astype(np.float64).T
    ]
    return np.array([c for c, _ in fitted]), np.array([s for _, s in fitted])


def refuse_non_finite(x: Array, name: str) -> None:
    """Check that every number of an array is finite.

    Raises:
        DataError: with the first example that is not.
    """
    if x.dtype.kind != "f":
        return
    start = 0
    for block in blocks(x):
        wrong = ~np.isfinite(block).all(axis=1)
        if wrong.any():
            row = start + int(wrong.argmax())
            raise DataError(
                f"{name}: example {row} (counted from 0) holds NaN or infinity; fill or remove it, "
                "arrays are taken as they are"
            )
        start += len(block)


def target_table(arrays: Arrays, names: tuple[str, ...] = ()) -> Table:
    """The targets of arrays as a table, so that one piece of code reads all targets."""
    import polars as pl

    labels = arrays.with_labels().labels
    columns = np.atleast_2d(np.asarray(labels).T)
    if isinstance(arrays, Images) and (not names or sorted(names) == sorted(arrays.columns)):
        names = arrays.columns
    if not names:
        names = ("target",) if len(columns) == 1 else tuple(f"target_{i}" for i in range(1, len(columns) + 1))
    if len(names) != len(columns):
        raise DataError(
            f"{arrays.name}: targets with {len(columns)} columns, where {len(names)} are named: {', '.join(names)}"
        )
    native = [c.astype(c.dtype.newbyteorder("=")) for c in columns]
    table = table_of(pl.DataFrame(dict(zip(names, native, strict=True))), arrays.name)
    return _OfFiles(table.frame, table.name, table.lines, places=arrays.places) if isinstance(arrays, Images) else table


@dataclass(frozen=True)
class _OfFiles(Table):
    """The targets of images: a row is known by its file."""

    places: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        return self.places[int(self.lines[row]) - 1]


def read_weights(table: Table, name: str) -> Array:
    """The column of sample weights (n,).

    Raises:
        DataError: where one is missing, negative or no number.
    """
    weights = finite_numbers(table, name)
    wrong = ~(weights >= 0)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(f"{table.place(row)}: the weight {name!r} is {table[name][row]!r}; weights are numbers from 0")
    return weights


def _without_channel(shape: Shape) -> Shape:
    return shape[:-1] if len(shape) == 3 and shape[-1] == 1 else shape


def _table(data: Table | Arrays) -> Table:
    if isinstance(data, Table):
        return data
    raise DataError(f"{data.name}: holds an array, and the model was trained on the columns of a table")


def _arrays(data: Table | Arrays) -> Arrays:
    if isinstance(data, Arrays):
        return data
    raise DataError(f"{data.name}: holds a table, and the model was trained on arrays (npy, npz or idx)")
