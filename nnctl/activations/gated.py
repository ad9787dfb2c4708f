"""Smooth functions of the form y = x g(x): a gate g between 0 and 1 that the input opens for itself.

Their derivative is g(x) + x g'(x); none of them is monotonic, so it cannot be read off the output. Where g is
0 or 1 to the last digit, x is taken for `FAR`: it neither overflows in g then, nor is infinite times 0.
"""

from math import pi, sqrt
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations.base import Activation
from nnctl.activations.erf import erf
from nnctl.activations.sigmoids import sigmoid
from nnctl.activations.softplus import softplus
from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer, HeNormal

#: exp(-FAR) is 0 and exp(FAR) infinite, in float64 too.
FAR = 800.0


class Swish(Activation):
    """The input times its own logistic gate; for beta = 1 also called SiLU.

    Forward: y = x s, s = sigmoid(beta x). Backward: dx = s (1 + beta x (1 - s)) dy. Shapes: any, kept.
    Source: Ramachandran, Zoph and Le, "Searching for activation functions", 2017; Elfwing, Uchibe and Doya,
    "Sigmoid-weighted linear units", 2018.

    ```yaml
    activation: {type: swish, beta: 1.0}
    ```
    """

    type: Literal["swish"] = "swish"
    beta: float = Field(1.0, description="Sharpness of the gate; large values approach relu.", gt=0)
    initializer: ClassVar[AnyInitializer] = HeNormal()

    def forward(self, x: Array, out: Array) -> None:
        s = np.clip(x, -FAR / self.beta, FAR / self.beta)
        s *= self.beta
        sigmoid(s, s)
        np.maximum(x, -FAR / self.beta, out=out)
        out *= s

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        x = np.clip(x, -FAR / self.beta, FAR / self.beta)
        s = self.beta * x
        sigmoid(s, s)
        slope = 1 - s
        slope *= x
        slope *= self.beta
        slope += 1
        slope *= s
        np.multiply(dy, slope, out=out)


class Gelu(Activation):
    """The input times the probability that a standard normal number is smaller.

    Forward: y = x P(x), P(x) = (1 + erf(x / sqrt 2)) / 2. Backward: dx = (P(x) + x N(x)) dy,
    N(x) = exp(-x^2 / 2) / sqrt(2 pi).
    `approximate: tanh` replaces P by (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), as the first
    transformers did, and N by its derivative, (1 - tanh(u)^2) u' / 2; it differs from the exact one by up to 5e-4.
    Shapes: any, kept.
    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016, section 2.

    ```yaml
    activation: {type: gelu, approximate: none}
    ```
    """

    type: Literal["gelu"] = "gelu"
    approximate: Literal["none", "tanh"] = Field(
        "none", description="`none` is exact; `tanh` the faster approximation."
    )
    initializer: ClassVar[AnyInitializer] = HeNormal()

    def forward(self, x: Array, out: Array) -> None:
        probability = self._probability(np.clip(x, -FAR, FAR))
        np.maximum(x, -FAR, out=out)
        out *= probability

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        x = np.clip(x, -FAR, FAR)
        probability = self._probability(x)
        slope = self._density(x, probability)
        slope *= x
        slope += probability
        np.multiply(dy, slope, out=out)

    def _probability(self, x: Array) -> Array:
        if self.approximate == "tanh":
            p = x * x
            p *= 0.044715
            p += 1
            p *= x
            p *= sqrt(2 / pi)
            np.tanh(p, out=p)
        else:
            p = erf(x / sqrt(2))
        p += 1
        p *= 0.5
        return p

    def _density(self, x: Array, p: Array) -> Array:
        density = x * x
        if self.approximate == "tanh":
            density *= 3 * 0.044715
            density += 1
            density *= 2 * sqrt(2 / pi)  # (1 - tanh^2) / 2 = 2 p (1 - p)
            density *= p
            density *= 1 - p
        else:
            density *= -0.5
            np.exp(density, out=density)
            density *= 1 / sqrt(2 * pi)
        return density


class Mish(Activation):
    """The input times the tanh of its softplus.

    Forward: y = x g, g = tanh(log(1 + exp(x))). Backward: dx = (g + x (1 - g^2) sigmoid(x)) dy.
    Shapes: any, kept.
    Source: Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    ```yaml
    activation: mish
    ```
    """

    type: Literal["mish"] = "mish"
    initializer: ClassVar[AnyInitializer] = HeNormal()

    def forward(self, x: Array, out: Array) -> None:
        gate = np.tanh(softplus(x))
        np.maximum(x, -FAR, out=out)
        out *= gate

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        x = np.clip(x, -FAR, FAR)
        g = np.tanh(softplus(x))
        slope = np.empty_like(x)
        sigmoid(x, slope)
        slope *= x
        slope *= 1 - g * g
        slope += g
        np.multiply(dy, slope, out=out)
