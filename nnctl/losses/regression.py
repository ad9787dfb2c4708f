"""Distances between outputs and target values: squared, absolute, and between the two."""

from math import log
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.formulas import LossFormula
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import ClassLoss, ElementLoss, Tasks

LOG_2 = log(2.0)


class ResidualLoss(ElementLoss):
    """A loss on the residuals r = y - t: the mean over the outputs of e(r), which the members define."""

    tasks: ClassVar[Tasks] = ("regression",)

    def term(self, r: Array) -> Array:
        """The terms e(r)."""
        raise NotImplementedError

    def derivative(self, r: Array) -> Array:
        """The derivatives de/dr."""
        raise NotImplementedError

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        r = slot["r"] = y - t  # (..., k)
        return self.term(r)

    def slope(self, slot: Slot) -> Array:
        return self.derivative(slot["r"])


class SquaredError(ResidualLoss, ClassLoss):
    """The textbook's squared error: half the squared distance, summed over the outputs.

    Forward:  L = 1/2 sum_j (t_j - y_j)^2
    Backward: dL/dy_j = y_j - t_j

    y and t are (..., k). k / 2 times the mean squared error other libraries use.
    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986, eq. 3.

    ```yaml
    loss: squared_error
    ```
    """

    type: Literal["squared_error"] = "squared_error"
    tasks: ClassVar[Tasks] = ("regression", "classification", "multilabel")

    @property
    def formula(self) -> LossFormula:
        return LossFormula("1/2*({t} - {o})^2", slope="{o} - {t}")

    def share(self, outputs: int) -> float:
        return 1.0

    def term(self, r: Array) -> Array:
        e: Array = r * r / 2
        return e

    def derivative(self, r: Array) -> Array:
        return r


class MeanSquaredError(ResidualLoss, ClassLoss):
    """The squared error, averaged over the outputs.

    Forward:  L = 1/k sum_j (t_j - y_j)^2
    Backward: dL/dy_j = 2 (y_j - t_j) / k

    y and t are (..., k). PyTorch's `mse_loss` and Keras's `MeanSquaredError`.
    Source: Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 5.1.4.

    ```yaml
    loss: mean_squared_error
    ```
    """

    type: Literal["mean_squared_error"] = "mean_squared_error"
    tasks: ClassVar[Tasks] = ("regression", "classification", "multilabel")

    @property
    def formula(self) -> LossFormula:
        return LossFormula("({t} - {o})^2/{k}", slope="2*({o} - {t})/{k}")

    def term(self, r: Array) -> Array:
        e: Array = r * r
        return e

    def derivative(self, r: Array) -> Array:
        slope: Array = 2 * r
        return slope


class MeanAbsoluteError(ResidualLoss):
    """The absolute error, averaged over the outputs; its minimum is the median, which outliers do not move.

    Forward:  L = 1/k sum_j |t_j - y_j|
    Backward: dL/dy_j = sign(y_j - t_j) / k, 0 where they are equal

    y and t are (..., k). PyTorch's `l1_loss`.
    Source: Laplace, 1774; Bloomfield and Steiger, "Least absolute deviations", 1983.

    ```yaml
    loss: mean_absolute_error
    ```
    """

    type: Literal["mean_absolute_error"] = "mean_absolute_error"

    @property
    def formula(self) -> LossFormula:
        return LossFormula("abs({t} - {o})/{k}", slope="sign({o} - {t})/{k}")

    def term(self, r: Array) -> Array:
        return np.abs(r)

    def derivative(self, r: Array) -> Array:
        return np.sign(r)

    def pieces(self, slot: Slot) -> Array | None:
        return np.asarray(slot["r"] > 0, np.int8)


class Huber(ResidualLoss):
    """Squared for small errors, absolute for large ones.

    Forward:  L = 1/k sum_j (r_j^2 / 2 if |r_j| <= delta else delta (|r_j| - delta / 2)),  r = y - t
    Backward: dL/dy_j = min(max(-delta, r_j), delta) / k

    y and t are (..., k). PyTorch's `huber_loss` and Keras's `Huber`; `smooth_l1` is this divided by delta.
    Source: Huber, "Robust estimation of a location parameter", 1964.

    ```yaml
    loss: {type: huber, delta: 1.35}
    ```
    """

    type: Literal["huber"] = "huber"
    delta: float = Field(1.0, description="Where squared turns into absolute, in units of the target.", gt=0)

    @property
    def formula(self) -> LossFormula:
        return LossFormula(slope="max(-{delta}, min({delta}, {o} - {t}))/{k}")

    def term(self, r: Array) -> Array:
        size = np.abs(r)
        inner = np.minimum(size, self.delta)
        e: Array = inner * (size - inner / 2)
        return e

    def derivative(self, r: Array) -> Array:
        return np.clip(r, -self.delta, self.delta)


