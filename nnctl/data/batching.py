"""The batches of an epoch, made ready one step ahead where that takes time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from numpy.typing import DTypeLike

from nnctl.data.dataset import Dataset
from nnctl.engine.batch import Batch
from nnctl.engine.parameters import Array

Item = TypeVar("Item")


def batches(
    data: Dataset, rows: Sequence[Array], dtype: DTypeLike, seed: int, restart: int, step: int
) -> Iterator[Batch]:
    """Inputs, targets and weights of each batch, from the one of a step on.

    A batch depends on its rows, the seed, the restart and the step alone, not on when or on which
    thread it is made.
    """

    def made(i: int) -> Batch:
        return data.batch(rows[i], dtype, seed, restart, step + i)

    every = map(made, range(len(rows)))
    return ahead(every) if data.augmented else every


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
