"""The contracts of inputs: what the experiment file says, what was fitted, and the examples of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.augmentation import Augmentation, augment
from nnctl.data.image_cache import gather
from nnctl.data.preprocess import Kind, Preprocess
from nnctl.data.report import Problem
from nnctl.data.sources import Arrays, Source
from nnctl.data.tables import Table
from nnctl.data.targets import Truth
from nnctl.data.watching import Watch
from nnctl.engine.graph import Signal
from nnctl.engine.parameters import Array, Shape
from nnctl.engine.sequences import Sequences
from nnctl.errors import DataError
from nnctl.spec import Spec


class Input(Spec):
    """What one of a network's inputs is made of, as the experiment file says."""

    type: str

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of a table it is made of, by the key that names them."""
        return {}

    @property
    def features(self) -> tuple[str, ...]:
        """Those of them that are read as numbers or categories."""
        return ()

    @property
    def augmentations(self) -> tuple[Augmentation, ...]:
        """The random changes of its training batches."""
        return ()

    def read(self, data: Table | Arrays, left_out: dict[int, str] | None = None) -> Any:
        """Its raw values, one for each example.

        Rows that cannot be read are put into `left_out`, each with its place and what is wrong.

        Raises:
            DataError: where nothing can be read, or a row cannot and there is no `left_out`.
            ConfigError: where the data have nothing such an input is made of.
        """
        raise NotImplementedError

    def fitted(self, values: Any, rows: Array, prepare: Preprocess, kinds: Mapping[str, Kind]) -> Any:
        """The `FittedInput`: everything that is chosen from training rows; of columns, `kinds` says what each holds."""
        raise NotImplementedError


class FittedInput(Spec):
    """An input as it was in training: all that turns data into what the network takes. The model file has it."""

    type: str

    if TYPE_CHECKING:

        @property
        def shape(self) -> Shape:
            """Of one example, or of one step of a sequence; a property or a field."""

    @property
    def of_table(self) -> bool:
        """Whether it is made of a table's columns, not of an array."""
        return True

    @property
    def signal(self) -> Signal:
        """What the network gets."""
        return Signal(self.shape)

    @property
    def names(self) -> tuple[str, ...]:
        """What the data call each value of an example; none where they have no names."""
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of a table it is made of."""
        return ()

    @property
    def numeric(self) -> tuple[str, ...]:
        """Those of them that hold numbers."""
        return ()

    def suited(self, source: Source) -> Source:
        """A source that gives examples of this kind, where it has a choice."""
        return source

    def read(self, data: Table | Arrays) -> Any:
        """Its raw values, one for each example, checked.

        Raises:
            DataError: naming what is not there, or the place of a value that cannot be.
        """
        raise NotImplementedError

    def feed(self, values: Any, rows: Array, dtype: DTypeLike, unseen: Literal["other"] | None = None) -> Feed:
        """Some rows of raw values, ready to be taken batch by batch; `unseen` is for new categories."""
        return Feed(self, values, rows)

    def gather(self, values: Any, rows: Array | slice) -> Any:
        """Some rows of what a feed holds."""
        return gather(values, rows)

    def transform(self, values: Any, dtype: DTypeLike) -> Any:
        """What the network takes, made of what a feed holds."""
        raise NotImplementedError

    def encode(self, values: Any, rows: slice, dtype: DTypeLike) -> Any:
        """What the network takes, of some rows of raw values."""
        return self.transform(self.gather(values, rows), dtype)

    def inputs(self, data: Table | Arrays, dtype: DTypeLike) -> Any:
        """What the network takes, of all examples there are."""
        return self.encode(self.read(data), slice(0, len(data)), dtype)

    def undone(self, z: Array) -> Array:
        """Numbers as they were before they were transformed, (n, *shape)."""
        return z

    def missing(self, values: Any) -> dict[str, int]:
        """Empty cells by column, where there are any."""
        return {}

    def watch(self) -> Watch:
        """What new data are held against."""
        return Watch()

    def problems(self, values: Any, rows: Array, truths: Sequence[Truth]) -> list[Problem]:
        """What looks wrong in the training rows, beside their truths."""
        return []

    def unseen(self, values: Any, rows: Array, split: str) -> list[Problem]:
        """What rows of another split have that training has not."""
        return []

    def hashes(self, values: Any, rows: Array) -> Array:
        """A number for each row that rows of equal values share."""
        raise NotImplementedError


@dataclass(frozen=True)
class Feed:
    """An input of the examples of a split.

    Attributes:
        fitted: what makes inputs of the values.
        values: one for each example, or for each of the whole source, which then is encoded batch by batch and
            need never fit into memory.
        rows: which of the values are meant, (n,); None for all.
        augmentations: what `changed` does to them; only the split that is trained on has any.
    """

    fitted: FittedInput
    values: Any
    rows: Array | None = None
    augmentations: tuple[Augmentation, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes in memory, or on disk."""
        held = [self.values.values, self.values.lengths] if isinstance(self.values, Sequences) else [self.values]
        return sum(int(array.nbytes) for array in held)

    def take(self, indices: Array | slice, dtype: DTypeLike) -> Any:
        """The inputs of some examples. They may be views: read, do not write."""
        return self.fitted.transform(self._raw(indices), dtype)

    def changed(self, indices: Array, t: Array, dtype: DTypeLike, seed: int, *address: int) -> tuple[Array, Array]:
        """Inputs and encoded targets of some examples, augmented by the random streams at an address."""
        x = self._raw(indices)
        z, t = augment(self.augmentations, x.astype(dtype), t, seed, *address)
        if x.dtype == np.uint8:
            np.clip(z, 0, 255, out=z)
        return self.fitted.transform(z, dtype), t

    def subset(self, indices: Array) -> Feed:
        """The same of some of the examples."""
        if self.rows is None:
            return replace(self, values=self.fitted.gather(self.values, indices))
        return replace(self, rows=self.rows[indices])

    def _raw(self, indices: Array | slice) -> Any:
        return self.fitted.gather(self.values, indices if self.rows is None else self.rows[indices])


@dataclass(frozen=True)
class Gathered:
    """The inputs of a batch, brought together part by part, each on the thread that asks for it.

    Gathering a batch of 128 rows of 784 values takes 60 us, which is 5 % of the step of a small perceptron.
    """

    feed: Feed
    indices: Array
    dtype: DTypeLike

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, rows: slice) -> Any:
        return self.feed.take(self.indices[rows], self.dtype)


def table_of(data: Table | Arrays) -> Table:
    """The data of an input made of columns.

    Raises:
        DataError: where they are an array.
    """
    if isinstance(data, Table):
        return data
    raise DataError(f"{data.name}: holds an array, and the model was trained on the columns of a table")


def arrays_of(data: Table | Arrays) -> Arrays:
    """The data of an input made of an array.

    Raises:
        DataError: where they are a table.
    """
    if isinstance(data, Arrays):
        return data
    raise DataError(f"{data.name}: holds a table, and the model was trained on arrays (npy, npz or idx)")