class SmoothL1(ResidualLoss):
    """The absolute error with its corner rounded.

    Forward:  L = 1/k sum_j (r_j^2 / (2 beta) if |r_j| < beta else |r_j| - beta / 2),  r = y - t
    Backward: dL/dy_j = min(max(-1, r_j / beta), 1) / k

    y and t are (..., k). `huber` divided by its delta: the slope of the tails is always 1.
    Source: Girshick, "Fast R-CNN", ICCV 2015, eq. 3 (beta = 1).

    ```yaml
    loss: {type: smooth_l1, beta: 0.5}
    ```
    """

    type: Literal["smooth_l1"] = "smooth_l1"
    beta: float = Field(1.0, description="Where squared turns into absolute, in units of the target.", gt=0)

    @property
    def formula(self) -> LossFormula:
        return LossFormula(slope="max(-1, min(1, ({o} - {t})/{beta}))/{k}")

    def term(self, r: Array) -> Array:
        size = np.abs(r)
        inner = np.minimum(size, self.beta)
        e: Array = inner / self.beta * (size - inner / 2)
        return e

    def derivative(self, r: Array) -> Array:
        return np.clip(r / self.beta, -1, 1)


class Quantile(ResidualLoss):
    """The pinball loss, whose minimum is a quantile: too low costs one price, too high another.

    Forward:  L = 1/k sum_j max(q (t_j - y_j), (q - 1) (t_j - y_j)),  q = level
    Backward: dL/dy_j = (1 - q) / k where y_j > t_j, -q / k where y_j < t_j, 0 where they are equal

    y and t are (..., k). With level 0.9, nine targets in ten lie below what is predicted; level 0.5 is the median, and
    half of `mean_absolute_error`.
    Source: Koenker and Bassett, "Regression quantiles", Econometrica 46, 1978, eq. 3.1.

    ```yaml
    loss: {type: quantile, level: 0.9}
    ```
    """

    type: Literal["quantile"] = "quantile"
    level: float = Field(0.5, description="The share of targets that are to lie below the prediction.", gt=0, lt=1)

    @property
    def formula(self) -> LossFormula:
        return LossFormula(
            "max({level}*({t} - {o}), ({level} - 1)*({t} - {o}))/{k}", slope="([{o} > {t}] - {level})/{k}"
        )

    def term(self, r: Array) -> Array:
        e: Array = np.maximum(-self.level * r, (1 - self.level) * r)
        return e

    def derivative(self, r: Array) -> Array:
        slope: Array = (1 - self.level) * (r > 0) - self.level * (r < 0)
        return slope.astype(r.dtype, copy=False)

    def pieces(self, slot: Slot) -> Array | None:
        return np.asarray(slot["r"] > 0, np.int8)


class LogCosh(ResidualLoss):
    """Squared for small errors, absolute for large ones, and smooth everywhere.

    Forward:  L = 1/k sum_j log cosh(r_j),  r = y - t
    Backward: dL/dy_j = tanh(r_j) / k

    y and t are (..., k). About r^2 / 2 near 0 and |r| - log 2 far from it. Keras's `LogCosh`.
    Source: Saleh and Saleh, "Statistical properties of the log-cosh loss function used in machine learning", 2022.

    ```yaml
    loss: log_cosh
    ```
    """

    type: Literal["log_cosh"] = "log_cosh"

    @property
    def formula(self) -> LossFormula:
        return LossFormula("log((exp({o} - {t}) + exp({t} - {o}))/2)/{k}", slope="tanh({o} - {t})/{k}")

    def term(self, r: Array) -> Array:
        # |r| + log(1 + exp(-2 |r|)) - log 2 is the same, where cosh overflows; near 0 it loses all digits.
        size = np.abs(r)
        near = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
        e: Array = np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - LOG_2)
        return e

    def derivative(self, r: Array) -> Array:
        return np.tanh(r)
