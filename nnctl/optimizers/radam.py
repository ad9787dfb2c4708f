"""RAdam: Adam without a warm-up."""

from math import sqrt
from typing import Literal

import numpy as np

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.adam import AdaptiveMoments
from nnctl.optimizers.base import Coefficients, Work


class RAdam(AdaptiveMoments):
    """Rectified Adam: plain momentum until v has seen enough gradients to be divided by.

        m, v as in `adam`                         m_hat = m / (1 - beta1^t)
        rho_inf = 2 / (1 - beta2) - 1             rho_t = rho_inf - 2 t beta2^t / (1 - beta2^t)
        if rho_t > 5:  r = sqrt( (rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t) )
                       theta = theta - eta r m_hat sqrt(1 - beta2^t) / (sqrt(v) + epsilon)
        otherwise      theta = theta - eta m_hat

    Source: Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, Algorithm
    2. The paper rectifies as soon as rho_t > 4; its authors' code and PyTorch wait for 5, as here.
    Epsilon is added to the uncorrected root (the paper has none).

    ```yaml
    {type: radam, learning_rate: 0.001}
    ```
    """

    type: Literal["radam"] = "radam"

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        eta, correction = rate * (1 - self.beta1) / (1 - self.beta1**t), 1 - self.beta2**t
        rho_inf = 2 / (1 - self.beta2) - 1
        rho = rho_inf - 2 * t * self.beta2**t / correction
        if rho <= 5:
            return eta, 0.0, False
        r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        root = sqrt(1 - self.beta2)  # sqrt(v) = root sqrt(V)
        return eta * r * sqrt(correction) / root, self.epsilon / root, True

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        M, V, (rate, epsilon, rectified), (step, _) = state["M"], state["V"], c, work
        self.accumulate(g, M, V, step)
        if rectified:
            np.sqrt(V, out=step)
            step += epsilon
            np.divide(M, step, out=step)
            step *= rate
        else:
            np.multiply(M, rate, out=step)
        theta -= step
