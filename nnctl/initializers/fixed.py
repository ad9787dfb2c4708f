"""Starting values that are not drawn but given."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from typing_extensions import TypeAliasType

from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError
from nnctl.initializers.base import InitializerSpec
from nnctl.spec import Listed

# Said again: a recursive type does not inherit Spec's strictness, and "1", true and .nan are no numbers.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Nested = TypeAliasType("Nested", "Number | Annotated[tuple[Nested, ...], Listed]")


class Zeros(InitializerSpec):
    """All zeros: for biases, and to see why weights must not start so.

    W = 0. The units of a layer start equal, get equal gradients and stay equal.

    ```yaml
    init: zeros
    ```
    """

    type: Literal["zeros"] = "zeros"
    symmetric: ClassVar[bool] = True

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return np.zeros(shape)


class Constant(InitializerSpec):
    """One value everywhere.

    W = value. As a start for weights it is as symmetric as zeros; for a bias, as an LSTM's forget gate of 1,
    it is useful.

    ```yaml
    init: {type: constant, value: 1.0}
    ```
    """

    type: Literal["constant"] = "constant"
    value: float = Field(description="The value of every entry.")
    symmetric: ClassVar[bool] = True

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return np.full(shape, self.value, np.float64)


class Values(InitializerSpec):
    """The numbers themselves, for worked examples.

    W = values, nested as the parameter's axes are: a dense layer's weights (inputs, units) are one list for each
    input. Raises ConfigError if the shape is not the parameter's.

    ```yaml
    init: {type: values, values: [[0.15, 0.25], [0.20, 0.30]]}
    ```
    """

    type: Literal["values"] = "values"
    values: Nested = Field(description="The entries, as lists nested like the axes of the parameter.")

    @model_validator(mode="after")
    def rectangular(self) -> Self:
        """Lists of one level must be equally long."""
        try:
            np.array(self.values, np.float64)
        except ValueError:
            message = "the lists have different lengths; every list of the same level needs as many entries"
            raise ValueError(message) from None
        return self

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        return shaped(np.array(self.values, np.float64), shape, "values")


def shaped(array: Array, shape: Shape, source: str) -> Array:
    """The array, if it has the shape a parameter needs."""
    if array.shape != shape:
        raise ConfigError(f"{source} has shape {array.shape}, but the parameter has shape {shape}")
    return array
