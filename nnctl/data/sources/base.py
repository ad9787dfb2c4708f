"""The contract every source keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nnctl.data.tables import Table
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError
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
    """

    x: Array
    labels: Array | None
    name: str
    files: tuple[str, ...] | None = None
    malformed: tuple[str, ...] = ()
    digest: str | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice) -> Arrays:
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, x=self.x[rows], labels=labels, files=self.files and self.files[rows])

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
        if self.x.ndim != 2 or self.x.shape[1] < 2:
            raise DataError(
                f"{self.name}: holds inputs of shape {self.x.shape} and no targets; write `labels:` in its source "
                "(for --data: put them beside it, as x-labels.idx beside x-images.idx, or y.npy beside x.npy)"
            )
        return Arrays(self.x[:, :-1], self.x[:, -1], self.name)


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
                yield Table(data.frame[start:stop], data.name, data.lines[start:stop], data.unit, data.malformed)

    def files(self) -> tuple[str, ...]:
        """The paths the source reads."""
        return ()

    def suited(self, shape: Shape) -> Source:
        """The same source for a model whose examples have this shape; only images have a choice."""
        return self


def without_labels(source: Source) -> Source:
    """The same source, whose targets are not looked for."""
    return source.model_copy(update={"labels": None}) if "labels" in type(source).model_fields else source
