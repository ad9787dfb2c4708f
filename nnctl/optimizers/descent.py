"""Gradient descent, plain and with the two kinds of momentum."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.base import Coefficients, LearningRate, MomentumFactor, Optimizer, Work


class Descent(Optimizer):
    """The rule that SGD, Momentum and Nesterov share; `gain` is how much of g enters the velocity."""

    learning_rate: LearningRate = 0.01
    momentum: MomentumFactor = 0.0

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        rate, gain, nesterov = c
        step, _ = work
        if not state:
            np.multiply(g, rate, out=step)
            theta -= step
            return
        v = state["velocity"]
        v *= self.momentum
        np.multiply(g, gain, out=step)
        v += step
        if nesterov:
            np.multiply(v, self.momentum, out=step)
            step += g
            step *= rate
        else:
            np.multiply(v, rate, out=step)
        theta -= step


class SGD(Descent):
    """Gradient descent: a step straight down the slope.

        theta = theta - eta g

    With `momentum` mu > 0 and `dampening` d, the velocity v (v_1 = g, without dampening) is

        v = mu v + (1 - d) g
        theta = theta - eta v               or, with `nesterov`,    theta = theta - eta (g + mu v)

    Whether it is batch, mini-batch or stochastic is the batch's size. Source: Robbins and Monro, "A
    stochastic approximation method", 1951; momentum as in `momentum` and `nesterov`. Here the velocity
    is a sum of gradients and eta multiplies it (as in PyTorch); where the velocity is a sum of steps
    (Keras, Sutskever et al. 2013), a change of the learning rate reaches it more slowly.

    ```yaml
    {type: sgd, learning_rate: 0.1, momentum: 0.9, nesterov: true}
    ```
    """

    type: Literal["sgd"] = "sgd"
    dampening: float = Field(0.0, ge=0, le=1, description="Share of the gradient kept out of the velocity.")
    nesterov: bool = Field(False, description="Look ahead along the velocity; needs momentum, and no dampening.")

    @property
    def formula(self) -> str | None:
        return None if self.momentum or self.weight_decay else "{w} - {rate}*{g}"

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and (self.momentum == 0 or self.dampening > 0):
            raise ValueError(
                f"nesterov: true with momentum: {self.momentum} and dampening: {self.dampening}; "
                "Nesterov's rule needs a momentum above 0, such as 0.9, and dampening 0"
            )
        return self

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        return rate, 1.0 if t == 1 else 1.0 - self.dampening, self.nesterov


class Momentum(Descent):
    """The heavy ball: steps that point the same way add up, steps that zigzag cancel.

        v = mu v + g
        theta = theta - eta v

    The same as `{type: sgd, momentum: 0.9}`. Source: Polyak, "Some methods of speeding up the
    convergence of iteration methods", 1964. In the textbook form, Delta = -eta g + mu Delta, the step
    itself is remembered; the two are the same while the learning rate is constant.

    ```yaml
    {type: momentum, learning_rate: 0.05, momentum: 0.9}
    ```
    """

    type: Literal["momentum"] = "momentum"
    momentum: Annotated[MomentumFactor, Field(gt=0)] = 0.9

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        return rate, 1.0, False


class Nesterov(Descent):
    """Nesterov's accelerated gradient: momentum whose gradient is taken where the velocity leads.

        v = mu v + g
        theta = theta - eta (g + mu v)

    The same as `{type: sgd, momentum: 0.9, nesterov: true}`. Sources: Nesterov, "A method of solving a
    convex programming problem with convergence rate O(1/k^2)", 1983; this form, in which theta stands
    for the point looked ahead to so that g is taken there: Bengio, Boulanger-Lewandowski and Pascanu,
    "Advances in optimizing recurrent networks", 2013, with the velocity as a sum of gradients.

    ```yaml
    {type: nesterov, learning_rate: 0.05, momentum: 0.9}
    ```
    """

    type: Literal["nesterov"] = "nesterov"
    momentum: Annotated[MomentumFactor, Field(gt=0)] = 0.9

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        return rate, 1.0, True
