"""The contract every source keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nnctl.data.tables import Table
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError
from nnctl.names import unknown
from nnctl.spec import Spec


@dataclass(frozen=True)
class Arrays:
    """Examples as arrays: inputs x (n, ...), mapped from disk where possible, and targets.

    `labels` is (n,) or (n, k), or None where the source has none of its own. The last column of a
    matrix x is then the target where one is wanted: see `with_labels`.

    Attributes:
        files: the file of each example, where each has one of its own.
        malformed: the examples left out because they could not be read, each with its place.
        digest: SHA-256 of all the files, where there are more than `Source.files` names.
        arrays: the inputs by name, where there are several; x is the first.
    """

    x: Array
    labels: Array | None
    name: str
    files: tuple[str, ...] | None = None
    malformed: tuple[str, ...] = ()
    digest: str | None = None
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice) -> Arrays:
        labels = None if self.labels is None else self.labels[rows]
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        return replace(self, x=self.x[rows], labels=labels, files=self.files and self.files[rows], arrays=arrays)

    @property
    def shape(self) -> Shape:
        """The shape of one example."""
        return self.x.shape[1:]

    def with_labels(self) -> Arrays:
        """The same with targets, taken from the last column where they are not on their own.

        Raises:
            DataError: where there are none.
        """
        if self.labels is not None:
            return self
        if self.x.ndim != 2 or self.x.shape[1] < 2 or self.arrays:
            raise DataError(
                f"{self.name}: holds inputs of shape {self.x.shape} and no targets; write `labels:` in its source "
                "(for --data: put them beside it, as x-labels.idx beside x-images.idx, or y.npy beside x.npy)"
            )
        return Arrays(self.x[:, :-1], self.x[:, -1], self.name)

    def array(self, name: str | None) -> Array:
        """The inputs, or one of several by its name.

        Raises:
            DataError: where there is none of that name.
        """
        if name is None:
            return self.x
        if name not in self.arrays:
            raise DataError(
                f"{self.name}: has {unknown('array', name, self.arrays)}; `inputs` in its source names them"
            )
        return self.arrays[name]

    @property
    def target_columns(self) -> tuple[str, ...]:
        """What the targets are called here; nothing where they have no names."""
        return ()

    def place(self, row: int) -> str:
        """Where an example stands, for messages."""
        return f"{self.name}, row {row + 1}"

    def examples(self) -> Table:
        """What is known of each example: the file, where it has one of its own."""
        import polars as pl

        files = {} if self.files is None else {"file": self.files}
        return Table(pl.DataFrame(files), self.name, np.arange(1, len(self) + 1))

    def target_table(self, names: tuple[str, ...] = ()) -> Table:
        """The targets as a table, so that one piece of code reads all targets.

        Raises:
            DataError: where there are none, or more or fewer columns of them than names.
        """
        import polars as pl

        columns = np.atleast_2d(np.asarray(self.with_labels().labels).T)
        own = self.target_columns
        if own and (not names or sorted(names) == sorted(own)):
            names = own
        if not names:
            names = ("target",) if len(columns) == 1 else tuple(f"target_{i}" for i in range(1, len(columns) + 1))
        if len(names) != len(columns):
            raise DataError(
                f"{self.name}: targets with {len(columns)} columns, where {len(names)} are named: {', '.join(names)}"
            )
        native = [c.astype(c.dtype.newbyteorder("=")) for c in columns]
        frame = pl.DataFrame(dict(zip(names, native, strict=True)))
        return ExampleTable(frame, self.name, np.arange(1, len(self) + 1), arrays=self)


@dataclass(frozen=True)
class ExampleTable(Table):
    """What is known of examples of arrays; where a row stands, these know."""

    arrays: Arrays | None = None

    def place(self, row: int) -> str:
        return self.arrays.place(int(self.lines[row]) - 1) if self.arrays else super().place(row)


class Source(Spec):
    """Where examples come from. Paths are relative to `base`, the folder of the experiment file."""

    type: str

    def open(self, base: Path, *, skip_malformed: bool = False) -> Table | Arrays:
        """All examples.

        Raises:
            DataError: where the file is missing, empty, damaged or not in this format, and for the
                first malformed row unless `skip_malformed`.
        """
        raise NotImplementedError

    def batches(
        self, base: Path, rows: int, *, skip_malformed: bool = False, numbers: Collection[str] = ()
    ) -> Iterator[Table | Arrays]:
        """The same examples, `rows` at a time, without holding them all where the format allows.

        `numbers` are columns wanted as numbers: a text format may give them as such, which is faster than strings.
        """
        data = self.open(base, skip_malformed=skip_malformed)
        for start in range(0, len(data), rows):
            stop = min(start + rows, len(data))
            if isinstance(data, Arrays):
                yield data[start:stop]
            else:
                yield replace(data, frame=data.frame[start:stop], lines=data.lines[start:stop])

    def files(self) -> tuple[str, ...]:
        """The paths the source reads."""
        return ()

    def needing(self, columns: Iterable[str]) -> Source:
        """The same source, of which only these columns are needed; it matters where columns have no names."""
        return self

    def suited(self, shape: Shape) -> Source:
        """The same source for a model whose examples have this shape; only images have a choice."""
        return self


def without_labels(source: Source) -> Source:
    """The same source, whose targets are not looked for."""
    return source.model_copy(update={"labels": None}) if "labels" in type(source).model_fields else source
