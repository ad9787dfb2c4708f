"""Random numbers of a width the user chooses."""

from math import erf, exp, pi, sqrt
from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Shape
from nnctl.initializers.base import InitializerSpec


class Uniform(InitializerSpec):
    """Uniform numbers between -epsilon and epsilon, the textbook's symmetry breaking.

    W ~ U(-epsilon, epsilon), variance epsilon^2 / 3; the fans play no part.
    Source: Ng, "Machine Learning", week 5, where epsilon is 0.12 for 400 inputs and 25 units.

    ```yaml
    init: {type: uniform, epsilon: 0.12}
    ```
    """

    type: Literal["uniform"] = "uniform"
    epsilon: float = Field(0.12, description="The largest absolute value drawn.", gt=0)

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return random.uniform(-self.epsilon, self.epsilon, shape)


class Normal(InitializerSpec):
    """Normal numbers with mean 0.

    W ~ N(0, deviation^2), not truncated; the fans play no part.
    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks",
    NIPS 2012, section 5 (deviation 0.01).

    ```yaml
    init: {type: normal, deviation: 0.05}
    ```
    """

    type: Literal["normal"] = "normal"
    deviation: float = Field(0.05, description="Standard deviation of the numbers drawn.", gt=0)

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return random.normal(0, self.deviation, shape)


class TruncatedNormal(InitializerSpec):
    """Normal numbers with mean 0, those that lie far out drawn again.

    W ~ N(0, deviation^2) given |W| <= cut deviation; the fans play no part. What is left has a smaller deviation:
    with the cut at 2, 0.88 times as much, as in Keras's `TruncatedNormal` and TensorFlow's `truncated_normal`.
    PyTorch's `trunc_normal_` cuts at -2 and 2 themselves, whatever the deviation, which is `cut: 2 / deviation`.

    ```yaml
    init: {type: truncated_normal, deviation: 0.05}
    ```
    """

    type: Literal["truncated_normal"] = "truncated_normal"
    deviation: float = Field(0.05, description="Standard deviation before the cut.", gt=0)
    cut: float = Field(2.0, description="Largest absolute value, in deviations.", ge=0.1)

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return self.deviation * truncated(shape, self.cut, random)


def truncated(shape: Shape, cut: float, random: np.random.Generator) -> Array:
    """Standard normal numbers of which none is over `cut` in absolute value."""
    z = np.asarray(random.standard_normal(shape))
    while (outside := np.abs(z) > cut).any():
        z[outside] = random.standard_normal(np.count_nonzero(outside))
    return z


def truncated_deviation(cut: float) -> float:
    """The standard deviation of `truncated` numbers.

    With the normal density f and P = erf(cut / sqrt 2), the probability within the cut, integrating z^2 f(z) by parts
    gives the variance 1 - 2 cut f(cut) / P.
    """
    density = exp(-(cut**2) / 2) / sqrt(2 * pi)
    return sqrt(1 - 2 * cut * density / erf(cut / sqrt(2)))
