"""What dropout drops at once."""

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.layers import Dropout


def dropped(layer: Dropout, shape: tuple[int, ...]) -> Array:
    slot = Slot("float64")
    slot.training, slot.address = True, (0, "pass", 1)
    zero: Array = layer.forward({}, np.ones(shape), slot) == 0
    return zero


def test_by_channel_whole_channels_of_each_example_are_dropped() -> None:
    zero = dropped(Dropout(rate=0.5, by="channel"), (40, 3, 2, 25))
    np.testing.assert_array_equal(zero, np.broadcast_to(zero[:, :1, :1], zero.shape))
    assert 0.4 < zero[:, 0, 0].mean() < 0.6
    assert len(np.unique(zero[:, 0, 0], axis=0)) == 40, "every example has a mask of its own"


def test_by_value_each_value_is() -> None:
    zero = dropped(Dropout(rate=0.25), (40, 3, 2, 25))
    assert not (zero[:, :1] == zero[:, 1:]).all()
    assert 0.2 < zero.mean() < 0.3


def test_without_positions_a_channel_is_a_value() -> None:
    by_value, by_channel = (dropped(Dropout(by=by), (9, 7)) for by in ("value", "channel"))
    np.testing.assert_array_equal(by_value, by_channel)
