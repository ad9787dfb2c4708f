"""The batches of an epoch, made ready one step ahead where that takes time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from numpy.typing import DTypeLike

from nnctl.data.dataset import Dataset
from nnctl.engine.parameters import Array

Item = TypeVar("Item")
Result = TypeVar("Result")
Batch = tuple[Array, Array, Array | None]


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
    with ThreadPoolExecutor(1, "batches") as pool:
        # A copy of the context carries NumPy's error handling into the thread.
        waiting = [pool.submit(copy_context().run, function, item) for item in items[:1]]
        for item in items[1:]:
            ready = waiting.pop().result()
            waiting.append(pool.submit(copy_context().run, function, item))
            yield ready
        for last in waiting:
            yield last.result()
