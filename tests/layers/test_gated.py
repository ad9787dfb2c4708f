"""What gated linear units refuse; their values are in the reference cases."""

import numpy as np
import pytest

from nnctl.activations import LogSoftmax, Relu
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers import Glu, SwiGlu


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
def test_units_come_in_pairs(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="an even number of units"):
        SwiGlu().output_shape(shape)


def test_a_gate_takes_each_unit_for_itself() -> None:
    with pytest.raises(ConfigError, match="log_softmax looks at all units at once"):
        Glu(gate=LogSoftmax()).output_shape((4,))


def test_pieces_are_those_of_the_gate() -> None:
    slot = Slot("float64")
    Glu(gate=Relu()).forward({}, np.array([[-1.0, 1, -2, 3]]), slot)
    np.testing.assert_array_equal(Glu(gate=Relu()).pieces(slot), [[0, 1]])
    assert Glu().pieces(slot) is None
