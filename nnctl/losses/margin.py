"""Losses on the sign of the score: the hinge and the perceptron criterion."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.formulas import LossFormula
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import OneHotLoss, Tasks
from nnctl.losses.logits import sigmoid, weighted


class Hinge(OneHotLoss):
    """The loss of support vector machines: right is not enough, it takes a margin of 1.

    Forward:  L = 1/k sum_j max(0, m_j),  m = 1 - s y,  s = 2 t - 1;  squared: L = 1/k sum_j max(0, m_j)^2
    Backward: dL/dy_j = -s_j / k where m_j > 0, else 0 (also at m = 0);  squared: -2 s_j max(0, m_j) / k

    y are scores and t are 0/1, both (..., k); Keras takes 0/1 or -1/+1, here 0 is the negative class always. One
    output tells two classes; with k outputs each class stands against the rest.
    Source: Cortes and Vapnik, "Support-vector networks", 1995; squared: L2-SVM.

    ```yaml
    loss: {type: hinge, squared: true}
    ```
    """

    type: Literal["hinge"] = "hinge"
    squared: bool = Field(False, description="Square the hinge, which makes its slope continuous.")
    tasks: ClassVar[Tasks] = (
        "classification",
        "multilabel",
    )
    takes_mixtures: ClassVar[bool] = False

    @property
    def formula(self) -> LossFormula:
        hinge = "max(0, 1 - (2*{t} - 1)*{o})"
        if self.squared:
            return LossFormula(f"{hinge}^2/{{k}}", slope=f"2*(1 - 2*{{t}})*{hinge}/{{k}}")
        return LossFormula(f"{hinge}/{{k}}", slope="(1 - 2*{t})*[(2*{t} - 1)*{o} < 1]/{k}")

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        sign = 2 * t - 1
        margin = 1 - sign * y
        slot["sign"], slot["margin"] = sign, margin
        hinge: Array = np.maximum(margin, 0)
        if self.squared:
            hinge *= hinge
        return hinge

    def slope(self, slot: Slot) -> Array:
        sign, margin = slot["sign"], slot["margin"]
        slope: Array = -2 * sign * np.maximum(margin, 0) if self.squared else -sign * (margin > 0)
        return slope

    def pieces(self, slot: Slot) -> Array | None:
        return None if self.squared else np.asarray(slot["margin"] > 0, np.int8)

    def predict(self, y: Array) -> Array:
        """The score squashed into 0..1 by the logistic function: 0.5 is the boundary, it is no probability."""
        return sigmoid(y)

    def constant(self, mean: Array) -> Array | None:
        return None


class Perceptron(OneHotLoss):
    """The perceptron criterion, whose gradient step is the perceptron rule.

    Forward:  L = sum_j (y_j - t_j) s_j >= 0,  y = step(s)
    Backward: dL/ds_j = y_j - t_j

    s are scores and t are 0/1, both (..., k). A point on the right side costs nothing, one on the wrong side its
    distance. One SGD step of batch size 1 is w += learning_rate (t - y) x: misclassified points move the line.
    Source: Rosenblatt, "Principles of Neurodynamics", 1962; the criterion: Bishop, "Pattern Recognition and Machine
    Learning", 2006, eq. 4.54, there with targets -1 and +1. step(0) = 1, as in the `step` activation.

    ```yaml
    loss: perceptron
    ```
    """

    type: Literal["perceptron"] = "perceptron"
    tasks: ClassVar[Tasks] = (
        "classification",
        "multilabel",
    )
    takes_mixtures: ClassVar[bool] = False
    contains: ClassVar[str | None] = "step"

    @property
    def formula(self) -> LossFormula:
        return LossFormula("([{o} >= 0] - {t})*{o}", slope="[{o} >= 0] - {t}")

    def share(self, outputs: int) -> float:
        return 1.0

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        fires = y >= 0
        error: Array = fires - t
        slot["error"], slot["fires"] = error, fires
        return weighted(error, y)

    def slope(self, slot: Slot) -> Array:
        error: Array = slot["error"]
        return error

    def pieces(self, slot: Slot) -> Array | None:
        return np.asarray(slot["fires"], np.int8)

    def predict(self, y: Array) -> Array:
        """The score squashed into 0..1; above 0.5 where the unit fires, so also at a score of 0."""
        above = np.nextafter(y.dtype.type(0.5), y.dtype.type(1))
        return np.where(y >= 0, np.maximum(sigmoid(y), above), sigmoid(y))

    def constant(self, mean: Array) -> Array | None:
        return None
