"""The examples of a training as a stream of batches, each made ready one step ahead where that takes time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from math import ceil
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.dataset import Dataset
from nnctl.engine.batch import Batch
from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream

Item = TypeVar("Item")


class Stream(Protocol):
    """Examples to learn from, epoch by epoch and batch by batch."""

    @property
    def length(self) -> int | None:
        """Batches in an epoch; None where only its end tells."""

    def batches(self, epoch: int, first: int, taken: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0, from its batch `first` on; `taken` came before in the trial.

        A batch depends on its epoch and place alone, not on when or on which thread it is made.
        """


@dataclass(frozen=True)
class Dealt:
    """A data set, dealt out anew in every epoch.

    Attributes:
        data: the examples.
        size: examples in a full batch; the last of an epoch has what is left.
        shuffle: whether every epoch has an order of its own, or that of the data set.
        dtype, seed, trial: of the training.
    """

    data: Dataset
    size: int
    shuffle: bool
    dtype: DTypeLike
    seed: int
    trial: int = 0

    @property
    def length(self) -> int:
        """Batches in an epoch."""
        return ceil(len(self.data) / self.size)

    def batches(self, epoch: int, first: int, taken: int) -> Iterator[Batch]:
        """The batches of an epoch from its batch `first` on."""
        order = self._order(epoch)

        def made(i: int) -> Batch:
            rows = order[i * self.size : (i + 1) * self.size]
            return self.data.batch(rows, self.dtype, self.seed, self.trial, taken + i - first)

        every = map(made, range(first, self.length))
        return ahead(every) if self.data.augmented else every

    def _order(self, epoch: int) -> Array:
        rows = np.arange(len(self.data))
        if self.shuffle:
            stream(self.seed, "shuffle", self.trial, epoch).shuffle(rows)
        return rows


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items in order, each made on another thread while the one before is in use; None ends them."""

    def following() -> Item | None:
        return next(items, None)

    with ThreadPoolExecutor(1, "ahead") as pool:
        # A copy of the context carries NumPy's error handling into the thread.
        waiting = pool.submit(copy_context().run, following)
        while (item := waiting.result()) is not None:
            waiting = pool.submit(copy_context().run, following)
            yield item
