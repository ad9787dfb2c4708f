"""The cross-entropy of ordered classes, whose probabilities are differences of a cumulative distribution."""

from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import IndexLoss, Tasks, scaled
from nnctl.losses.logits import log, sigmoid, softplus, weighted


class Ordinal(IndexLoss):
    """The negative log-probability of the right one of ordered classes, such as grades: cumulative logits.

    Forward:  L = -sum_c w_c q_c log p_c,  p_c = sigmoid(z_c) - sigmoid(z_{c-1}),  z_c = theta_c - y_1,
              theta_1 = 0,  theta_c = theta_{c-1} + softplus(y_c),  sigmoid(z_0) = 0,  sigmoid(z_C) = 1
    Backward: dL/dz_c = w_{c+1} q_{c+1} sigmoid(z_c) - w_c q_c sigmoid(-z_c),  dL/dy_1 = -sum_c dL/dz_c,
              dL/dy_c = sigmoid(y_c) sum_{j >= c} dL/dz_j - w_c q_c sigmoid(-y_c)

    y (..., C - 1) are the outputs for C classes, w the class weights, and q the targets: integers (...,), meaning
    q_c = 1 for the class, or floats (..., C), a distribution over the classes. The first output is a score: the
    higher, the higher the class. sigmoid(z_c) is the probability of a class up to c. The other outputs are how far
    apart its thresholds theta lie. They rise whatever the outputs are, so that the probabilities are never negative
    and sum to 1, and as 1 - exp(-softplus(y)) = sigmoid(y), each is a product in which no digits cancel:

        p_c = sigmoid(z_c) sigmoid(-z_{c-1}) sigmoid(y_c),  without sigmoid(y_c) for the first and the last class

    Of two classes it is `binary_cross_entropy`. McCullagh's proportional odds have the same thresholds for all
    examples; here the inputs may move them, as a spread does that depends on the inputs. CORAL (Cao, Mirjalili and
    Raschka 2020) sums a binary cross-entropy for each threshold instead, which is no likelihood of the classes.
    Classes are in order of their value where all are numbers; of others, `data.order` says it.
    Source: McCullagh, "Regression models for ordinal data", 1980, section 2.

    ```yaml
    loss: ordinal
    ```
    """

    type: Literal["ordinal"] = "ordinal"
    tasks: ClassVar[Tasks] = ("classification",)
    unit: ClassVar[Literal["", "nats"]] = "nats"
    ordered: ClassVar[bool] = True

    @classmethod
    def outputs(cls, classes: int) -> int:
        return classes - 1

    def forward(self, y: Array, t: Array, slot: Slot) -> Array:
        target = slot.buffer("target", (*y.shape[:-1], y.shape[-1] + 1), y.dtype)  # w_c q_c, (..., C)
        self.refuse_unknown(t, target.shape[-1])
        self.fill(target, t)
        if self.weights is not None:
            target *= self.weights
        slot["y"], slot["target"] = y, target
        loss: Array = weighted(target, -log_probabilities(y)).sum(axis=-1)
        return loss

    def backward(self, scale: Array, slot: Slot) -> Array:
        y, target = slot["y"], slot["target"]
        z = cumulative_logits(y)
        dz = weighted(target[..., 1:], sigmoid(z)) - weighted(target[..., :-1], sigmoid(-z))  # (..., C - 1)
        dtheta = dz[..., ::-1].cumsum(axis=-1)[..., ::-1]  # a threshold moves all that lie above it
        slope = sigmoid(y) * dtheta - weighted(target[..., :-1], sigmoid(-y))
        slope[..., 0] = -dtheta[..., 0]
        return scaled(slope, scale, slot)

    def predict(self, y: Array) -> Array:
        """The probabilities of all classes (..., C).

        Their sum is 1 but for rounding, which is large where a threshold is lost beside a far larger one.
        """
        p: Array = np.exp(log_probabilities(y))
        p /= p.sum(axis=-1, keepdims=True)
        return p

    def constant(self, mean: Array) -> Array | None:
        """The outputs whose probabilities are the shares: p_c = F_c G_{c-1} sigmoid(y_c), solved for y_c.

        F_c is the share of the classes up to c, and G_c that of those above.
        """
        shares = mean if self.weights is None else mean * self.weights
        shares = shares / shares.sum()
        smallest = np.finfo(shares.dtype).tiny
        up_to = np.maximum(shares.cumsum(), smallest)[:-1]
        above = np.maximum(shares[::-1].cumsum()[::-1], smallest)[1:]
        score = log(above[:1]) - log(up_to[:1])
        return np.concatenate([score, log(shares[1:-1]) - log(up_to[:-1]) - log(above[1:])])


def cumulative_logits(y: Array) -> Array:
    """Z (..., C - 1), the log-odds of a class up to c."""
    theta = softplus(y)
    theta[..., 0] = 0
    z: Array = theta.cumsum(axis=-1) - y[..., :1]
    return z


def log_probabilities(y: Array) -> Array:
    """The logarithms (..., C) of the probabilities of the classes."""
    z = cumulative_logits(y)
    log_p = np.zeros((*y.shape[:-1], y.shape[-1] + 1), y.dtype)
    log_p[..., :-1] -= softplus(-z)
    log_p[..., 1:] -= softplus(z)
    log_p[..., 1:-1] -= softplus(-y[..., 1:])
    return log_p
