"""Adam and AdamW, and the running averages their relatives share."""

from math import sqrt
from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.engine.compiled import compilable
from nnctl.engine.parameters import Array
from nnctl.optimizers.base import Beta1, Beta2, Coefficients, Epsilon, LearningRate, Optimizer, WeightDecay, Work


class AdaptiveMoments(Optimizer):
    """Decaying sums M of the gradient and V of its square, as all of Adam's family have them.

        M = beta1 M + g                        V = beta2 V + g^2

    The papers keep the averages m = (1 - beta1) M and v = (1 - beta2) V:

        m = beta1 m + (1 - beta1) g            v = beta2 v + (1 - beta2) g^2

    Their factors go into a step's coefficients: two multiplications less an entry, an eighth of the time of a step.
    """

    learning_rate: LearningRate = 0.001
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.999
    epsilon: Epsilon = 1e-8

    @property
    def vectors(self) -> tuple[str, ...]:
        return "M", "V"

    def accumulate(self, g: Array, M: Array, V: Array, scratch: Array) -> None:
        """Bring both sums up to date."""
        M *= self.beta1
        M += g
        np.square(g, out=scratch)
        V *= self.beta2
        V += scratch


class AdamRule(AdaptiveMoments):
    """The rule that Adam and AdamW share; they differ in their default weight decay.

    With the corrections and the factors of m and v multiplied out, a step over the sums M and V is

        theta = theta - rate M / (sqrt(V) + epsilon')
        rate = eta root (1 - beta1) / (1 - beta1^t)         root = sqrt((1 - beta2^t) / (1 - beta2))

    where epsilon' = epsilon root if epsilon is added after v is corrected, as v_hat = V / root^2, and
    epsilon / sqrt(1 - beta2) if before, as v = (1 - beta2) V.
    """

    amsgrad: bool = Field(False, description="Divide by the largest v so far instead of the last one.")
    epsilon_before_correction: bool = Field(
        False,
        description="Add epsilon to the root of v, before it is corrected, instead of to that of v_hat; as Keras.",
    )

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("M", "V", "V_max") if self.amsgrad else ("M", "V")

    def coefficients(self, t: int, rate: float, memory: dict[str, float]) -> Coefficients:
        root = sqrt((1 - self.beta2**t) / (1 - self.beta2))
        epsilon = self.epsilon / sqrt(1 - self.beta2) if self.epsilon_before_correction else self.epsilon * root
        return rate * root * (1 - self.beta1) / (1 - self.beta1**t), epsilon

    @compilable
    def update(self, theta: Array, g: Array, state: dict[str, Array], c: Coefficients, work: Work) -> None:
        M, V, (rate, epsilon), (step, _) = state["M"], state["V"], c, work
        self.accumulate(g, M, V, step)
        if self.amsgrad:
            V = np.maximum(state["V_max"], V, out=state["V_max"])
        np.sqrt(V, out=step)
        step += epsilon
        np.divide(M, step, out=step)
        step *= rate
        theta -= step


class Adam(AdamRule):
    """Adam: momentum, with each step divided by the gradient's recent size.

        m = beta1 m + (1 - beta1) g               m_hat = m / (1 - beta1^t)
        v = beta2 v + (1 - beta2) g^2             v_hat = v / (1 - beta2^t)
        theta = theta - eta m_hat / (sqrt(v_hat) + epsilon)

    `amsgrad` takes the largest v so far for v. Sources: Kingma and Ba, "Adam: a method for stochastic
    optimization", ICLR 2015, Algorithm 1; Reddi, Kale and Kumar, "On the convergence of Adam and
    beyond", ICLR 2018. Epsilon is added after the bias correction, as in Algorithm 1 and PyTorch. Keras
    and the paper's faster form (end of section 2, "epsilon hat") add it before:

        theta = theta - eta sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)

    which is `epsilon_before_correction`; Keras's default epsilon is 1e-7. The AMSGrad paper has no bias
    correction; it is applied here to the largest v, as in PyTorch (optax corrects first and takes the
    largest v_hat).

    Kept are not the averages but the sums M = m / (1 - beta1) and V = v / (1 - beta2): a checkpoint holds these.

    ```yaml
    {type: adam, learning_rate: 0.003}
    ```
    """

    type: Literal["adam"] = "adam"


class AdamW(AdamRule):
    """Adam with decoupled weight decay: weights shrink at the same rate whatever their gradients.

        theta = (1 - eta weight_decay) theta, then the step of `adam`

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, Algorithm 2. As in
    PyTorch and Keras the decay is multiplied by the learning rate; the paper's is not, only by the
    schedule: its lambda is weight_decay times the learning rate the schedule starts from.

    ```yaml
    {type: adamw, learning_rate: 0.001, weight_decay: 0.01}
    ```
    """

    type: Literal["adamw"] = "adamw"
    weight_decay: WeightDecay = 0.01
