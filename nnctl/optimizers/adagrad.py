"""Adagrad: a learning rate for each parameter, from all gradients so far."""

from typing import Literal

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.base import Coefficients, Epsilon, LearningRate, Optimizer, Work


class Adagrad(Optimizer):
    """Adagrad: parameters that rarely get a gradient take longer steps when they do.

        S = S + g^2                                        S_0 = initial_accumulator
        theta = theta - eta_t g / (sqrt(S) + epsilon)      eta_t = eta / (1 + (t - 1) rate_decay)

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization", JMLR 12, 2011, Figure 1 (diagonal). Epsilon stands outside the root, as the paper's
    delta does (and as in PyTorch); Keras and TensorFlow put it inside, or start S at 0.1 instead.

    ```yaml
    {type: adagrad, learning_rate: 0.1}
    ```
    """

    type: Literal["adagrad"] = "adagrad"
    learning_rate: LearningRate = 0.01
    rate_decay: float = Field(
        0.0, ge=0, description="Lowers the learning rate with the steps: / (1 + (t - 1) rate_decay)."
    )
    initial_accumulator: float = Field(0.0, ge=0, description="What the sum of squared gradients starts from.")
    epsilon: Epsilon = 1e-10

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("square_sum",)

    def initial(self, n: int, dtype: DTypeLike) -> dict[str, Array]:
        return {"square_sum": np.full(n, self.initial_accumulator, dtype)}

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        return (rate / (1 + (t - 1) * self.rate_decay),)

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        S, (rate,), (step, _) = state["square_sum"], c, work
        np.square(g, out=step)
        S += step
        np.sqrt(S, out=step)
        step += self.epsilon
        np.divide(g, step, out=step)
        step *= rate
        theta -= step
