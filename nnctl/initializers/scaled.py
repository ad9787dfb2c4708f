"""Random numbers whose width follows from the fans, so that signals keep their size through the layers.

| | variance of the weights | uniform bound |
|---|---|---|
| Glorot | 2 / (fan_in + fan_out) | sqrt(6 / (fan_in + fan_out)) |
| He | 2 / fan_in | sqrt(6 / fan_in) |
| LeCun | 1 / fan_in | sqrt(3 / fan_in) |

`VarianceScaling` is the rule of which these are cases.
"""

from math import sqrt
from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Shape
from nnctl.initializers.base import InitializerSpec
from nnctl.initializers.random import truncated, truncated_deviation

#: Deviations at which Keras and TensorFlow cut normal numbers.
CUT = 2.0


class Glorot(InitializerSpec):
    """Keeps the variance of activations forward and of gradients backward, as well as both can be had."""

    def variance(self, fan_in: int, fan_out: int) -> float:
        """The variance of the weights."""
        return 2 / (fan_in + fan_out)


class He(InitializerSpec):
    """Keeps the mean square of activations through rectifiers, which pass half of it."""

    def variance(self, fan_in: int, fan_out: int) -> float:
        """The variance of the weights."""
        return 2 / fan_in


class LeCun(InitializerSpec):
    """Keeps the variance of activations forward."""

    def variance(self, fan_in: int, fan_out: int) -> float:
        """The variance of the weights."""
        return 1 / fan_in


def uniform(variance: float, shape: Shape, random: np.random.Generator) -> Array:
    """Uniform numbers of that variance, around 0."""
    bound = sqrt(3 * variance)
    return random.uniform(-bound, bound, shape)


def normal(variance: float, shape: Shape, random: np.random.Generator) -> Array:
    """Normal numbers of that variance, around 0."""
    return random.normal(0, sqrt(variance), shape)


def truncated_normal(variance: float, shape: Shape, random: np.random.Generator) -> Array:
    """Normal numbers cut at two deviations, and so much wider before that their variance is that one."""
    return sqrt(variance) / truncated_deviation(CUT) * truncated(shape, CUT, random)


class GlorotUniform(Glorot):
    """Uniform numbers for sigmoid, tanh and linear units.

    W ~ U(-b, b), b = sqrt(6 / (fan_in + fan_out)). Also called Xavier; Keras's default, PyTorch's `xavier_uniform_`.
    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, eq. 16.

    ```yaml
    init: glorot_uniform
    ```
    """

    type: Literal["glorot_uniform"] = "glorot_uniform"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return uniform(self.variance(fan_in, fan_out), shape, random)


class GlorotNormal(Glorot):
    """Normal numbers for sigmoid, tanh and linear units.

    W ~ N(0, 2 / (fan_in + fan_out)), not truncated (Keras truncates at two deviations: see `variance_scaling`).
    Source: Glorot and Bengio, AISTATS 2010, eq. 12.

    ```yaml
    init: glorot_normal
    ```
    """

    type: Literal["glorot_normal"] = "glorot_normal"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return normal(self.variance(fan_in, fan_out), shape, random)


class HeUniform(He):
    """Uniform numbers for rectifiers.

    W ~ U(-b, b), b = sqrt(6 / fan_in). PyTorch's `kaiming_uniform_` with `nonlinearity="relu"`; its layers
    start with a sixth of that variance unless told otherwise (a = sqrt 5).
    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, eq. 10.

    ```yaml
    init: he_uniform
    ```
    """

    type: Literal["he_uniform"] = "he_uniform"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return uniform(self.variance(fan_in, fan_out), shape, random)


class HeNormal(He):
    """Normal numbers for rectifiers.

    W ~ N(0, 2 / fan_in), not truncated (Keras truncates at two deviations: see `variance_scaling`).
    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, eq. 10.

    ```yaml
    init: he_normal
    ```
    """

    type: Literal["he_normal"] = "he_normal"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return normal(self.variance(fan_in, fan_out), shape, random)


class LeCunUniform(LeCun):
    """Uniform numbers for self-normalizing and scaled tanh units.

    W ~ U(-b, b), b = sqrt(3 / fan_in).
    Source: LeCun, Bottou, Orr and Mueller, "Efficient BackProp", 1998, section 4.6.

    ```yaml
    init: lecun_uniform
    ```
    """

    type: Literal["lecun_uniform"] = "lecun_uniform"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return uniform(self.variance(fan_in, fan_out), shape, random)


class LeCunNormal(LeCun):
    """Normal numbers for self-normalizing units (selu).

    W ~ N(0, 1 / fan_in), not truncated (Keras truncates at two deviations: see `variance_scaling`).
    Source: LeCun, Bottou, Orr and Mueller, "Efficient BackProp", 1998, section 4.6; Klambauer et al., NIPS 2017.

    ```yaml
    init: lecun_normal
    ```
    """

    type: Literal["lecun_normal"] = "lecun_normal"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return normal(self.variance(fan_in, fan_out), shape, random)


class VarianceScaling(InitializerSpec):
    """Random numbers whose variance is a number over a fan.

    W ~ a distribution with mean 0 and variance scale / n, where n is fan_in, fan_out or (fan_in + fan_out) / 2.
    Glorot's rule has scale 1 and fan_avg, He's 2 and fan_in, LeCun's 1 and fan_in. Numbers of `truncated_normal`
    are cut at two deviations and have that variance after the cut, as in Keras's `glorot_normal`, `he_normal`
    and `lecun_normal`. This is Keras's `VarianceScaling`, with `normal` for its `untruncated_normal`.

    ```yaml
    init: {type: variance_scaling, scale: 2.0, mode: fan_in, distribution: truncated_normal}
    ```
    """

    type: Literal["variance_scaling"] = "variance_scaling"
    scale: float = Field(1.0, description="The variance times the fan.", gt=0)
    mode: Literal["fan_in", "fan_out", "fan_avg"] = Field(
        "fan_in", description="What the variance is divided by; fan_avg is the mean of both."
    )
    distribution: Literal["truncated_normal", "normal", "uniform"] = Field(
        "truncated_normal", description="How the numbers are spread."
    )

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        draw = {"truncated_normal": truncated_normal, "normal": normal, "uniform": uniform}[self.distribution]
        return draw(self.scale / fan, shape, random)
