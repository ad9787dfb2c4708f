"""Adadelta: steps in the parameters' own units."""

from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.base import Coefficients, Epsilon, LearningRate, Optimizer, Work
from nnctl.spec import Fraction


class Adadelta(Optimizer):
    """Adadelta: the typical size of recent steps over the typical size of recent gradients.

        E = rho E + (1 - rho) g^2
        d = sqrt(D + epsilon) / sqrt(E + epsilon) g
        D = rho D + (1 - rho) d^2
        theta = theta - eta d

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, Algorithm 1, which has no
    learning rate: eta = 1 is the paper. Epsilon stands inside both roots, in the paper and everywhere;
    it is what the first steps grow from, so its size matters (Keras has 1e-7, the paper 1e-6).

    ```yaml
    {type: adadelta, rho: 0.95}
    ```
    """

    type: Literal["adadelta"] = "adadelta"
    learning_rate: LearningRate = 1.0
    rho: Fraction = Field(0.9, description="Decay of the running averages of squared gradients and squared steps.")
    epsilon: Epsilon = 1e-6

    @property
    def vectors(self) -> tuple[str, ...]:
        return "square_gradient", "square_step"

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        E, D, (rate,), (d, scratch) = state["square_gradient"], state["square_step"], c, work
        E *= self.rho
        np.square(g, out=d)
        d *= 1 - self.rho
        E += d

        np.add(D, self.epsilon, out=d)
        np.sqrt(d, out=d)
        np.add(E, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        d /= scratch
        d *= g

        D *= self.rho
        np.square(d, out=scratch)
        scratch *= 1 - self.rho
        D += scratch

        d *= rate
        theta -= d
