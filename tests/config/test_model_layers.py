"""The long form with convolutions and blocks: outputs, channels, starts."""

from typing import Any

import numpy as np
import pytest

from nnctl.activations import Relu, Tanh
from nnctl.activations.softmax import Softmax
from nnctl.config.architecture import Wanted, build, settle
from nnctl.config.model import Model
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.graph import Graph, Signal, as_run, unique_names
from nnctl.engine.layer import Layer
from nnctl.engine.network import Network
from nnctl.errors import ConfigError
from nnctl.layers import Activation, Conv2d, Dense, Flatten, GlobalAveragePool, MaxPool2d, Residual
from nnctl.losses import CrossEntropy
from tests.networks import Pass, chain, network_of

IMAGE = (8, 8, 1)


def names(layers: tuple[Any, ...], input_shape: tuple[int, ...] = IMAGE) -> tuple[str, ...]:
    return tuple(network_of(Model(layers=layers), input_shape, 3, CrossEntropy()).nodes)


def test_the_output_layer_follows_flat_layers() -> None:
    assert names((Conv2d(filters=2), Flatten())) == ("conv2d1", "flatten1", "dense1")
    assert names((Conv2d(filters=2), GlobalAveragePool())) == ("conv2d1", "global_average_pool1", "dense1")


@pytest.mark.parametrize("layers", [(Conv2d(filters=2),), (MaxPool2d(), Activation(function=Relu()))])
def test_images_must_be_flattened_before_it(layers: tuple[Layer, ...]) -> None:
    with pytest.raises(ConfigError, match=r"last layer gives \(\d, \d, \d\).*`- flatten` or `- global_average_pool`"):
        names(layers)


@pytest.mark.parametrize("units", [None, 3, 5])
@pytest.mark.parametrize("activation", [None, Softmax(), Relu()])
def test_a_dense_layer_over_positions_needs_flatten_before_it(units: int | None, activation: Any) -> None:
    """Whatever its units: they are not what is wrong."""
    with pytest.raises(ConfigError) as caught:
        names((Conv2d(filters=2), Activation(function=Relu()), Dense(units=units, activation=activation)))
    assert "`- flatten` or `- global_average_pool` before it" in str(caught.value)
    assert f"gives (8, 8, {units or 3}) an example" in str(caught.value)
    assert "units" not in str(caught.value)


def test_a_grey_image_has_one_channel() -> None:
    assert names((Conv2d(filters=2), Flatten()), (8, 8))[:2] == ("reshape1", "conv2d1")
    with pytest.raises(ConfigError, match=r"takes .* finds \(8, 8\); `- reshape: \[8, 8, 1\]` before"):
        Conv2d(filters=2).output_shape((8, 8))


def test_starts_suit_what_follows() -> None:
    """The activation given, the next one on the way, or none where other weights or a block come first."""
    inner = (Conv2d(filters=2), Activation(function=Relu()), Conv2d(filters=2))
    layers = [Conv2d(filters=2, activation=Relu()), Conv2d(filters=2), MaxPool2d(), Activation(function=Relu()),
              Conv2d(filters=2), Residual(layers=inner), Dense(units=2), Activation(function=Tanh())]  # fmt: skip
    settled: list[Any] = list(settle(layers))
    starts = [layer.init.type for layer in settled if isinstance(layer, Conv2d | Dense)]
    assert starts == ["he_normal", "he_normal", "glorot_uniform", "glorot_uniform"]
    assert [layer.init.type for layer in settled[5].layers[::2]] == ["he_normal", "glorot_uniform"]
    assert [layer.type for _, layer in as_run(settle(layers))][:3] == ["conv2d", "activation", "conv2d"]
    assert settle(settled) == settled


RELU = Activation(function=Relu())


def test_a_rectifier_comes_after_the_maximum_it_stands_before() -> None:
    layers = [Conv2d(filters=2), RELU, MaxPool2d(), Residual(layers=(RELU, MaxPool2d(size=1))), RELU, Flatten()]
    inside = [f"residual1.layers.{name}" for name in ("max_pool2d1", "relu1")]
    expected = ["conv2d1", "max_pool2d1", "relu1", *inside, "residual1", "relu2", "flatten1"]
    assert list(chain(layers, (8, 8, 1)).nodes) == expected
    other = [Activation(function=Tanh()), MaxPool2d(), RELU, Flatten()]
    assert as_run(other) == list(enumerate(other))


def one_by_one(layers: list[Layer], shape: tuple[int, ...]) -> Network:
    """The layers in the order in which they are written."""
    graph, end = Graph({INPUT: Signal(shape)}), INPUT
    for name, layer in zip(unique_names(layers), layers, strict=True):
        end = graph.add(name, layer, end)
    return Network(graph, {OUTPUT: end})


@pytest.mark.parametrize("pool", [MaxPool2d(), MaxPool2d(size=3, stride=2, padding=1)])
def test_that_changes_no_bit(pool: MaxPool2d) -> None:
    random = np.random.default_rng(5)
    layers = [Conv2d(filters=3), RELU, pool, Flatten(), Dense(units=2)]
    x = random.normal(size=(6, 7, 7, 2)).round(1).astype("f4")  # rounded, so that there are ties
    found = []
    for network in (one_by_one(layers, x.shape[1:]), chain(layers, x.shape[1:])):
        theta = network.layout.initial(3)
        gradient = np.zeros_like(theta)
        through = Pass(network, theta, gradient, to_input=True)
        y = through.forward(x).copy()
        found.append((y, through.backward(np.ones_like(y)).copy(), gradient))
    for written, ordered in zip(*found, strict=True):
        assert np.array_equal(written, ordered)


def test_a_head_uses_a_layer_of_the_head_before_it() -> None:
    model = Model.model_validate(
        {
            "layers": ["relu"],
            "outputs": {"p": [{"type": "dense", "units": 4, "name": "shared"}, "relu"], "q": [{"use": "p.shared"}]},
        }
    )
    wanted = {name: Wanted(3, CrossEntropy()) for name in ("p", "q")}
    network = build(model, {"x": Signal((2,))}, wanted).network
    assert "q.use1" in network.nodes
    assert network.layout.size == (2 * 4 + 4) + 2 * (4 * 3 + 3)  # one shared layer, an output layer for each
