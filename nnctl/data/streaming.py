"""New examples batch by batch, for predictions on files that need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from numpy.typing import DTypeLike

from nnctl.data.encoder import Encoder
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.base import without_labels
from nnctl.data.tables import Table
from nnctl.engine.parameters import Array

ROWS = 4096
Item = TypeVar("Item")


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


@dataclass(frozen=True)
class Batch:
    """Some examples: encoded, as they were, and the columns that play no part."""

    x: Array
    data: Table | Arrays
    ignored: tuple[str, ...]


def stream_inputs(
    encoder: Encoder,
    source: Source,
    base: Path,
    dtype: DTypeLike,
    rows: int = ROWS,
    *,
    skip_malformed: bool = False,
) -> Iterator[Batch]:
    """Encode a source without targets, `rows` at a time; the same numbers as all at once.

    Raises:
        DataError: at the first batch that cannot be read or encoded.
    """
    for data in without_labels(source).batches(base, rows, skip_malformed=skip_malformed):
        yield Batch(encoder.inputs(data, dtype), data, tuple(encoder.ignored(data)))
