"""Metrics of probabilities: how well they rank, and how true they are."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.means import mean_of_defined
from nnctl.engine.parameters import Array
from nnctl.metrics.metric import MeanMetric, Metric, Sums
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
    undefined: ClassVar[str] = "examples of one class alone"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def start(self, none: Predictions) -> Sums:
        return {**{name: [part] for name, part in self.sums(none).items()}, "two_classes": none.two_classes}

    def add(self, sums: Sums, p: Predictions) -> None:
        """Keep the scores: which is larger is not known before all have been seen."""
        for name, part in self.sums(p).items():
            sums[name].append(part)

    def sums(self, p: Predictions) -> Sums:
        weights = np.ones(len(p.outputs)) if p.weights is None else p.weights
        return {"scores": p.outputs.copy(), "true": p.true, "weights": weights.copy()}

    def value(self, sums: Sums) -> float:
        each = self.by_class(sums)
        if sums["two_classes"]:
            return float(each[1])
        # A class may be undefined for its examples' sake and be left out; for its outputs' sake it may not.
        return float("nan") if any(np.isnan(part).any() for part in sums["scores"]) else mean_of_defined(each)

    def by_class(self, sums: Sums) -> Array:
        scores, true, weights = (np.concatenate(sums[name]) for name in ("scores", "true", "weights"))
        return np.array([_area(own, has, weights) for own, has in zip(scores.T, true.T, strict=True)])


class _Probability(MeanMetric):
    """A mean that has no meaning for outputs that are not probabilities; `nonsense` counts the tiles of those."""

    tasks: ClassVar[tuple[Task, ...]] = ("classification", "multilabel")
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, p: Predictions) -> Sums:
        return {**super().sums(p), "nonsense": int(not p.are_probabilities)}

    def mean(self, sums: Sums) -> Array:
        mean = super().mean(sums)
        return np.full_like(mean, np.nan) if sums["nonsense"] else mean

    def by_class(self, sums: Sums) -> Array | None:
        by_class = super().by_class(sums)
        return by_class if by_class is None or not sums["nonsense"] else np.full_like(by_class, np.nan)


class LogLoss(_Probability):
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

    def each(self, p: Predictions) -> Array:
        """-ln of the probability given to the truth."""
        surprise: Array = -np.log(np.clip(p.given_to_truth(), np.finfo(p.outputs.dtype).eps, 1), dtype=np.float64)
        return surprise


class Brier(_Probability):
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

    def start(self, none: Predictions) -> Sums:
        return {**super().start(none), "exclusive": none.exclusive}

    def each(self, p: Predictions) -> Array:
        with np.errstate(over="ignore"):  # of what is no probability
            return np.square(np.subtract(p.outputs, p.true, dtype=np.float64))

    def value(self, sums: Sums) -> float:
        each = self.mean(sums)
        if not sums["exclusive"]:
            return float(each.mean())
        return float(each[1] if len(each) == 2 else each.sum())


def _area(scores: Array, positive: Array, weights: Array) -> float:
    """AUC by ranks: each positive beats the negatives of lower score and half of those of equal score."""
    if np.isnan(scores).any():
        return float("nan")
    _, level = np.unique(scores, return_inverse=True)
    pos, neg = (np.bincount(level, side * weights) for side in (positive, ~positive))
    pairs = pos.sum() * neg.sum()
    return float((pos * (np.cumsum(neg) - neg / 2)).sum() / pairs) if pairs else float("nan")
