"""The example of a row of its source: what `eval --worst` names and `plot --example` reads."""

from pathlib import Path

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.data.loading import encode
from nnctl.data.reading import read
from nnctl.errors import ConfigError
from nnctl.runs.model import Model
from nnctl.use.evaluation import Split


def example(data: Dataset, number: int) -> Dataset:
    """The example of a row, counted from 1 as the source has them; the header of a table is none of them.

    Raises:
        ConfigError: where there is none.
    """
    places = np.flatnonzero(data.numbers == number)
    if not len(places):
        raise ConfigError(
            f"--example {number}: there is no such row; rows are counted from 1, and the last is {data.numbers[-1]}"
        )
    return data.subset(places)


def rows_of_source(model: Model, folder: Path, split: Split) -> Dataset:
    """All examples of the source that a split was taken from."""
    raw = read(model.experiment.data, folder, model.experiment.loss)
    opened = raw.opened.get(split, raw.opened["train"])
    return encode(model.fitted, opened, opened.usable, model.theta.dtype, unseen="other").for_losses(model.losses)
