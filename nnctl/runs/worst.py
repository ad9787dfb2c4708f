"""The examples a model gets most wrong, and what is confused with what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.runs.evaluation import Evaluation

if TYPE_CHECKING:
    import polars as pl


def worst(found: Evaluation, count: int) -> Array:
    """The indices of the examples with the largest loss, the worst first; of equal ones the first first."""
    losses = np.where(np.isnan(found.losses), np.inf, found.losses)
    return np.argsort(-losses, kind="stable")[:count]


def worst_frame(found: Evaluation, indices: Array, numbers: Array, files: Sequence[str] | None = None) -> pl.DataFrame:
    """A line for each example: row, truth, prediction, probability of the truth (where there is one) and loss.

    `files` name the file of every row, where examples are files.
    """
    import polars as pl

    columns = [pl.Series("row", numbers)]
    if files is not None:
        columns.append(pl.Series("file", [files[number - 1] for number in numbers]))
    columns += found.target.compared(found.predictions, indices)
    probability = found.target.probability_of_truth(found.predictions)
    if probability is not None:
        columns.append(pl.Series("probability", probability[indices]))
    return pl.DataFrame([*columns, pl.Series("loss", found.losses[indices])])
