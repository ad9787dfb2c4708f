"""The examples a model gets most wrong, and what is confused with what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.target import Target
from nnctl.engine.parameters import Array
from nnctl.metrics import Predictions
from nnctl.runs.evaluation import Evaluation

if TYPE_CHECKING:
    import polars as pl


def worst(found: Evaluation, count: int) -> Array:
    """The indices of the examples with the largest loss, the worst first; of equal ones the first first."""
    losses = np.where(np.isnan(found.losses), np.inf, found.losses)
    return np.argsort(-losses, kind="stable")[:count]


def probability_of_truth(p: Predictions) -> Array | None:
    """The probability (n,) that the model gives to the truth, of labels to all of them together; None without any."""
    if p.task == "regression" or not p.are_probabilities:
        return None
    if p.task == "classification":
        own: Array = np.take_along_axis(p.outputs, p.truth[:, None], axis=1)[:, 0]
        return own
    all_right: Array = np.where(p.true, p.outputs, 1 - p.outputs).prod(axis=1)
    return all_right


def worst_frame(
    found: Evaluation, target: Target, indices: Array, numbers: Array, files: Sequence[str] | None = None
) -> pl.DataFrame:
    """A line for each example: row, truth, prediction, probability of the truth (where there is one) and loss.

    `files` name the file of every row, where examples are files.
    """
    import polars as pl

    p = found.predictions
    columns = [pl.Series("row", numbers)]
    if files is not None:
        columns.append(pl.Series("file", [files[number - 1] for number in numbers]))
    if p.task == "regression":
        for i, name in enumerate(target.columns):
            ending = f"_{name}" if len(target.columns) > 1 else ""
            columns.append(pl.Series(f"truth{ending}", p.truth[indices, i]))
            columns.append(pl.Series(f"prediction{ending}", p.outputs[indices, i]))
    else:
        columns.append(pl.Series("truth", [truth_text(target, p.truth[i]) for i in indices], pl.String))
        columns.append(pl.Series("prediction", [answer_text(target, p.outputs[i]) for i in indices], pl.String))
    probability = probability_of_truth(p)
    if probability is not None:
        columns.append(pl.Series("probability", probability[indices]))
    return pl.DataFrame([*columns, pl.Series("loss", found.losses[indices])])


def answer_text(target: Target, outputs: Array) -> str:
    """What a model says of one example, from its decoded outputs (columns,)."""
    if target.task == "classification":
        return target.classes[int(outputs.argmax())]
    if target.task == "multilabel":
        return _listed(target, outputs > 0.5)
    return ", ".join(f"{value:.4g}" for value in outputs)


def truth_text(target: Target, truth: Array) -> str:
    """What is true of one example."""
    if target.task == "classification":
        return target.classes[int(truth)]
    return _listed(target, truth != 0) if target.task == "multilabel" else ", ".join(f"{value:.4g}" for value in truth)


def _listed(target: Target, has: Array) -> str:
    return ", ".join(name for name, yes in zip(target.columns, has, strict=True) if yes) or "none"
