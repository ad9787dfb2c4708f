"""Joins of one value alone."""

import numpy as np
import pytest

from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Join
from nnctl.engine.network import Network, Pass
from nnctl.layers import Add, Concatenate, Multiply


@pytest.mark.parametrize("join", [Add(), Concatenate(), Multiply()], ids=lambda join: join.type)
def test_of_one_value_are_that_value(join: Join) -> None:
    graph = Graph({"a": Signal((3,))})
    network = Network(graph, {"p": graph.add("join", join, "a")})
    theta = network.layout.initial(0, dtype=np.float64)
    x, dy = np.random.default_rng(1).normal(size=(2, 4, 3))
    through = Pass(network, theta, np.zeros_like(theta), to_input=True)
    through.begin(training=True, address=(0,))
    np.testing.assert_array_equal(through.forward({"a": x})["p"], x)
    np.testing.assert_array_equal(through.backward({"p": dy})["a"], dy)
