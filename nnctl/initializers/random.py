"""Random numbers of a width the user chooses."""

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
