"""Predictions for new examples, some rows at a time.

The last bits of a matrix product depend on its height and, with some kernels and shapes, on the place of a row in
it: the BLAS works on blocks and has other code for what is left over. So that the size of the batches changes not one
digit, every product has the same height, and row i of a file has place i modulo this height in its tile. What a
batch leaves empty of a tile is computed too, and thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from nnctl.data.batching import ahead
from nnctl.data.encoder import BLOCK, ArrayEncoder, refuse_non_finite
from nnctl.data.image_cache import gather
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.base import without_labels
from nnctl.data.sources.files import STDIN, resolve
from nnctl.data.sources.jsonl import JsonLines
from nnctl.data.tables import Table, listed
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.parameters import Array
from nnctl.engine.tiles import Lane, Tiles, tile_rows
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError, DataError
from nnctl.runs.model import Model
from nnctl.spec import nearest

if TYPE_CHECKING:
    import polars as pl

#: Rows read, predicted and written at a time: enough to be fast, few enough for any memory.
ROWS = 1 << 15


class Predictor:
    """A model as a function of its inputs; the outputs of a row depend on nothing but that row and its number."""

    def __init__(self, model: Model, workers: Workers | None = None) -> None:
        self.model = model
        self.tiles = Tiles(model.network, model.theta, workers)
        self._none = self._decoded(np.empty((0, *model.network.shape_of(OUTPUT)), model.theta.dtype))

    def __call__(self, x: Array, first: int = 0) -> Array:
        """Inputs (n, ...) to (n, columns): a number for each class or label, or in the target's own units.

        `first` is how many rows came before these.
        """
        height = self.tiles.rows

        def run(lane: Lane, rows: slice) -> Array:
            tile = lane.memory.buffer("tile", (height, *x.shape[1:]))
            start = (first + rows.start) % height
            own = slice(start, start + rows.stop - rows.start)
            tile[own] = x[rows]
            y = lane.forward.forward({INPUT: tile})[OUTPUT]
            return self._decoded(y)[own].copy()  # the lane's memory is used again

        with np.errstate(all="ignore"):  # what is not finite is found in the outputs
            return np.concatenate([self._none, *self.tiles.each(len(x), run, first)])

    def _decoded(self, y: Array) -> Array:
        return self.model.encoder.target.decode(self.model.loss.predict(y))


@dataclass
class Prediction:
    """The predictions for a source, as frames.

    Attributes:
        keep: columns of the data that are copied in front of the predictions.
        probabilities: whether to give one a class or label besides the decision.
        ignored: the columns met so far that play no part, in order.
    """

    model: Model
    source: Source
    base: Path = Path()
    keep: Sequence[str] = ()
    probabilities: bool = True
    ignored: dict[str, None] = field(default_factory=dict)

    @cached_property
    def decisions(self) -> list[str]:
        """The names of the predicted columns: one, or one a column of the target where it has several."""
        columns = self.model.encoder.target.columns
        return ["prediction"] if len(columns) == 1 else [f"prediction_{name}" for name in columns]

    @cached_property
    def shares(self) -> list[str]:
        """The names of the columns of probabilities."""
        target = self.model.encoder.target
        return [f"probability_{name}" for name in target.names] if self.probabilities and target.has_shares else []

    def check(self) -> None:
        """Check that every column can be kept beside the predictions.

        Raises:
            ConfigError: naming the first that cannot.
        """
        for name in self.keep:
            if isinstance(self.model.encoder, ArrayEncoder):
                raise ConfigError(f"--keep {name}: the model takes arrays, whose columns have no names")
            if name in (*self.decisions, *self.shares):
                raise ConfigError(f"--keep {name}: the predictions have a column of that name; rename it in the data")

    def frames(self, rows: int = ROWS, workers: Workers | None = None) -> Iterator[pl.DataFrame]:
        """The predictions in the order of the source, `rows` at a time at most; a source without rows gives one frame.

        Raises:
            DataError: naming all columns that are not there, or the place of a value that cannot be.
            ConfigError: where a column to keep is not there.
        """
        predict = Predictor(self.model, workers)
        encoder = self.model.encoder
        count = 0
        for x, data in self._arrays(encoder, rows) if isinstance(encoder, ArrayEncoder) else self._tables(rows):
            outputs = predict(x, count)
            count += len(x)
            wrong = ~np.isfinite(outputs).all(axis=1)
            if wrong.any():
                raise DataError(
                    f"{data.place(int(wrong.argmax()))}: the network's output is not a finite number; the values of "
                    "this row are too far from those it was trained on"
                )
            yield self._frame(outputs, data)
        if not count:
            nothing = _of_columns(self.keep)
            yield self._frame(predict(np.empty((0, *encoder.input_shape), self.model.theta.dtype)), nothing)

    def _tables(self, rows: int) -> Iterator[tuple[Array, Table]]:
        encoder, dtype = self.model.encoder, self.model.theta.dtype
        met: dict[str, None] = {}
        tables = without_labels(self.source).batches(self.base, rows, numbers=self._numbers)
        # Of a pipe nothing is read ahead: waiting for it on another thread could not be interrupted.
        files = all(path != STDIN and resolve(path, self.base).is_file() for path in self.source.files())
        for data in ahead(tables) if files else tables:
            if isinstance(data, Table):
                met.update(dict.fromkeys(data.columns))
                self.ignored.update(dict.fromkeys(n for n in encoder.ignored(data) if n not in self.keep))
                if isinstance(self.source, JsonLines):
                    data = _with_absent_keys(data, (*self._features, *self.keep))
                self._require_kept(data)
            yield encoder.inputs(data, dtype), cast("Table", data)
        if met:
            # Only now it is certain that a key is in no object of JSON lines.
            everything = _of_columns(met, data.name)
            everything.require(self._features)
            self._require_kept(everything)

    def _arrays(self, encoder: ArrayEncoder, rows: int) -> Iterator[tuple[Array, Table]]:
        """Arrays are mapped from disk, so that opening one reads nothing."""
        data = cast("Arrays", without_labels(self.source).suited(encoder.shape).open(self.base))
        x = encoder.raw(data)
        refuse_non_finite(x, data.name)
        tile = tile_rows(self.model.network)
        rows = min(rows, max(1, BLOCK // (8 * prod(encoder.shape)) // tile) * tile)  # large images, fewer at a time
        for start in range(0, len(x), rows):
            part = slice(start, start + rows)
            yield encoder.transform(gather(x, part), self.model.theta.dtype), _of_examples(data[part], start + 1)

    @property
    def _of_arrays(self) -> bool:
        return isinstance(self.model.encoder, ArrayEncoder)

    @property
    def _features(self) -> list[str]:
        encoder = self.model.encoder
        return [] if isinstance(encoder, ArrayEncoder) else [column.name for column in encoder.columns]

    @property
    def _numbers(self) -> list[str]:
        """The columns wanted as numbers; those to keep are copied as they are written."""
        encoder = self.model.encoder
        if isinstance(encoder, ArrayEncoder):
            return []
        return [c.name for c in encoder.columns if c.kind == "numeric" and c.name not in self.keep]

    def _require_kept(self, table: Table) -> None:
        for name in self.keep:
            if name not in table.columns:
                near = nearest(name, table.columns)
                hint = f"did you mean {near!r}? " if near else ""
                raise ConfigError(
                    f"--keep {name}: {table.name} has no such column; {hint}its columns are {listed(table.columns)}"
                )

    def _frame(self, outputs: Array, data: Table) -> pl.DataFrame:
        import polars as pl

        decisions = self.model.encoder.target.decisions(outputs)
        return pl.DataFrame(
            [
                *(data[name] for name in (data.columns if self._of_arrays else dict.fromkeys(self.keep))),
                *(decision.alias(name) for decision, name in zip(decisions, self.decisions, strict=True)),
                *(pl.Series(name, outputs[:, i]) for i, name in enumerate(self.shares)),
            ]
        )


def _with_absent_keys(table: Table, names: Sequence[str]) -> Table:
    """A key that no object of a batch has is a missing value, as one is that only some of them have."""
    import polars as pl

    absent = [pl.lit(None, pl.String).alias(name) for name in names if name not in table.columns]
    return replace(table, frame=table.frame.with_columns(absent))


def _of_examples(data: Arrays, first: int) -> Table:
    """Where examples of arrays come from: their places, and the file of each where it has one of its own."""
    import polars as pl

    files = {} if data.files is None else {"file": data.files}
    return Table(pl.DataFrame(files), data.name, np.arange(first, first + len(data)))


def _of_columns(names: Iterable[str], name: str = "") -> Table:
    """A table of columns without rows."""
    import polars as pl

    return Table(pl.DataFrame(schema=dict.fromkeys(names, pl.String)), name, np.empty(0, int))
