"""The divergence between a target distribution and a softmax."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.formulas import LossFormula
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import LossSpec, Tasks, refuse_outside, scaled
from nnctl.losses.logits import log, log_softmax, weighted


class KLDivergence(LossSpec):
    """How much a target distribution differs from the network's: the cross-entropy above its minimum.

    Forward:  L = sum_c q_c (log q_c - log p_c),  p = softmax(z),  0 log 0 = 0
    Backward: dL/dz_c = p_c sum_k q_k - q_c

    z are logits and q are probabilities, both (..., k). 0 when the two are equal. PyTorch's `kl_div` with
    `reduction="batchmean"` takes log-probabilities; Keras's takes probabilities.
    Source: Kullback and Leibler, "On information and sufficiency", 1951.

    ```yaml
    loss: kl_divergence
    ```
    """

    type: Literal["kl_divergence"] = "kl_divergence"
    tasks: ClassVar[Tasks] = (
        "regression",
        "classification",
    )
    unit: ClassVar[Literal["", "nats"]] = "nats"
    contains: ClassVar[str | None] = "softmax"

    @property
    def formula(self) -> LossFormula:
        return LossFormula(slope="{p} - {t}", probability="softmax")

    def forward(self, y: Array, t: Array, slot: Slot) -> Array:
        refuse_outside(t, "kl_divergence takes probabilities,", 0, 1)
        q = t.astype(y.dtype, copy=False)
        log_p = log_softmax(y, np.empty_like(y))
        slot["q"], slot["log_p"] = q, log_p
        log_q = np.log(q, out=np.zeros_like(q), where=q > 0)
        loss: Array = weighted(q, log_q - log_p).sum(axis=-1)
        return loss

    def backward(self, scale: Array, slot: Slot) -> Array:
        q, log_p = slot["q"], slot["log_p"]
        slope = np.exp(log_p) * q.sum(axis=-1, keepdims=True) - q
        return scaled(slope, scale, slot)

    def predict(self, y: Array) -> Array:
        p = log_softmax(y, np.empty_like(y))
        return np.exp(p, out=p)

    def constant(self, mean: Array) -> Array | None:
        return log(mean)
