"""Joins: of one value alone, and what makes values fit that do not."""

import re

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Join, Layer
from nnctl.engine.network import Network, Pass
from nnctl.errors import ConfigError
from nnctl.layers import Add, AnyLayer, Attention, Concatenate, Multiply
from nnctl.layers.joins import joined


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


LAYERS: TypeAdapter[Layer] = TypeAdapter(AnyLayer)
SIGNALS = [
    Signal((3,)), Signal((5,)), Signal((2, 3)), Signal((2, 5)), Signal((4, 4, 2)), Signal((2,), steps=6),
    Signal((3,), steps=2), Signal((), steps=7, tokens=9), Signal((2, 3), steps=4),
]  # fmt: skip


@pytest.mark.parametrize("join", [Add(), Concatenate(), Multiply(), Attention()], ids=lambda join: join.type)
def test_what_a_refusal_says_to_add_makes_every_pair_and_triple_fit(join: Join) -> None:
    refused = 0
    for size in (2, 3):
        for choice in np.ndindex(*(len(SIGNALS),) * size):
            given = {f"in{i}": SIGNALS[k] for i, k in enumerate(choice)}
            graph = Graph(given)
            try:
                joined(graph, "join", join, {name: name for name in given})
            except ConfigError as error:
                refused += 1
                remedies = re.findall(r"((?:`- [^`]*`(?: and )?)+) last in (in\d)", str(error))
                assert remedies
                ends = {name: name for name in given}
                for layers, branch in remedies:
                    written = [yaml.safe_load(layer)[0] for layer in re.findall(r"`(- [^`]*)`", layers)]
                    ends[branch] = graph.chain([LAYERS.validate_python(w) for w in written], branch, f"{branch}.")
                assert joined(graph, "join", join, ends) == "join"
    assert refused > 100
