"""Metrics of numbers: how far predictions are from the truth.

In all equations y are the outputs and t the truth, (n, k), in the target's own units, and w the weights
(n,). Each figure is taken for every column; its value is the mean over the columns, nan if one of them is.
"""

from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.means import ratio, weighted_mean
from nnctl.engine.parameters import Array
from nnctl.metrics.metric import MeanMetric, Sums
from nnctl.metrics.predictions import Predictions, Task


class _Column(MeanMetric):
    tasks: ClassVar[tuple[Task, ...]] = ("regression",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def value(self, sums: Sums) -> float:
        return float(self.by_class(sums).mean())

    def by_class(self, sums: Sums) -> Array:
        return self.mean(sums)


class MeanAbsoluteError(_Column):
    """The mean absolute error, in the target's unit.

        MAE = sum_i w_i |y_i - t_i| / sum_i w_i

    nan without examples. Source: Willmott and Matsuura, "Advantages of the mean absolute error (MAE) over the
    root mean square error (RMSE)", Climate Research 30 (2005).

    ```yaml
    {type: mae}
    ```
    """

    type: Literal["mae"] = "mae"
    unit: ClassVar[Literal["", "nats", "target"]] = "target"

    def each(self, p: Predictions) -> Array:
        return np.abs(_error(p))


class MeanSquaredError(_Column):
    """The mean squared error, in the target's unit squared.

        MSE = sum_i w_i (y_i - t_i)^2 / sum_i w_i

    Without the 1/2 of the squared-error loss. nan without examples. Source: Bishop, "Pattern
    Recognition and Machine Learning" (2006), section 1.1.

    ```yaml
    {type: mse}
    ```
    """

    type: Literal["mse"] = "mse"

    def each(self, p: Predictions) -> Array:
        return _squared_error(p)


class RootMeanSquaredError(_Column):
    """The root of the mean squared error, in the target's unit.

        RMSE = sqrt(sum_i w_i (y_i - t_i)^2 / sum_i w_i)

    The root is taken in each column, and then the mean over the columns (as scikit-learn does), which
    is not the root of `mse`. nan without examples. Source: as for `mse`.

    ```yaml
    {type: rmse}
    ```
    """

    type: Literal["rmse"] = "rmse"
    unit: ClassVar[Literal["", "nats", "target"]] = "target"

    def each(self, p: Predictions) -> Array:
        return _squared_error(p)

    def by_class(self, sums: Sums) -> Array:
        root: Array = np.sqrt(self.mean(sums))
        return root


class R2(_Column):
    """The coefficient of determination: the share of the truth's variance that is explained.

        R2 = 1 - sum_i w_i (y_i - t_i)^2 / sum_i w_i (t_i - m)^2,    m = sum_i w_i t_i / sum_i w_i

    1 is perfect, 0 as good as the mean, less is worse. nan for a column whose truth is constant, as there is
    no variance to explain (scikit-learn gives 0, or 1 if the error is 0), and without examples. Source: Draper and
    Smith, "Applied Regression Analysis" (1998), section 1.3.

    ```yaml
    {type: r2}
    ```
    """

    type: Literal["r2"] = "r2"
    undefined: ClassVar[str] = "examples whose target is the same in all"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    rarely_reached: ClassVar[float | None] = 0.9999

    def each(self, p: Predictions) -> Array:
        return _squared_error(p)

    def sums(self, p: Predictions) -> Sums:
        t = p.truth.astype(np.float64)
        mean = weighted_mean(t, p.weights)
        counted = t if p.weights is None else t[p.weights > 0]
        with np.errstate(over="ignore", invalid="ignore"):
            return {
                **super().sums(p),
                "centre": mean,
                "deviation": p.total((t - mean) ** 2),
                "lowest": counted.min(axis=0, initial=np.inf),
                "highest": counted.max(axis=0, initial=-np.inf),
            }

    def add(self, sums: Sums, p: Predictions) -> None:
        """Add squared deviations from one mean to those from another.

        Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
        1979, eq. 2.1.
        """
        a, b = dict(sums), self.sums(p)
        if b["mass"] == 0:
            return
        sums.update(b)
        if a["mass"] == 0:
            return
        sums["sum"], sums["mass"] = a["sum"] + b["sum"], a["mass"] + b["mass"]
        with np.errstate(over="ignore", invalid="ignore"):
            shift = b["centre"] - a["centre"]
            sums["centre"] = a["centre"] + shift * b["mass"] / sums["mass"]
            sums["deviation"] = a["deviation"] + b["deviation"] + shift**2 * a["mass"] * b["mass"] / sums["mass"]
        sums["lowest"] = np.minimum(a["lowest"], b["lowest"])
        sums["highest"] = np.maximum(a["highest"], b["highest"])

    def by_class(self, sums: Sums) -> Array:
        # By the extremes, not by a variance of 0: the mean of equal numbers may differ in its last bit.
        varies = sums["lowest"] != sums["highest"]
        variance = np.where(varies, ratio(sums["deviation"], sums["mass"], np.nan), 0)
        explained: Array = 1 - ratio(self.mean(sums), variance, np.nan)
        return explained


class MeanAbsolutePercentageError(_Column):
    """The mean absolute error relative to the truth, as a fraction: 0.1 is 10 %.

        MAPE = sum_i w_i |y_i - t_i| / |t_i| / sum_i w_i,    over the examples with t_i != 0

    It is undefined at a truth of 0: such examples are left out (scikit-learn divides by 2e-16 there), and nan is given
    where none remain. Source: Hyndman and Koehler, "Another look at measures of forecast accuracy", International
    Journal of Forecasting 22 (2006).

    ```yaml
    {type: mape}
    ```
    """

    type: Literal["mape"] = "mape"
    undefined: ClassVar[str] = "examples whose target is 0"

    def each(self, p: Predictions) -> Array:
        return ratio(np.abs(_error(p)), np.abs(p.truth), 0.0)

    def sums(self, p: Predictions) -> Sums:
        return {**super().sums(p), "counted": p.total(p.truth != 0)}

    def by_class(self, sums: Sums) -> Array:
        # The share of the examples that count turns the mean over all into the mean over those.
        return ratio(self.mean(sums), ratio(sums["counted"], sums["mass"], np.nan), np.nan)


class MaxError(_Column):
    """The largest absolute error, in the target's unit.

        max_i |y_i - t_i|,    over the examples with w_i > 0

    nan without examples.

    ```yaml
    {type: max_error}
    ```
    """

    type: Literal["max_error"] = "max_error"
    unit: ClassVar[Literal["", "nats", "target"]] = "target"

    def sums(self, p: Predictions) -> Sums:
        error = np.abs(_error(p))
        counted = error if p.weights is None else error[p.weights > 0]
        return {"largest": counted.max(axis=0, initial=-1.0)}

    def add(self, sums: Sums, p: Predictions) -> None:
        sums["largest"] = np.maximum(sums["largest"], self.sums(p)["largest"])

    def by_class(self, sums: Sums) -> Array:
        return np.where(sums["largest"] < 0, np.nan, sums["largest"])


def _error(p: Predictions) -> Array:
    return np.subtract(p.outputs, p.truth, dtype=np.float64)


def _squared_error(p: Predictions) -> Array:
    with np.errstate(over="ignore"):  # infinity is the answer
        return np.square(_error(p))
