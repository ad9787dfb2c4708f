"""Metrics of probabilities: how well they rank, and how true they are."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.means import mean_of_defined
from nnctl.engine.parameters import Array
from nnctl.metrics.metric import Metric
from nnctl.metrics.predictions import Predictions, Task


class RocAuc(Metric):
    """The area under the ROC curve: how often a positive example scores above a negative one.

        AUC = sum_{i pos, j neg} w_i w_j ([y_i > y_j] + [y_i = y_j] / 2) / (sum_pos w_i  sum_neg w_j)

    For two classes, y is the output of the positive one. For more, and for labels, the mean over the
    classes, each against the rest; classes that every example has, or none, are left out, and nan is
    given where that leaves none. Any scores will do. Outputs (n, C). Source: Hanley and McNeil, "The meaning and
    use of the area under a receiver operating characteristic (ROC) curve", Radiology 143 (1982).

    ```yaml
    {type: roc_auc}
    ```
    """

    type: Literal["roc_auc"] = "roc_auc"
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "multilabel")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, p: Predictions) -> float:
        if p.task == "classification" and p.columns == 2:
            return _area(p.outputs[:, 1], p.true[:, 1], p.weights)
        # A class may be undefined for its examples' sake and be left out; for its outputs' sake it may not.
        return float("nan") if np.isnan(p.outputs).any() else mean_of_defined(self.by_class(p))

    def by_class(self, p: Predictions) -> Array:
        return np.array([_area(p.outputs[:, c], p.true[:, c], p.weights) for c in range(p.columns)])


class LogLoss(Metric):
    """The mean negative logarithm of the probability given to the truth.

        L = -sum_i w_i ln y_i[t_i] / sum_i w_i

    For labels, the mean over labels of -(t ln y + (1 - t) ln(1 - y)). Probabilities are raised to the
    machine epsilon of their dtype first (1.2e-7 for float32), as in scikit-learn, so that one wrong
    certainty costs 16 and not infinity. Unlike the loss it is plain: no class weights, no label
    smoothing. nan without examples, and where the outputs are not probabilities. By class: over the
    examples of the class; of each label. Outputs (n, C). Source: Good, "Rational decisions", Journal of
    the Royal Statistical Society B 14 (1952).

    ```yaml
    {type: log_loss}
    ```
    """

    type: Literal["log_loss"] = "log_loss"
    unit: ClassVar[Literal["", "nats", "target"]] = "nats"
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "multilabel")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, p: Predictions) -> float:
        return float(p.mean(_surprise(p)).mean()) if p.are_probabilities else float("nan")

    def by_class(self, p: Predictions) -> Array:
        if not p.are_probabilities:
            return np.full(p.columns, np.nan)
        return p.mean(_surprise(p)) if p.task == "multilabel" else p.mean_by_class(_surprise(p)[:, 0])


class Brier(Metric):
    """The mean squared distance of probabilities from the truth, as 0 and 1.

        B = sum_i w_i sum_c (y_ic - [t_i = c])^2 / sum_i w_i

    From 0 to 2, as Brier defined it; for two classes the sum is over the positive one only, from 0 to 1,
    as is usual (and as scikit-learn does), and for labels it is the mean over labels. By class: the part
    of each class or label. nan without examples, and where the outputs are not probabilities. Outputs
    (n, C). Source: Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78 (1950).

    ```yaml
    {type: brier}
    ```
    """

    type: Literal["brier"] = "brier"
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "multilabel")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, p: Predictions) -> float:
        each = self.by_class(p)
        if p.task == "multilabel":
            return float(each.mean())
        return float(each[1] if p.columns == 2 else each.sum())

    def by_class(self, p: Predictions) -> Array:
        if not p.are_probabilities:
            return np.full(p.columns, np.nan)
        return p.mean(np.subtract(p.outputs, p.true, dtype=np.float64) ** 2)


def _area(scores: Array, positive: Array, weights: Array | None) -> float:
    """AUC by ranks: each positive beats the negatives of lower score and half of those of equal score."""
    if np.isnan(scores).any():
        return float("nan")
    _, level = np.unique(scores, return_inverse=True)
    pos, neg = (np.bincount(level, s if weights is None else s * weights) for s in (positive, ~positive))
    pairs = pos.sum() * neg.sum()
    return float((pos * (np.cumsum(neg) - neg / 2)).sum() / pairs) if pairs else float("nan")


def _surprise(p: Predictions) -> Array:
    """-ln of the probability given to the truth: (n, 1) for a class, (n, k) for labels."""
    smallest = np.finfo(p.outputs.dtype).eps
    if p.task == "multilabel":
        given = np.where(p.true, p.outputs, 1 - p.outputs)
    else:
        given = np.take_along_axis(p.outputs, p.truth[:, None], axis=1)
    surprise: Array = -np.log(np.clip(given, smallest, 1), dtype=np.float64)
    return surprise
