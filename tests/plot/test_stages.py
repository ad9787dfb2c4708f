"""What layers give, against sums written out."""

from pathlib import Path

import numpy as np
import pytest

from nnctl.activations import Relu
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.network import Network, chain
from nnctl.engine.parameters import Array
from nnctl.layers import Activation, Block, Concatenate, Conv2d, Dense, Dropout, GlobalAveragePool, PRelu
from nnctl.plot.stages import stages, weights
from nnctl.training.evaluate import outputs
from tests.layers.cases import CASES, Case
from tests.plot.made import CONV, conv_model


def plain_conv(x: Array, w: Array, b: Array) -> Array:
    """Valid correlation of one image (h, w, c), by its definition."""
    kh, kw, _, filters = w.shape
    height, width = x.shape[0] - kh + 1, x.shape[1] - kw + 1
    y = np.empty((height, width, filters))
    for i in range(height):
        for j in range(width):
            for f in range(filters):
                y[i, j, f] = np.sum(x[i : i + kh, j : j + kw] * w[..., f]) + b[f]
    return y


def test_each_stage_of_a_network(tmp_path: Path) -> None:
    model = conv_model(tmp_path)
    x = np.random.default_rng(1).normal(size=(2, 8, 6, 1)).astype(np.float32)
    found = stages(model.network, model.theta, {INPUT: x})
    assert [stage.name for stage in found] == ["conv2d1 + relu", "max_pool2d1", "dense1"]
    view = {name: model.network.layout.view(model.theta, name) for name in model.network.layout.parameters}
    for i in range(2):
        conv = np.maximum(plain_conv(x[i], view["conv2d1.weight"], view["conv2d1.bias"]), 0)
        np.testing.assert_allclose(found[0].values[i], conv, atol=1e-5)
        pooled = conv.reshape(3, 2, 2, 2, 4).max(axis=(1, 3))
        np.testing.assert_allclose(found[1].values[i], pooled, atol=1e-5)
    np.testing.assert_array_equal(found[-1].values, outputs(model.network, model.theta, {INPUT: x})[OUTPUT])


def test_stages_do_not_share_memory(tmp_path: Path) -> None:
    config = CONV.replace("- dropout", "- {type: activation, function: tanh}")
    model = conv_model(tmp_path, config)
    found = stages(model.network, model.theta, {INPUT: np.ones((1, 8, 6, 1), np.float32)})
    assert found[0].name == "conv2d1 + relu + tanh"
    assert not any(np.shares_memory(a.values, b.values) for a in found for b in found if a is not b)


def test_blocks_are_opened(tmp_path: Path) -> None:
    """A residual block's layers, then its sum; what a chain begins with belongs to no layer before the block."""
    block = "- residual: [tanh, {conv: 4, kernel: 1, bias_init: {type: normal}}, batch_normalization, relu]"
    model = conv_model(tmp_path, CONV.replace("- relu", block).replace("- dropout", "- dropout\n    - tanh"))
    x = np.random.default_rng(1).normal(size=(2, 8, 6, 1)).astype(np.float32)
    found = stages(model.network, model.theta, {INPUT: x})
    inside = "residual1.layers.conv2d1 + batch_normalization + relu"
    assert [stage.name for stage in found] == [
        "conv2d1", "residual1.layers.tanh1", inside, "residual1 + tanh", "max_pool2d1", "dense1",
    ]  # fmt: skip
    start, bent, convolved, joined, *_ = (stage.values for stage in found)
    view = {name: model.network.layout.view(model.theta, name) for name in model.network.layout.parameters}
    w, b = (view[f"residual1.layers.conv2d1.{name}"] for name in ("weight", "bias"))
    np.testing.assert_allclose(bent, np.tanh(start), atol=1e-6)
    for i in range(2):  # the statistics of the start change next to nothing
        np.testing.assert_allclose(convolved[i], np.maximum(plain_conv(bent[i], w, b), 0), atol=1e-4)
    np.testing.assert_allclose(joined, np.tanh(start + convolved), atol=1e-6)
    assert not any(np.shares_memory(a.values, b.values) for a in found for b in found if a is not b)


def test_weights_by_layer(tmp_path: Path) -> None:
    model = conv_model(tmp_path)
    assert {name: w.shape for name, w in weights(model.network, model.theta).items()} == {
        "conv2d1": (3, 3, 1, 4),
        "dense1": (24, 3),
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_layer_has_its_place_among_the_stages(case: Case) -> None:
    """One that gives the same has none, one that changes values in place stands with what is before it."""
    if case.tokens:
        return  # has no place after a layer that gives numbers
    network = chain([PRelu(), case.layer], case.input_shape)
    x = np.random.default_rng(2).normal(size=(2, *case.input_shape))
    theta = network.layout.initial(1, dtype=np.float64)
    *_, last = stages(network, theta, {INPUT: x})
    same, in_place = case.layer.gives == "same", case.layer.gives == "changed" and not isinstance(case.layer, Block)
    place = (
        "prelu1"
        if same
        else f"prelu1 + {case.layer.kind}"
        if in_place
        else [n for n in network.nodes if "." not in n][1]
    )
    assert last.name == place or isinstance(case.layer, PRelu)
    np.testing.assert_array_equal(last.values.ravel(), outputs(network, theta, {INPUT: x})[OUTPUT].ravel())


def test_branches_and_what_joins_them() -> None:
    """Layers of each named input, and of both together; a value that is read twice is no part of what changes it."""
    graph = Graph({"picture": Signal((4, 4, 1)), "facts": Signal((3,))})
    relu = Activation(function=Relu())
    left = graph.chain([Conv2d(filters=2), Dropout(rate=0.5), relu, GlobalAveragePool()], "picture", "picture.")
    right = graph.chain([Dense(units=2)], "facts", "facts.")
    both = graph.add("join", Concatenate(), left, graph.chain([relu], right, "bent."))
    ends = {"y": graph.chain([Dense(units=1)], both), "z": graph.chain([Dense(units=1)], right, "z.")}
    network = Network(graph, ends)
    random = np.random.default_rng(3)
    inputs = {"picture": random.normal(size=(2, 4, 4, 1)), "facts": random.normal(size=(2, 3))}
    found = stages(network, network.layout.initial(1, dtype=np.float64), inputs)
    assert [(stage.name, stage.values.shape[1:]) for stage in found] == [
        ("picture.conv2d1 + relu", (4, 4, 2)),
        ("picture.global_average_pool1", (2,)),
        ("facts.dense1", (2,)),
        ("bent.relu1", (2,)),
        ("join", (4,)),
        ("dense1", (1,)),
        ("z.dense1", (1,)),
    ]
