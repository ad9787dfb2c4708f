"""The batches of an epoch, made ready one step ahead where that takes time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from numpy.typing import DTypeLike

from nnctl.data.dataset import Dataset
from nnctl.data.streaming import ahead
from nnctl.engine.parameters import Array
from nnctl.engine.shards import Rows

Item = TypeVar("Item")
Result = TypeVar("Result")
Batch = tuple[Rows, Array, Array | None]


def batches(
    data: Dataset, rows: Sequence[Array], dtype: DTypeLike, seed: int, restart: int, step: int
) -> Iterator[Batch]:
    """Inputs, targets and weights of each batch, from the one of a step on.

    A batch depends on its rows, the seed, the restart and the step alone, not on when or on which
    thread it is made.
    """

    def made(i: int) -> Batch:
        return data.batch(rows[i], dtype, seed, restart, step + i)

    every = range(len(rows))
    return one_ahead(made, every) if data.augmentations else map(made, every)


def one_ahead(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results in order, each computed on another thread while the one before is in use."""
    return ahead(map(function, items))
