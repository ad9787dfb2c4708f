"""Metrics of decisions: which class was chosen, and was it right."""

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.means import mean_of_defined, ratio
from nnctl.engine.parameters import Array
from nnctl.metrics.confusion import Counts
from nnctl.metrics.metric import MeanMetric, Metric, Sums
from nnctl.metrics.predictions import Predictions, Task

#: Products below it have lost digits.
SMALLEST = 1e-290


class Accuracy(MeanMetric):
    """The share of examples whose class is right.

        A = sum_i w_i [argmax_c y_ic = t_i] / sum_i w_i

    By class: the share among the examples of that class, its recall. The first of equal outputs is the
    decision. Outputs y (n, C), truth t (n,); nan without examples. For several labels per example see
    `hamming_accuracy` and `subset_accuracy`. Source: Bishop, "Pattern Recognition and Machine
    Learning" (2006), section 1.5.1 (the misclassification rate is 1 - A).

    ```yaml
    {type: accuracy}
    ```
    """

    type: Literal["accuracy"] = "accuracy"
    tasks: ClassVar[tuple[Task, ...]] = ("classification",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    rarely_reached: ClassVar[float | None] = 1.0

    def each(self, p: Predictions) -> Array:
        return p.is_right


class TopK(MeanMetric):
    """The share of examples whose class is among the k with the largest outputs.

        A_k = sum_i w_i [rank of t_i in y_i <= k] / sum_i w_i

    The earlier of equal outputs ranks first, so that k = 1 is `accuracy`; scikit-learn ranks the later
    one first. It is 1 where there are no more than k classes. Outputs that are not numbers rank first, but
    for the true class's own, which then ranks last. Outputs (n, C); by class as in `accuracy`. Source:
    Russakovsky et al., "ImageNet large scale visual recognition challenge", IJCV 115 (2015), section 4.1
    (as an error, k = 5).

    ```yaml
    {type: top_k, k: 3}
    ```
    """

    type: Literal["top_k"] = "top_k"
    tasks: ClassVar[tuple[Task, ...]] = ("classification",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    k: int = Field(5, ge=1, description="How many of the largest outputs count; `top_3_accuracy` is short for 3.")

    @property
    def key(self) -> str:
        return f"top_{self.k}_accuracy"

    def each(self, p: Predictions) -> Array:
        t = p.truth[:, None]
        own = np.take_along_axis(p.outputs, t, axis=1)
        earlier = np.arange(p.columns) < t
        ahead = ~(p.outputs <= own) | (
            (p.outputs == own) & earlier
        )  # `not <=` rather than `>`, so that nan wins nothing
        among: Array = ahead.sum(axis=1) < self.k
        return among


class BalancedAccuracy(MeanMetric):
    """The mean over the classes of the share that is right: recall, averaged.

        B = mean_c (sum_{i: t_i = c} w_i [argmax y_i = c] / sum_{i: t_i = c} w_i)

    Classes without an example are left out. A constant answer gets 1/C however unbalanced the classes
    are. Source: Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR 2010.

    ```yaml
    {type: balanced_accuracy}
    ```
    """

    type: Literal["balanced_accuracy"] = "balanced_accuracy"
    tasks: ClassVar[tuple[Task, ...]] = ("classification",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def each(self, p: Predictions) -> Array:
        return p.is_right

    def value(self, sums: Sums) -> float:
        return mean_of_defined(ratio(sums["sum_of_class"], sums["mass_of_class"], np.nan))


class Matthews(Metric):
    """Matthews' correlation of decisions with the truth; for several classes Gorodkin's R_K.

    With the confusion matrix M, of total s and trace c, t = its row sums (true) and d = its column sums (decided):

        R = (c s - t . d) / sqrt((s^2 - d . d) (s^2 - t . t))

    From -1 to 1. It is 0 where one class only is decided or true (no correlation to speak of), nan
    without examples. Sources: Matthews, "Comparison of the predicted and observed secondary structure
    of T4 phage lysozyme", BBA 405 (1975); Gorodkin, "Comparing two K-category assignments by a
    K-category correlation coefficient", Computational Biology and Chemistry 28 (2004).

    ```yaml
    {type: matthews}
    ```
    """

    type: Literal["matthews"] = "matthews"
    tasks: ClassVar[tuple[Task, ...]] = ("classification",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def sums(self, p: Predictions) -> Sums:
        return p.counts()._asdict()

    def value(self, sums: Sums) -> float:
        c = Counts(**sums)
        total = float(c.true.sum())
        if total == 0:
            return float("nan")
        # In a unit (a power of two, so that no digit changes) in which no square overflows, and with sums over the
        # other classes instead of differences from all: weights may be of any size, and 1 + 1e-20 - 1 is 0.
        hits, missed, false = (np.ldexp(np.asarray(part, np.float64), -math.frexp(total)[1]) for part in c)
        t, d = hits + missed, hits + false
        if np.count_nonzero(t) == 1 or np.count_nonzero(d) == 1:
            return 0.0
        # For each class s h - t d = h r - m f, with the rest r that is neither true nor decided.
        covariance = float((hits * (others(t) - false) - missed * false).sum())
        var_t, var_d = float((t * others(t)).sum()), float((d * others(d)).sum())
        if var_t * var_d < SMALLEST:
            return covariance / var_t * math.sqrt(var_t / var_d)
        return covariance / math.sqrt(var_t * var_d)


def others(values: Array) -> Array:
    """For each entry the sum of all the others, (n,)."""
    sums = np.zeros_like(values)
    sums[1:] += np.cumsum(values[:-1])
    sums[:-1] += np.cumsum(values[:0:-1])[::-1]
    return sums


class HammingAccuracy(MeanMetric):
    """The share of labels that are right, over all examples and labels.

        H = sum_i w_i sum_j [d_ij = t_ij] / (k sum_i w_i)

    where d_ij says whether label j was decided for example i (probability above 0.5). By class: of each
    label. Arrays (n, k). It is 1 minus the Hamming loss. Source: Tsoumakas and Katakis, "Multi-label
    classification: an overview", International Journal of Data Warehousing and Mining 3 (2007).

    ```yaml
    {type: hamming_accuracy}
    ```
    """

    type: Literal["hamming_accuracy"] = "hamming_accuracy"
    tasks: ClassVar[tuple[Task, ...]] = ("multilabel",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def each(self, p: Predictions) -> Array:
        return p.is_right


class SubsetAccuracy(MeanMetric):
    """The share of examples with every label right.

        S = sum_i w_i [d_i = t_i] / sum_i w_i

    Arrays (n, k), decisions as in `hamming_accuracy`. scikit-learn calls this accuracy. Source:
    Tsoumakas and Katakis, as in `hamming_accuracy`.

    ```yaml
    {type: subset_accuracy}
    ```
    """

    type: Literal["subset_accuracy"] = "subset_accuracy"
    tasks: ClassVar[tuple[Task, ...]] = ("multilabel",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    rarely_reached: ClassVar[float | None] = 1.0

    def each(self, p: Predictions) -> Array:
        return np.asarray(np.all(p.is_right, axis=1))
