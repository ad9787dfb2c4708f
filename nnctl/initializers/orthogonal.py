"""Random rotations."""

from math import prod
from typing import Literal

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Shape
from nnctl.initializers.base import InitializerSpec


class Orthogonal(InitializerSpec):
    """A random matrix with orthonormal columns, or rows if there are fewer of those.

    W = gain Q, where A = Q R for a matrix A of standard normal numbers, each column of Q turned so that the
    diagonal of R is positive (without it Q would not be uniformly distributed; Mezzadri 2007).
    Shapes: all axes but the last are taken together as rows (PyTorch takes all but the first as columns).
    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", ICLR 2014.

    ```yaml
    init: {type: orthogonal, gain: 1.0}
    ```
    """

    type: Literal["orthogonal"] = "orthogonal"
    gain: float = Field(1.0, description="The length of each row or column; sqrt(2) suits relu.", gt=0)

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        rows, columns = prod(shape[:-1]), shape[-1]
        tall = random.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q *= np.copysign(self.gain, np.diagonal(r))
        return (q if rows >= columns else q.T).reshape(shape)
