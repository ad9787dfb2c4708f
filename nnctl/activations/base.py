"""The contract every activation function keeps."""

from typing import ClassVar

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer, GlorotUniform
from nnctl.spec import Spec


class Activation(Spec):
    """An immutable value: a function y = f(x) applied to the nets of a layer, and its slope.

    Elementwise unless its docstring says otherwise; any number of axes, features last. `out` has the
    shape and dtype of the other arrays.
    """

    type: str

    #: Whether `backward` reads only `y`: x then need not be kept, and `forward` may overwrite it.
    from_output: ClassVar[bool] = False
    #: The values the function saturates at on both sides, where a unit stops learning; None if it
    #: does not, or if being there is its normal state.
    limits: ClassVar[tuple[float, float] | None] = None
    #: Whether a unit whose output is 0 for every example gets no gradient.
    dies: ClassVar[bool] = False
    #: Whether its values may be read as probabilities: all lie in 0 to 1.
    gives_probabilities: ClassVar[bool] = False
    #: Whether its derivative is 0 everywhere, so that nothing before it learns.
    flat: ClassVar[bool] = False
    #: The initialiser made for it.
    initializer: ClassVar[AnyInitializer] = GlorotUniform()
    #: Whether each value is taken for itself, so that there is a slope of one unit.
    elementwise: ClassVar[bool] = True
    #: f(x) and f'(x) on paper, as in `engine.formulas`; left out, the function goes by its name.
    formula: ClassVar[str | None] = None
    derivative: ClassVar[str | None] = None

    @property
    def kinks(self) -> tuple[float, ...]:
        """The inputs where the function or its derivative jumps, ascending; () if smooth."""
        return ()

    def forward(self, x: Array, out: Array) -> None:
        """Write f(x) into `out`, which may be `x` itself when `from_output`."""
        raise NotImplementedError

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        """Write dx = f'(x) dy into `out`, which may be `dy` itself."""
        raise NotImplementedError

    def pieces(self, x: Array) -> Array | None:
        """Which smooth piece of the function each input lies on, as in `Layer.pieces`.

        To be called before a forward pass that overwrites x.
        """
        return np.digitize(x, self.kinks) if self.kinks else None
