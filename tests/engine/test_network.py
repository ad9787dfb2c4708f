"""A network without some of its layers."""

import numpy as np

from nnctl.activations import Tanh
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.network import Network, Pass
from nnctl.initializers import Normal
from nnctl.layers import Activation, Add, Dense, Dropout, GaussianNoise, Use

SPREAD = Normal(deviation=0.6)


def disturbed() -> Network:
    """Noise at an input, dropout between layers, before a shared one, at a join and at an output."""
    graph = Graph({"a": Signal((3,)), "b": Signal((3,))})
    a = graph.chain([GaussianNoise(), Dense(units=3, init=SPREAD, bias_init=SPREAD), Dropout(rate=0.5)], "a", "a.")
    b = graph.chain([Dropout(rate=0.5), Use(layer="a.dense1")], "b", "b.")
    joined = graph.add("join", Add(), a, b)
    return Network(graph, {"p": graph.chain([Activation(function=Tanh()), Dropout(rate=0.5)], joined), "q": joined})


def test_only_those_are_left_out() -> None:
    network = disturbed()
    short = network.without(lambda layer: layer.disturbs)
    gone = {name for name, node in network.nodes.items() if isinstance(node.layer, Dropout | GaussianNoise)}
    assert len(gone) == 4
    assert set(short.nodes) == set(network.nodes) - gone


def test_in_evaluation_layers_that_disturb_make_no_difference() -> None:
    network = disturbed()
    short = network.without(lambda layer: layer.disturbs)
    theta = network.layout.initial(2, dtype=np.float64)
    inputs = {name: np.random.default_rng(0).normal(size=(4, 3)) for name in "ab"}
    passes = Pass(network, theta), Pass(short, theta)  # one set of weights, of the shared layer
    for one in passes:
        one.begin(training=False, address=(0,))
    whole, rest = ({name: y.copy() for name, y in one.forward(inputs).items()} for one in passes)
    for name in ("p", "q"):
        np.testing.assert_array_equal(whole[name], rest[name])
