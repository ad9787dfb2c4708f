"""Which row of its source an example is: what `eval --worst` writes and `plot --example` reads.

Rows are counted from 1 as the source has them; the header of a table is none of them.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.data.encoder import ArrayEncoder
from nnctl.data.sources import Arrays
from nnctl.data.tables import Table
from nnctl.data.targets import with_target
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.runs.evaluation import Split
from nnctl.runs.model import Model


@dataclass(frozen=True)
class Rows:
    """Examples, and the row of each in its source, (n,)."""

    data: Dataset
    numbers: Array

    def example(self, number: int) -> Dataset:
        """The example of a row.

        Raises:
            ConfigError: where there is none.
        """
        found = np.flatnonzero(self.numbers == number)
        if not len(found):
            raise ConfigError(
                f"--example {number}: there is no such row; rows are counted from 1, and the last is {self.numbers[-1]}"
            )
        return some(self.data, found)


def some(data: Dataset, indices: Array) -> Dataset:
    """Some of the examples."""
    w = None if data.w is None else data.w[indices]
    taken = replace(data, truth=data.truth[indices], t=data.t[indices], w=w)
    if isinstance(data.encoder, ArrayEncoder):
        return replace(taken, rows=indices if data.rows is None else data.rows[indices])
    return replace(taken, x=data.x[indices])


def all_rows(data: Dataset) -> Rows:
    """The examples of a file; where some were left out, those that were read are counted."""
    return Rows(data, np.arange(1, len(data) + 1))


def opened_source(model: Model, folder: Path, split: Split) -> Table | Arrays:
    """What a split was taken from, as training opened it."""
    spec = model.experiment.data
    own = {"train": spec.train, "validation": spec.validation, "test": spec.test}[split]
    source = own or spec.source or spec.train
    if source is None:
        raise DataError("this model does not say where its data came from; name a file with --data")
    return source.open(folder, skip_malformed=spec.malformed == "skip")


def rows_of_source(model: Model, folder: Path, split: Split) -> Rows:
    """All examples of the source that a split was taken from."""
    spec, encoder, opened = model.experiment.data, model.encoder, opened_source(model, folder, split)
    if not isinstance(opened, Table):
        truth = encoder.truth(opened)
        x = encoder.raw(opened) if isinstance(encoder, ArrayEncoder) else opened.x
        return all_rows(Dataset(encoder, x, truth, truth).for_loss(model.loss, model.theta.dtype))
    kept = with_target(opened, encoder.target.columns, spec.missing_target)
    x, truth = encoder.inputs(kept, model.theta.dtype, unseen="other"), encoder.truth(kept)
    data = Dataset(encoder, x, truth, truth).for_loss(model.loss, model.theta.dtype)
    return Rows(data, np.searchsorted(opened.lines, kept.lines) + 1)


def row_numbers(model: Model, folder: Path, split: Split, data: Dataset, indices: Array) -> Array:
    """The rows of some examples of a split.

    The examples of a table are found again by their contents: of rows that are alike in every feature and in the
    target, the first are named.
    """
    if data.rows is not None:
        numbers: Array = data.rows[indices] + 1
        return numbers
    source = rows_of_source(model, folder, split)
    met: Counter[bytes] = Counter()
    found = []
    for i in indices:
        same_truth = (source.data.truth == data.truth[i]).reshape(len(source.data), -1).all(axis=1)
        alike = np.flatnonzero((source.data.x == data.x[i]).all(axis=1) & same_truth)
        if not len(alike):
            raise DataError("an example of this split is not in the data any more; measure on a file with --data")
        found.append(source.numbers[alike[met[alike.tobytes()] % len(alike)]])
        met[alike.tobytes()] += 1
    return np.array(found)
