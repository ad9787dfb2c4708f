"""Nadam: Adam with Nesterov's momentum."""

from math import sqrt
from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.adam import AdaptiveMoments
from nnctl.optimizers.base import Coefficients, LearningRate, Work


class Nadam(AdaptiveMoments):
    """Nadam: Adam that already takes the momentum of the step to come, which warms up with t.

        m, v as in `adam`                         v_hat = v / (1 - beta2^t)
        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)        M_t = mu_1 mu_2 ... mu_t
        m_bar = (1 - mu_t) / (1 - M_t) g + mu_{t+1} / (1 - M_{t+1}) m
        theta = theta - eta m_bar / (sqrt(v_hat) + epsilon)

    Source: Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016, Algorithm 2, with
    the schedule of mu of its experiments, 0.96^(t / 250). As in PyTorch and Keras, m decays with beta1
    (in the paper with mu_t). Keras has 0.96^t: momentum_decay: 1. Zero gives a constant mu = beta1 / 2.

    ```yaml
    {type: nadam, learning_rate: 0.002}
    ```
    """

    type: Literal["nadam"] = "nadam"
    learning_rate: LearningRate = 0.002
    momentum_decay: float = Field(0.004, ge=0, description="How fast the momentum rises from beta1 / 2 to beta1.")

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        mu, following = self._mu(t), self._mu(t + 1)
        product = memory["mu_product"] = memory.get("mu_product", 1.0) * mu
        root = sqrt((1 - self.beta2**t) / (1 - self.beta2))  # multiplied out of the denominator, as in Adam
        of_g, of_m = (1 - mu) / (1 - product), following / (1 - product * following)
        return rate * root * of_g, rate * root * of_m * (1 - self.beta1), self.epsilon * root

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        M, V, (of_g, of_m, epsilon), (step, scratch) = state["M"], state["V"], c, work
        self.accumulate(g, M, V, scratch)
        np.multiply(g, of_g, out=step)
        np.multiply(M, of_m, out=scratch)
        step += scratch
        np.sqrt(V, out=scratch)
        scratch += epsilon
        step /= scratch
        theta -= step

    def _mu(self, t: int) -> float:
        return self.beta1 * (1 - 0.5 * float(0.96 ** (t * self.momentum_decay)))
