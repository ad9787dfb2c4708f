"""Predictions for new examples, some rows at a time.

The last bits of a matrix product depend on its height and, with some kernels and shapes, on the place of a row in
it: the BLAS works on blocks and has other code for what is left over. So that the size of the batches changes not one
digit, every product has the same height, and row i of a file has place i modulo this height in its tile. What a
batch leaves empty of a tile is computed too, and thrown away. Sequences have no place in a tile, which holds as many
steps as its rows have: batches of them are whole tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.data.batching import ahead
from nnctl.data.inputs import FittedInput
from nnctl.data.reading import in_folder
from nnctl.data.scaling import BLOCK
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.base import without_labels
from nnctl.data.sources.files import STDIN, resolve
from nnctl.data.sources.jsonl import JsonLines
from nnctl.data.tables import Table
from nnctl.engine.parameters import Array
from nnctl.engine.tiles import Lane, Tiles
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError, DataError
from nnctl.names import unknown
from nnctl.runs.model import Model
from nnctl.use.drift import Drift

if TYPE_CHECKING:
    import polars as pl

#: Rows read, predicted and written at a time: enough to be fast, few enough for any memory.
ROWS = 1 << 15


class Predictor:
    """A model as a function of its inputs; the outputs of a row depend on nothing but that row and its number.

    Attributes:
        filled: whether tiles are filled up to their height; with sequences a row's last bits depend on its tile.
    """

    def __init__(self, model: Model, workers: Workers | None = None) -> None:
        self.model = model
        self.tiles = Tiles(model.network, model.theta, workers)
        self.filled = not any(fitted.signal.steps for fitted in model.fitted.inputs.values())
        shapes = {name: model.network.shape_of(name) for name in model.fitted.outputs}
        self.nothing = self._decoded({name: np.empty((0, *shape), model.theta.dtype) for name, shape in shapes.items()})

    def __call__(self, inputs: Mapping[str, Any], first: int = 0) -> dict[str, Array]:
        """By output, of inputs (n, ...) (n, columns): a number for each class or label, or in the target's own units.

        `first` is how many rows came before these.
        """
        height, count = self.tiles.rows, len(next(iter(inputs.values())))

        def run(lane: Lane, rows: slice) -> dict[str, Array]:
            xs, own = {name: x[rows] for name, x in inputs.items()}, slice(None)
            if self.filled:
                start = (first + rows.start) % height
                own = slice(start, start + rows.stop - rows.start)
                for name, x in xs.items():
                    tile = lane.memory.buffer(f"tile {name}", (height, *x.shape[1:]))
                    tile[own], xs[name] = x, tile
            decoded = self._decoded(lane.forward.forward(xs))
            return {name: y[own].copy() for name, y in decoded.items()}  # the lane's memory is used again

        with np.errstate(all="ignore"):  # what is not finite is found in the outputs
            tiles = [self.nothing, *self.tiles.each(count, run, first)]
        return {name: np.concatenate([tile[name] for tile in tiles]) for name in self.nothing}

    def _decoded(self, ys: Mapping[str, Array]) -> dict[str, Array]:
        model = self.model
        return {n: target.decode(model.losses[n].predict(ys[n])) for n, target in model.fitted.outputs.items()}


@dataclass
class Prediction:
    """The predictions for a source, as frames.

    Attributes:
        keep: columns of the data that are copied in front of the predictions.
        probabilities: whether to give one a class or label besides the decision.
        ignored: the columns met so far that play no part, in order.
        note: what the user should know of how the source was read.
        drift: looks at all that passes by, where it is asked to.
    """

    model: Model
    source: Source
    base: Path = Path()
    keep: Sequence[str] = ()
    probabilities: bool = True
    ignored: dict[str, None] = field(default_factory=dict)
    note: str = ""
    drift: Drift | None = None

    @cached_property
    def decisions(self) -> dict[str, list[str]]:
        """By output, the names of the predicted columns: one, or one a column of the target where it has several."""
        return {
            name: [_joined("prediction", self._prefix(name), column) for column in target.columns]
            if len(target.columns) > 1
            else [_joined("prediction", self._prefix(name))]
            for name, target in self.model.fitted.outputs.items()
        }

    @cached_property
    def shares(self) -> dict[str, list[str]]:
        """By output, the names of the columns of probabilities."""
        return {
            name: [_joined("probability", self._prefix(name), each) for each in target.names]
            for name, target in self.model.fitted.outputs.items()
            if self.probabilities and target.has_shares
        }

    def check(self) -> None:
        """Check that every column can be kept beside the predictions.

        Raises:
            ConfigError: naming the first that cannot.
        """
        own = {column for columns in (*self.decisions.values(), *self.shares.values()) for column in columns}
        for name in self.keep:
            if not self.model.fitted.of_table:
                raise ConfigError(
                    f"--keep {name}: the model takes arrays, whose columns have no names; the file of each "
                    "picture is copied without being asked, so leave --keep out"
                )
            if name in own:
                raise ConfigError(f"--keep {name}: the predictions have a column of that name; rename it in the data")

    def frames(self, rows: int = ROWS, workers: Workers | None = None) -> Iterator[pl.DataFrame]:
        """The predictions in the order of the source, `rows` at a time at most; a source without rows gives one frame.

        Of sequences, `rows` are rounded up to whole tiles.

        Raises:
            DataError: naming all columns that are not there, or the place of a value that cannot be.
            ConfigError: where a column to keep is not there.
        """
        predict, dtype = Predictor(self.model, workers), self.model.theta.dtype
        fitted: Mapping[str, FittedInput] = self.model.fitted.inputs
        numbers = sum(each.signal.repeats * prod(each.shape) for each in fitted.values())
        tile = predict.tiles.rows
        rows = rows if predict.filled else ceil(rows / tile) * tile
        most = min(rows, max(1, BLOCK // (8 * max(1, numbers)) // tile) * tile)  # large images, fewer at a time
        count = 0
        for data in self._data(rows):
            values = {name: each.read(data) for name, each in fitted.items()}
            for start in range(0, len(data), most):
                part = slice(start, min(start + most, len(data)))
                outputs = predict({n: each.encode(values[n], part, dtype) for n, each in fitted.items()}, count)
                count += part.stop - part.start
                described = data if isinstance(data, Table) else data.examples()
                described = described if len(described) <= most else described.take(np.arange(part.start, part.stop))
                if self.drift is not None:
                    self.drift.add(values, part, outputs, described.place)
                for y in outputs.values():
                    wrong = ~np.isfinite(y).all(axis=1)
                    if wrong.any():
                        raise DataError(
                            f"{described.place(int(wrong.argmax()))}: the network's output is not a finite number; "
                            "the values of this row are too far from those it was trained on"
                        )
                yield self._frame(outputs, described)
        if not count:
            yield self._frame(predict.nothing, _of_columns(self.keep))

    def _data(self, rows: int) -> Iterator[Table | Arrays]:
        """Tables of some rows at a time; arrays at once, as they are mapped from disk and opening one reads nothing."""
        fitted, source = self.model.fitted, without_labels(self.source)
        if not fitted.of_table:
            yield fitted.suited(source).open(self.base)
            return
        met: dict[str, None] = {}
        wanted = [name for name in fitted.numeric if name not in self.keep]  # those to keep are copied as written
        tables = source.needing(fitted.reads).batches(self.base, rows, numbers=wanted)
        # Of a pipe nothing is read ahead: waiting for it on another thread could not be interrupted.
        files = all(path != STDIN and resolve(path, self.base).is_file() for path in self.source.files())
        for data in ahead(tables) if files else tables:
            if isinstance(data, Table):
                met.update(dict.fromkeys(data.columns))
                self.note = data.note
                self.ignored.update(dict.fromkeys(n for n in fitted.ignored(data) if n not in self.keep))
                if isinstance(self.source, JsonLines):
                    data = _with_absent_keys(data, (*fitted.reads, *self.keep))
                self._require_kept(data)
            yield in_folder(data, self.source, self.base)
        if met:
            # Only now it is certain that a key is in no object of JSON lines.
            everything = _of_columns(met, data.name)
            everything.require(fitted.reads)
            self._require_kept(everything)

    def _require_kept(self, table: Table) -> None:
        wrong = [name for name in self.keep if name not in table.columns]
        if wrong:
            raise ConfigError(f"--keep: {table.name} has {unknown('column', wrong, table.columns)}")

    def _frame(self, outputs: Mapping[str, Array], data: Table) -> pl.DataFrame:
        import polars as pl

        kept = dict.fromkeys(self.keep) if self.model.fitted.of_table else data.columns
        columns = [data[name] for name in kept]
        for name, target in self.model.fitted.outputs.items():
            decided = zip(target.decisions(outputs[name]), self.decisions[name], strict=True)
            columns += [decision.alias(column) for decision, column in decided]
            columns += [pl.Series(column, outputs[name][:, i]) for i, column in enumerate(self.shares.get(name, ()))]
        return pl.DataFrame(columns)

    def _prefix(self, output: str) -> str:
        """What the columns of an output are called by; nothing where there is only one."""
        return output if len(self.model.fitted.outputs) > 1 else ""


def _joined(*parts: str) -> str:
    return "_".join(part for part in parts if part)


def _with_absent_keys(table: Table, names: Sequence[str]) -> Table:
    """A key that no object of a batch has is a missing value, as one is that only some of them have."""
    import polars as pl

    absent = [pl.lit(None, pl.String).alias(name) for name in names if name not in table.columns]
    return replace(table, frame=table.frame.with_columns(absent))


def _of_columns(names: Iterable[str], name: str = "") -> Table:
    """A table of columns without rows."""
    import polars as pl

    return Table(pl.DataFrame(schema=dict.fromkeys(names, pl.String)), name, np.empty(0, int))
