"""The examples a model gets most wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.engine.parameters import Array
from nnctl.use.evaluation import Measured

if TYPE_CHECKING:
    import polars as pl


def worst(measured: Measured, count: int) -> Array:
    """The indices of the examples with the largest loss, the worst first; of equal ones the first first."""
    losses = np.where(np.isnan(measured.losses), np.inf, measured.losses)
    return np.argsort(-losses, kind="stable")[:count]


def worst_frame(measured: Measured, data: Dataset, indices: Array) -> pl.DataFrame:
    """A line for each example: row, truth, prediction, probability of the truth (where there is one) and loss.

    Where there are several outputs, their columns begin with their names; what is not known is empty.
    """
    import polars as pl

    numbers = data.numbers[indices]
    columns = [pl.Series("row", numbers)]
    if data.files is not None:
        columns.append(pl.Series("file", [data.files[number - 1] for number in numbers]))
    for name, each in measured.outputs.items():
        known = data.truths[name].has(indices)
        places = (np.cumsum(data.truths[name].has(slice(None))) - 1)[indices[known]]  # among the predictions
        own = each.target.compared(each.predictions, places)
        probability = each.predictions.probability_of_truth()
        own += [] if probability is None else [pl.Series("probability", probability[places])]
        prefix = f"{name}." if measured.several else ""
        lines = pl.Series(np.where(known, np.cumsum(known) - 1, -1)).replace(-1, None)
        columns += [series.gather(lines).alias(prefix + series.name) for series in own]
    return pl.DataFrame([*columns, pl.Series("loss", measured.losses[indices])])
