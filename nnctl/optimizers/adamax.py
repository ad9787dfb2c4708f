"""AdaMax: Adam with the infinity norm."""

from typing import Literal

import numpy as np

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.base import Beta1, Beta2, Coefficients, Epsilon, LearningRate, Optimizer, Work


class AdaMax(Optimizer):
    """AdaMax: momentum divided by the largest recent gradient.

        m = beta1 m + (1 - beta1) g
        u = max(beta2 u, |g| + epsilon)
        theta = theta - eta / (1 - beta1^t) m / u

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, Algorithm 2, which
    has no epsilon: it divides by zero where a parameter's gradients have all been zero. Here it is
    added inside the maximum, as in PyTorch; Keras divides by u + epsilon. u needs no bias correction.

    ```yaml
    {type: adamax, learning_rate: 0.002}
    ```
    """

    type: Literal["adamax"] = "adamax"
    learning_rate: LearningRate = 0.002
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    epsilon: Epsilon = 1e-8

    @property
    def vectors(self) -> tuple[str, ...]:
        return "m", "u"

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        return (rate / (1 - self.beta1**t),)

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        m, u, (rate,), (step, _) = state["m"], state["u"], c, work
        m *= self.beta1
        np.multiply(g, 1 - self.beta1, out=step)
        m += step
        u *= self.beta2
        np.abs(g, out=step)
        step += self.epsilon
        np.maximum(u, step, out=u)
        np.divide(m, u, out=step)
        step *= rate
        theta -= step
