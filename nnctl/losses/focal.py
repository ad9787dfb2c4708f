"""Cross-entropy that looks at the hard examples."""

from typing import ClassVar, Literal

from pydantic import Field

from nnctl.engine.formulas import LossFormula
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import OneHotLoss, Tasks
from nnctl.losses.logits import sigmoid, softplus, weighted


class Focal(OneHotLoss):
    """The binary cross-entropy, less of it for outputs that are nearly right: for rare classes and labels.

    Forward:  L = -1/k sum_j (a t_j (1 - p_j)^g log p_j + (1 - a) (1 - t_j) p_j^g log(1 - p_j)),  p = sigmoid(z)
    Backward: dL/dz_j = (a t_j q^g (g p log p - q) - (1 - a) (1 - t_j) p^g (g q log q - p)) / k,  q = 1 - p

    z and t are (..., k); g is `gamma`, a is `alpha`, and without alpha both sides count in full. gamma 0 without alpha
    is `binary_cross_entropy`. As there, one output tells two classes, and k outputs are labels, or classes against the
    rest. torchvision's `sigmoid_focal_loss`, averaged.
    Source: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object detection", ICCV 2017, eq. 5.

    ```yaml
    loss: {type: focal, gamma: 2.0, alpha: 0.25}
    ```
    """

    type: Literal["focal"] = "focal"
    gamma: float = Field(2.0, description="How fast what is nearly right stops to count.", ge=0)
    alpha: float | None = Field(
        0.25, description="How much a target of 1 counts, against 1 - alpha for 0; null: both count 1.", gt=0, lt=1
    )
    tasks: ClassVar[Tasks] = ("classification", "multilabel")
    contains: ClassVar[str | None] = "sigmoid"

    @property
    def formula(self) -> LossFormula:
        if self.alpha is None:
            return LossFormula(
                "-({t}*(1 - {p})^{gamma}*log({p}) + (1 - {t})*{p}^{gamma}*log(1 - {p}))/{k}", probability="sigmoid"
            )
        return LossFormula(
            "-({alpha}*{t}*(1 - {p})^{gamma}*log({p}) + (1 - {alpha})*(1 - {t})*{p}^{gamma}*log(1 - {p}))/{k}",
            probability="sigmoid",
        )

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        positive, negative = (t, 1 - t) if self.alpha is None else (self.alpha * t, (1 - self.alpha) * (1 - t))
        slot["y"], slot["positive"], slot["negative"] = y, positive, negative
        p, q = sigmoid(y), sigmoid(-y)
        # log p = -softplus(-y), which is infinite where p is 0: times 0 it is nothing
        return weighted(positive * q**self.gamma, softplus(-y)) + weighted(negative * p**self.gamma, softplus(y))

    def slope(self, slot: Slot) -> Array:
        y, positive, negative = slot["y"], slot["positive"], slot["negative"]
        p, q = sigmoid(y), sigmoid(-y)
        of_one = -(q**self.gamma) * (self.gamma * weighted(p, softplus(-y)) + q)
        of_zero = p**self.gamma * (self.gamma * weighted(q, softplus(y)) + p)
        slope: Array = positive * of_one + negative * of_zero
        return slope

    def predict(self, y: Array) -> Array:
        return sigmoid(y)

    def constant(self, mean: Array) -> Array | None:
        return None
