"""New examples batch by batch, for predictions on files that need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from numpy.typing import DTypeLike

from nnctl.data.encoder import Encoder
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.base import without_labels
from nnctl.data.tables import Table
from nnctl.engine.parameters import Array

ROWS = 4096


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
