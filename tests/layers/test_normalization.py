"""Batch normalisation of many values in float32, and what instance normalisation is and refuses."""

import numpy as np
import pytest

from nnctl.engine.graph import Signal
from nnctl.engine.sequences import Sequences
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.layers import BatchNormalization, GroupNormalization, InstanceNormalization
from tests.networks import Pass, chain


@pytest.mark.parametrize("shape", [(100_003, 2), (96, 33, 35, 2), (3, 4, 2)])
def test_float32_is_as_good_as_its_inputs(shape: tuple[int, ...]) -> None:
    x = (np.random.default_rng(0).normal(size=shape) + 300).astype("f4")
    dy = np.random.default_rng(1).normal(size=shape).astype("f4") + np.float32(1)
    network = chain([BatchNormalization()], shape[1:])
    found = {}
    for dtype in ("f4", "f8"):
        theta = network.layout.initial(0, dtype=dtype)
        through = Pass(network, theta, np.zeros_like(theta), to_input=True)
        through.begin(training=True, address=(0,))
        found[dtype] = through.forward(x.astype(dtype)).copy(), through.backward(dy.astype(dtype)).copy()
    for single, double in zip(found["f4"], found["f8"], strict=True):
        np.testing.assert_allclose(single, double, atol=1e-4)  # half a unit in the last place of 300 is 1.5e-5


def test_instance_normalisation_is_a_group_a_channel() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    one, other = InstanceNormalization(affine=False), GroupNormalization(affine=False, groups=5)
    np.testing.assert_array_equal(one.forward({}, x, Slot("float64")), other.forward({}, x, Slot("float64")))


@pytest.mark.parametrize("shape", [(4,), (1, 1, 4)])
def test_one_value_is_its_own_mean(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="each channel has one value"):
        InstanceNormalization().output_shape(shape)


def test_sequences_without_steps_leave_the_running_statistics_as_they_are() -> None:
    network = chain([BatchNormalization()], Signal((2,), steps=3))
    theta = network.layout.initial(0, dtype="f8")
    through, start = Pass(network, theta), theta.copy()
    through.begin(training=True, address=(0,))
    assert through.forward(Sequences(np.empty((0, 2)), np.zeros(4, int))).shape == (0, 2)
    through.track(theta)
    np.testing.assert_array_equal(theta, start)
