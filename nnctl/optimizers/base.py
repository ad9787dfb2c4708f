"""The contract every optimizer keeps."""

from typing import Annotated

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field

from nnctl.engine.parameters import Array
from nnctl.spec import Fraction, Spec

LearningRate = Annotated[float, Field(gt=0, description="Length of a step; the schedule multiplies it.")]
WeightDecay = Annotated[
    float,
    Field(
        ge=0, description="Decoupled decay: a step first multiplies the weights by 1 - learning_rate * weight_decay."
    ),
]
MomentumFactor = Annotated[Fraction, Field(description="Share of the velocity that is kept from step to step.")]
Beta1 = Annotated[Fraction, Field(description="Decay of the running average of gradients.")]
Beta2 = Annotated[Fraction, Field(description="Decay of the running average (or maximum) of gradient sizes.")]
Epsilon = Annotated[float, Field(gt=0, description="Added to the denominator, so that it is never zero.")]

#: The numbers of one step that depend on t or the learning rate, in the order `update` unpacks.
Coefficients = tuple[float, ...]
#: Two arrays like theta that `update` may scribble on.
Work = tuple[Array, Array]


class Optimizer(Spec):
    """An immutable value: how a step follows from a gradient; its arrays belong to the `Stepper`.

    The rule is split by how often it runs: `coefficients` once a step on Python floats, `update` on
    every block of the flat vector. In the equations theta are the parameters, g the gradient,
    eta the learning rate (after the schedule), t the step, counted from 1; operations are elementwise.

    Weight decay is decoupled (Loshchilov and Hutter, "Decoupled weight decay regularization",
    ICLR 2019): before the step, decayed entries (weights, not biases) become

        theta = (1 - eta weight_decay) theta

    Libraries whose plain `weight_decay` adds weight_decay * theta to the gradient mean what is called
    `regularization: {l2: ...}` here. To maximise, negate the gradient.
    """

    type: str
    learning_rate: LearningRate
    weight_decay: WeightDecay = 0.0

    @property
    def formula(self) -> str | None:
        """A parameter after the first step on paper, where its settings leave the rule one that is short.

        {w} is the parameter, {g} the slope and {rate} the learning rate.
        """
        return None

    @property
    def vectors(self) -> tuple[str, ...]:
        """Names of the state vectors these settings need, each as long as theta."""
        return ()

    def initial(self, n: int, dtype: DTypeLike) -> dict[str, Array]:
        """The state vectors before the first step."""
        return {name: np.zeros(n, dtype) for name in self.vectors}

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        """What `update` needs that changes from step to step, in float64.

        Called once for each step and each rate in it. `memory` starts empty, is saved with checkpoints and
        is where an optimizer keeps numbers of its own from step to step; they must not depend on the rate.
        """
        return (rate,)

    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        """Move one block of theta, in place.

        All arrays have the length of the block, and every entry is computed from its own entries
        alone. `g` is read-only; nothing is allocated.
        """
        raise NotImplementedError
