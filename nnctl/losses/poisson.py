"""Counts."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.formulas import LossFormula
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import ElementLoss, Tasks, refuse_outside
from nnctl.losses.logits import log, weighted


class Poisson(ElementLoss):
    """The negative log-likelihood of counts whose logarithmic rates are the outputs.

    Forward:  L = 1/k sum_j (exp(y_j) - t_j y_j)
    Backward: dL/dy_j = (exp(y_j) - t_j) / k

    y and t are (..., k); t are counts, or rates, of 0 or more, and are not standardized. Predictions are exp(y).
    log t! is left out, as it does not depend on y, so that the loss may be negative. PyTorch's `poisson_nll_loss` with
    `log_input`; Keras's `Poisson` takes the rates themselves.
    Source: McCullagh and Nelder, "Generalized Linear Models", 1989, section 6.2.

    ```yaml
    loss: poisson
    ```
    """

    type: Literal["poisson"] = "poisson"
    tasks: ClassVar[Tasks] = ("regression",)
    in_own_units: ClassVar[bool] = True

    @property
    def formula(self) -> LossFormula:
        return LossFormula("(exp({o}) - {t}*{o})/{k}", slope="(exp({o}) - {t})/{k}")

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        refuse_outside(t, "poisson takes counts,", 0, np.inf)
        rate = self.predict(y)
        slot["error"] = rate - t
        return rate - weighted(t, y)

    def slope(self, slot: Slot) -> Array:
        slope: Array = slot["error"]
        return slope

    def predict(self, y: Array) -> Array:
        with np.errstate(over="ignore"):  # a rate too large for the dtype is infinite
            return np.exp(y)

    def constant(self, mean: Array) -> Array | None:
        return log(mean)
