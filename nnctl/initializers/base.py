"""The contract every initialiser keeps."""

from typing import ClassVar

import numpy as np

from nnctl.engine.parameters import Array, Shape
from nnctl.spec import Spec


class InitializerSpec(Spec):
    """An immutable value: how the starting value of a parameter tensor is drawn.

    `fan_in` and `fan_out`, the number of inputs that feed one unit and of units one input feeds, are
    told by the layer.
    """

    type: str

    #: Whether it starts all units of a layer equal. Equal units get equal gradients and stay equal.
    symmetric: ClassVar[bool] = False

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        """A float64 array of that shape."""
        raise NotImplementedError
