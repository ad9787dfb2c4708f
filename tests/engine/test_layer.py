"""What a layer is that says no more of itself than it must."""

from typing import Literal

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Declarations, Parameter, Shape
from nnctl.initializers import Zeros


class Plain(Layer):
    """A layer with two tensors."""

    type: Literal["plain"] = "plain"

    def parameters(self, shape: Shape) -> Declarations:
        return {"inner": {"weight": Parameter((*shape, 5), Zeros())}, "gain": Parameter(shape, Zeros())}


def test_each_parameter_is_taken_for_one_multiply_add() -> None:
    assert Plain().multiply_adds((2, 3)) == 2 * 3 * 5 + 2 * 3


def test_it_changes_no_shape() -> None:
    assert Plain().output_shape((2, 3)) == (2, 3)
