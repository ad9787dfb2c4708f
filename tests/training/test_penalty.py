"""Which weights a layer's own penalty reaches."""

import numpy as np

from nnctl.engine.network import chain
from nnctl.layers import Conv2d, Dense, Flatten, Residual
from nnctl.regularization import Penalty, Regularization


def test_layers_inside_blocks_have_penalties_of_their_own() -> None:
    block = Residual(layers=(Conv2d(filters=1, l2=4.0), Conv2d(filters=1)), shortcut=(Dense(units=1, l1=3.0),))
    network = chain([block, Flatten(), Dense(units=2, l2=0.0)], (2, 2, 1))
    theta = np.ones(network.layout.size)
    g = np.zeros_like(theta)
    Penalty(Regularization(l2=2.0), network.layout).add_gradient(theta, g)
    found = {name: np.unique(network.layout.view(g, name)).tolist() for name in network.layout.parameters}
    assert {name: values for name, values in found.items() if name.endswith("weight")} == {
        "residual1.layers.conv2d1.weight": [4.0],
        "residual1.layers.conv2d2.weight": [2.0],
        "residual1.shortcut.dense1.weight": [5.0],
        "dense1.weight": [0.0],
    }
    assert all(values == [0.0] for name, values in found.items() if name.endswith("bias"))
