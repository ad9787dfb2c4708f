"""The cross-entropy between class targets and a softmax."""

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nnctl.engine.formulas import LossFormula
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import IndexLoss, Tasks, scaled
from nnctl.losses.logits import log, log_softmax

#: Probabilities that come from outside are not taken to be smaller than this.
FLOOR = 1e-12


class CrossEntropy(IndexLoss):
    """The negative log-probability of the right class.

    Forward:  L = -sum_c w_c q_c log p_c,  p = softmax(z / T)
    Backward: dL/dz_c = (p_c sum_k w_k q_k - w_c q_c) / T

    z (..., k) are the outputs, w the class weights, and q the targets: integers (...,), meaning q_c = 1 for the
    class, or floats (..., k), a distribution over the classes. Label smoothing e replaces q by (1 - e) q + e / k.
    With integer targets the mean over a batch divides by the sum of the targets' own class weights; with
    distributions by the number of examples. All this is as in PyTorch's `cross_entropy`; Keras divides by the number
    of examples always, and takes probabilities unless told `from_logits`.
    With `input: probabilities` the outputs are p themselves: dL/dp_c = -w_c q_c / p_c, p no smaller than 1e-12. The
    logits are exact where probabilities underflow, so prefer them.
    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, eq. 4.108 and 4.109; smoothing: Szegedy et al.,
    "Rethinking the inception architecture", CVPR 2016, section 7.

    ```yaml
    loss: {type: cross_entropy, class_weights: balanced, label_smoothing: 0.1}
    ```
    """

    type: Literal["cross_entropy"] = "cross_entropy"
    input: Literal["logits", "probabilities"] = Field("logits", description="What the network's outputs are.")
    label_smoothing: float = Field(0.0, description="Share of the target spread evenly over all classes.", ge=0, lt=1)
    temperature: float = Field(1.0, description="Divides the logits; only with logits.", gt=0)
    tasks: ClassVar[Tasks] = ("classification",)
    unit: ClassVar[Literal["", "nats"]] = "nats"
    contains: ClassVar[str | None] = "softmax"

    @property
    def takes_probabilities(self) -> bool:
        return self.input == "probabilities"

    @property
    def formula(self) -> LossFormula:
        if self.label_smoothing or self.temperature != 1:
            return LossFormula()
        if self.input == "logits":
            return LossFormula(total="-log({p})", slope="{p} - {t}", probability="softmax")
        return LossFormula(total="-log({o})", slope="-{t}/{o}")

    @model_validator(mode="after")
    def temperature_needs_logits(self) -> Self:
        """A temperature divides logits; there are none when the outputs are probabilities."""
        if self.input == "probabilities" and self.temperature != 1:
            message = "temperature applies to logits; write input: logits, or leave temperature out"
            raise ValueError(message)
        return self

    def forward(self, y: Array, t: Array, slot: Slot) -> Array:
        target = slot.buffer("target", y.shape, y.dtype)  # w_c q_c, (..., k)
        self._weigh(target, t)
        log_p = slot.buffer("log_p", y.shape, y.dtype)
        if self.input == "logits":
            log_softmax(y if self.temperature == 1 else np.divide(y, self.temperature, out=log_p), log_p)
        else:
            np.maximum(y, FLOOR, out=log_p)
            np.log(log_p, out=log_p)
        slot["target"], slot["log_p"] = target, log_p
        slot["mass"] = None if t.dtype.kind != "f" and self.weights is None else target.sum(axis=-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            loss: Array = np.asarray(np.vecdot(target, log_p))
            if loss.size and not loss.max() < 0:  # one is 0, or nan: seldom, and the one question tells both
                self.refuse_unknown(t, y.shape[-1])
                # 0 log 0 = 0: a class with p = 0 that no target asks for.
                loss = np.asarray(np.vecdot(target, np.where(target == 0, target, log_p)))
        return np.negative(loss, out=loss)

    def backward(self, scale: Array, slot: Slot) -> Array:
        target, log_p, mass = slot["target"], slot["log_p"], slot["mass"]
        dy = slot.buffer("dy", log_p.shape, log_p.dtype)
        if self.input == "logits":
            np.exp(log_p, out=dy)
            if mass is not None:  # the sum of w_k q_k, where it is not 1
                dy *= mass
            dy -= target
            if self.temperature != 1:
                dy /= self.temperature
        else:
            np.exp(-log_p, out=dy)
            dy *= -target
        return scaled(dy, scale, slot)

    def predict(self, y: Array) -> Array:
        if self.input == "probabilities":
            return y
        p = y / self.temperature
        return np.exp(log_softmax(p, p), out=p)

    def constant(self, mean: Array) -> Array | None:
        shares = (1 - self.label_smoothing) * mean + self.label_smoothing / len(mean)
        p = shares if self.weights is None else shares * self.weights
        p /= p.sum()
        return log(p) * self.temperature if self.input == "logits" else p

    def _weigh(self, target: Array, t: Array) -> None:
        """Write w_c q_c."""
        self.fill(target, t)
        if self.label_smoothing:
            classes = target.shape[-1]
            self.refuse_unknown(t, classes)  # whose loss would not be 0
            target *= 1 - self.label_smoothing
            target += self.label_smoothing / classes
        if self.weights is not None:
            target *= self.weights
