"""The cross-entropy between 0/1 targets and logistic units, as a mean or as the classic course's sum."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.formulas import LossFormula
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.losses.base import OneHotLoss, Tasks
from nnctl.losses.logits import log, sigmoid, softplus, weighted
from nnctl.spec import Listed, Positive

#: Probabilities that come from outside are kept this far from 0 and 1.
FLOOR = 1e-12


class LogisticLoss(OneHotLoss):
    """What the sum and the mean share.

    Forward:  e = -(v t log p + (1 - t) log(1 - p)),  p = sigmoid(z)
    Backward: de/dz = (1 - t) p - v t (1 - p), which is p - t for v = 1
    """

    input: Literal["logits", "probabilities"] = Field("logits", description="What the network's outputs are.")
    positive_weight: Positive | Annotated[tuple[Positive, ...], Listed] = Field(
        1.0, description="How much a target of 1 counts against a target of 0: a number, or one for each output."
    )
    label_smoothing: float = Field(0.0, description="Moves targets from 0 and 1 towards 1/2 by this share.", ge=0, lt=1)
    tasks: ClassVar[Tasks] = (
        "classification",
        "multilabel",
    )
    unit: ClassVar[Literal["", "nats"]] = "nats"
    contains: ClassVar[str | None] = "sigmoid"

    @property
    def takes_probabilities(self) -> bool:
        return self.input == "probabilities"

    @property
    def formula(self) -> LossFormula:
        if self.label_smoothing or self.positive_weight != 1:
            return LossFormula()
        share = "" if self.share(2) == 1 else "/{k}"
        if self.input == "logits":
            entropy = "-({t}*log({p}) + (1 - {t})*log(1 - {p}))"
            slope = f"({{p}} - {{t}}){share}" if share else "{p} - {t}"
            return LossFormula(entropy + share, slope=slope, probability="sigmoid")
        entropy = "-({t}*log({o}) + (1 - {t})*log(1 - {o}))"
        return LossFormula(entropy + share, slope="({o} - {t})/({o}*(1 - {o}))" + share)

    def refuse_other_outputs(self, outputs: int) -> None:
        weights = self.positive_weight
        if isinstance(weights, tuple) and len(weights) != outputs:
            raise ConfigError(
                f"loss.positive_weight: lists {len(weights)} weights, and the target needs {outputs} values; "
                "write one for each, or a single number"
            )

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        if self.label_smoothing:
            t = t * (1 - self.label_smoothing) + self.label_smoothing / 2
        positive, negative = t * self._positive_weight(y), 1 - t
        slot["y"], slot["positive"], slot["negative"] = y, positive, negative
        if self.input == "logits":
            e: Array = weighted(positive, softplus(-y)) + weighted(negative, softplus(y))
        else:
            e = -positive * np.log(np.maximum(y, FLOOR)) - negative * np.log(np.maximum(1 - y, FLOOR))
        return e

    def slope(self, slot: Slot) -> Array:
        y, positive, negative = slot["y"], slot["positive"], slot["negative"]
        if self.input == "logits":
            slope: Array = negative * sigmoid(y) - positive * sigmoid(-y)
        else:
            slope = negative / np.maximum(1 - y, FLOOR) - positive / np.maximum(y, FLOOR)
        return slope

    def _positive_weight(self, y: Array) -> Array:
        return np.asarray(self.positive_weight, y.dtype)

    def predict(self, y: Array) -> Array:
        return sigmoid(y) if self.input == "logits" else y

    def constant(self, mean: Array) -> Array | None:
        """The log-odds of v t against 1 - t, or the share of the first in both."""
        t = np.asarray(super().constant(mean))
        t = t * (1 - self.label_smoothing) + self.label_smoothing / 2
        positive, negative = t * self._positive_weight(t), 1 - t
        return log(positive) - log(negative) if self.input == "logits" else positive / (positive + negative)


class BinaryCrossEntropy(LogisticLoss):
    """The mean over the outputs of the negative log-probabilities of their 0/1 targets.

    Forward:  L = -1/k sum_j (v_j t_j log p_j + (1 - t_j) log(1 - p_j)),  p = sigmoid(z)
    Backward: dL/dz_j = ((1 - t_j) p_j - v_j t_j (1 - p_j)) / k

    z and t are (..., k): one output tells two classes, k outputs are k labels, each present or not. v is
    `positive_weight`; label smoothing e replaces t by (1 - e) t + e / 2. With `input: probabilities` the outputs
    are p, kept 1e-12 from 0 and 1: dL/dp = ((1 - t) / (1 - p) - v t / p) / k. The same as PyTorch's
    `binary_cross_entropy_with_logits` (`pos_weight`) and Keras's `BinaryCrossentropy`. Class weights weight whole
    examples, and the mean over a batch divides by their sum; PyTorch's `weight` weights outputs instead.
    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, eq. 4.90 and 4.91.

    ```yaml
    loss: {type: binary_cross_entropy, positive_weight: 3.0}
    ```
    """

    type: Literal["binary_cross_entropy"] = "binary_cross_entropy"


class Logistic(LogisticLoss):
    """The logistic loss J(theta) of the classic course: the sum of the cross-entropies of all K outputs.

    Forward:  L = -sum_j (t_j log p_j + (1 - t_j) log(1 - p_j)),  p = sigmoid(z)
    Backward: dL/dz_j = p_j - t_j

    z and t are (..., K), targets one-hot (or one output for two classes). K times `binary_cross_entropy`, with the
    same options.
    Source: Ng, "Machine Learning", week 5, the cost function of neural networks (without its 1/m, which is the mean
    over the batch, and its regularization).

    ```yaml
    loss: logistic
    ```
    """

    type: Literal["logistic"] = "logistic"

    def share(self, outputs: int) -> float:
        return 1.0
