"""RMSprop: gradients over their recent root mean square."""

from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.base import Coefficients, Epsilon, LearningRate, MomentumFactor, Optimizer, Work
from nnctl.spec import Fraction


class RMSprop(Optimizer):
    """RMSprop: each gradient is divided by a running average of its recent size.

        E = decay E + (1 - decay) g^2
        u = g / (sqrt(E) + epsilon)
        theta = theta - eta u

    `centered` divides by the deviation instead, with m = decay m + (1 - decay) g and E - m^2 for E;
    with `momentum` mu, b = mu b + u and theta = theta - eta b. Sources: Tieleman and Hinton, "Lecture
    6.5, rmsprop", Neural Networks for Machine Learning, 2012; centered and with momentum: Graves,
    "Generating sequences with recurrent neural networks", 2013, eq. 38-41.

    Epsilon stands outside the root, as in PyTorch; Graves, TensorFlow and Keras put it inside,
    sqrt(E + epsilon), which matters where epsilon is large (published settings have up to 1):
    `epsilon_inside_root` gives that. TensorFlow's momentum remembers eta u instead of u.

    ```yaml
    {type: rmsprop, learning_rate: 0.001, decay: 0.9}
    ```
    """

    type: Literal["rmsprop"] = "rmsprop"
    learning_rate: LearningRate = 0.01
    decay: Fraction = Field(0.99, description="Decay of the running averages.")
    momentum: MomentumFactor = 0.0
    centered: bool = Field(
        False, description="Divide by the deviation of the gradient instead of its root mean square."
    )
    epsilon: Epsilon = 1e-8
    epsilon_inside_root: bool = Field(False, description="sqrt(E + epsilon) instead of sqrt(E) + epsilon.")

    @property
    def vectors(self) -> tuple[str, ...]:
        mean = ("mean",) if self.centered else ()
        velocity = ("velocity",) if self.momentum else ()
        return "square", *mean, *velocity

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        E, (rate,), (u, scratch) = state["square"], c, work
        E *= self.decay
        np.square(g, out=u)
        u *= 1 - self.decay
        E += u
        self._denominator(g, E, state.get("mean"), u, scratch)
        np.divide(g, u, out=u)
        if "velocity" in state:
            b = state["velocity"]
            b *= self.momentum
            b += u
            np.multiply(b, rate, out=u)
        else:
            u *= rate
        theta -= u

    def _denominator(self, g: Array, E: Array, m: Array | None, out: Array, scratch: Array) -> None:
        if m is None:
            np.copyto(out, E)
        else:
            m *= self.decay
            np.multiply(g, 1 - self.decay, out=scratch)
            m += scratch
            np.square(m, out=scratch)
            np.subtract(E, scratch, out=out)
            np.maximum(out, 0, out=out)  # a variance, but rounding can take it below zero
        if self.epsilon_inside_root:
            out += self.epsilon
            np.sqrt(out, out=out)
        else:
            np.sqrt(out, out=out)
            out += self.epsilon
