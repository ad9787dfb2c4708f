"""Layers that look along the time of sequences."""

from typing import Any

import numpy as np
import pytest

from nnctl.activations import Tanh
from nnctl.engine.batch import Batch
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Head
from nnctl.engine.network import Network, Pass, chain
from nnctl.engine.parameters import Array
from nnctl.engine.sequences import Sequences
from nnctl.errors import ConfigError
from nnctl.initializers import Normal
from nnctl.layers import (
    Activation,
    Add,
    AttentionPool,
    AveragePool1d,
    Conv1d,
    ConvTranspose1d,
    Dense,
    Dropout,
    GlobalAveragePool,
    GlobalMaxPool,
    Glu,
    Last,
    LayerNormalization,
    MaxPool1d,
    PRelu,
    Residual,
    RmsNormalization,
    SwiGlu,
    Upsample,
)
from nnctl.layers.global_pooling import GlobalPool
from nnctl.losses.regression import SquaredError
from nnctl.training.gradients import check_network

RANDOM = np.random.default_rng(12)
STEPS = Signal((4,), steps=5)
LENGTHS = (3, 0, 6, 1, 2)

SETTINGS: list[dict[str, Any]] = [
    {},
    {"kernel": 4},
    {"kernel": 3, "stride": 2},
    {"kernel": 2, "stride": 3, "padding": "valid"},
    {"kernel": 3, "dilation": 2, "padding": "valid"},
    {"kernel": 3, "padding": (2, 0)},
    {"kernel": 3, "padding": 3, "stride": 2, "groups": 2},
    {"kernel": 2, "groups": "channels", "bias": False},
    {"kernel": 1},
]


def conv(settings: dict[str, Any]) -> Conv1d:
    spread = Normal(deviation=0.6)
    return Conv1d.model_validate({"filters": 4, "init": spread, "bias_init": spread, **settings})


POOLING: list[dict[str, Any]] = [
    {},
    {"size": 3, "stride": 1, "padding": "same"},
    {"size": 3, "stride": 2, "padding": 1},
    {"size": 3, "stride": 2, "ceil_mode": True},
    {"size": 2, "dilation": 2, "stride": 1},
    {"size": 3, "dilation": 2, "stride": 3, "ceil_mode": True},
    {"size": 2, "dilation": 2, "stride": 1, "padding": 1},
    {"size": 4, "stride": 3, "padding": (2, 1), "ceil_mode": True},
    {"size": 1},
]
POOLS: list[Any] = [MaxPool1d, AveragePool1d]
LAYERS: list[Layer] = [
    *(conv(settings) for settings in SETTINGS),
    *(pool.model_validate(settings) for pool in POOLS for settings in POOLING),
    *(AveragePool1d.model_validate({**settings, "count_padding": True}) for settings in POOLING),
    Upsample(factor=3),
]
OVER_TIME: list[GlobalPool] = [GlobalAveragePool(), GlobalMaxPool(), Last(), AttentionPool(units=3)]
each = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.model_dump(exclude={'init', 'bias_init'})}")


def some(lengths: tuple[int, ...] = LENGTHS) -> list[Array]:
    return [RANDOM.normal(size=(n, 4)) for n in lengths]


def through(network: Network) -> Pass:
    theta = network.layout.initial(3, dtype="f8")
    opened = Pass(network, theta, np.zeros_like(theta), to_input=True)
    opened.begin(training=True, address=(1, "pass"))
    return opened


@each
def test_each_sequence_is_what_an_array_of_its_length_is(layer: Layer) -> None:
    """The same layer over a batch of one array, forwards and backwards.

    Nothing where no window fits, and zeros where windows hold padding alone, both of which arrays refuse.
    """
    parts = some()
    sequences = through(chain([layer], STEPS))
    y = sequences.forward({"input": Sequences.of(parts)})["output"]
    dy = RANDOM.normal(size=y.shape)
    dx = sequences.backward({"output": dy})["input"]
    lengths = layer.lengths(np.array(LENGTHS))
    ends, starts = np.cumsum(lengths), np.cumsum(LENGTHS) - LENGTHS
    assert ends[-1] == len(y)
    gradient = np.zeros_like(sequences.gradient)
    for part, start, length, end in zip(parts, starts, lengths, ends, strict=True):
        try:
            arrays = through(chain([layer], part.shape))
        except ConfigError:
            assert not y[end - length : end].any()
            assert not dx[start : start + len(part)].any()
            continue
        if not len(part):
            assert length == 0
            continue
        own = slice(end - length, end)
        np.testing.assert_allclose(arrays.forward({"input": part[None]})["output"][0], y[own], rtol=1e-12, atol=1e-13)
        back = arrays.backward({"output": dy[None, own]})["input"][0]
        np.testing.assert_allclose(back, dx[start : start + len(part)], rtol=1e-12, atol=1e-13)
        gradient += arrays.gradient
    np.testing.assert_allclose(gradient, sequences.gradient, rtol=1e-11, atol=1e-13)


@each
@pytest.mark.parametrize("pool", OVER_TIME, ids=lambda pool: pool.type)
def test_the_gradient(layer: Layer, pool: GlobalPool) -> None:
    network = chain([conv({}), Activation(function=Tanh()), layer, conv({}), pool, Dense(units=2)], STEPS)
    examples = Batch(
        {"input": Sequences.of(some((4, 0, 1, 12)))}, {"output": RANDOM.normal(size=(4, 2))}, {"output": None}
    )
    report = check_network(network, {"output": Head(SquaredError())}, network.layout.initial(3, dtype="f8"), examples)
    assert report.worst.worst < 1e-7


@each
@pytest.mark.parametrize("pool", OVER_TIME, ids=lambda pool: pool.type)
def test_no_sequence_changes_one_bit_of_another(layer: Layer, pool: GlobalPool) -> None:
    """Neither forwards nor backwards, though its steps lie right beside the other's."""
    opened = through(chain([layer, Activation(function=Tanh()), pool, Dense(units=2)], STEPS))
    dy, starts = RANDOM.normal(size=(len(LENGTHS), 2)), np.cumsum(LENGTHS) - LENGTHS
    for kept, part in enumerate(some()):
        found = set()
        for _ in range(3):
            parts = some()
            parts[kept] = part
            y = opened.forward({"input": Sequences.of(parts)})["output"][kept].tobytes()
            dx = opened.backward({"output": dy})["input"][starts[kept] :][: LENGTHS[kept]].tobytes()
            found.add((y, dx))
        assert len(found) == 1


@pytest.mark.parametrize(
    "layer",
    [Glu(), SwiGlu(), LayerNormalization(), RmsNormalization(), Dense(units=4, init=Normal()), PRelu()],
    ids=lambda layer: layer.type,
)
def test_each_step_is_an_example_of_its_own(layer: Any) -> None:
    sequences, examples = through(chain([layer], STEPS)), through(chain([layer], (4,)))
    steps = Sequences.of(some())
    y = sequences.forward({"input": steps})["output"]
    np.testing.assert_array_equal(y, examples.forward({"input": steps.values})["output"])
    dy = RANDOM.normal(size=y.shape)
    dx, dx_of_examples = (opened.backward({"output": dy})["input"] for opened in (sequences, examples))
    np.testing.assert_array_equal(dx, dx_of_examples)
    np.testing.assert_array_equal(sequences.gradient, examples.gradient)


def test_nothing_but_empty_sequences() -> None:
    opened = through(chain([conv({}), GlobalMaxPool(), Dense(units=2)], STEPS))
    y = opened.forward({"input": Sequences.of(some((0, 0)))})["output"]
    np.testing.assert_array_equal(y, np.zeros((2, 2)))
    assert opened.backward({"output": y})["input"].shape == (0, 4)


def test_lengths_that_stay_can_be_joined_and_others_not() -> None:
    chain([Residual(layers=(conv({"kernel": 4}),)), GlobalMaxPool()], STEPS)
    chain([Residual(layers=(conv({"padding": (2, 0)}),)), GlobalMaxPool()], STEPS)
    graph = Graph({"a": STEPS})
    shorter = graph.add("shorter", conv({"padding": "valid"}), "a")
    assert graph.signals[shorter].steps == 3
    with pytest.raises(ConfigError, match="joins sequences step by step"):
        graph.add("join", Add(), "a", shorter)


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"conv1d1: cannot pad sequences with `padding_mode: reflect`"):
        chain([conv({"padding_mode": "reflect"})], STEPS)
    with pytest.raises(ConfigError, match="takes numbers, and finds tokens; put an embedding"):
        chain([conv({})], Signal((), steps=5, tokens=11))
    with pytest.raises(ConfigError, match=r"finds steps of shape \(2, 3\)"):
        chain([conv({})], Signal((2, 3), steps=5))
    with pytest.raises(ConfigError, match="must both be multiples of `groups`"):
        chain([conv({"groups": 3})], STEPS)
    for pool in POOLS:
        with pytest.raises(ConfigError, match=r"finds steps of shape \(2, 3\)"):
            chain([pool()], Signal((2, 3), steps=5))
        with pytest.raises(ConfigError, match="takes numbers, and finds tokens; put an embedding"):
            chain([pool()], Signal((), steps=5, tokens=11))
        with pytest.raises(ConfigError, match="padding 3 makes windows of 2 without inputs"):
            chain([pool(padding=3)], STEPS)
    with pytest.raises(ConfigError, match="upsample1: makes sequences longer by one `factor` and `mode: nearest`"):
        chain([Upsample(mode="bilinear")], STEPS)
    with pytest.raises(ConfigError, match="conv_transpose1d1: takes arrays, and finds sequences"):
        chain([ConvTranspose1d(filters=2, kernel=2)], STEPS)


def test_a_maximum_is_the_first_of_equal_steps_and_never_padding() -> None:
    opened = through(chain([MaxPool1d(size=3, stride=1, padding="same")], Signal((1,), steps=3)))
    steps = Sequences.of([np.array([[-2.0], [-1.0], [-1.0]]), np.array([[-5.0]])])
    y = opened.forward({"input": steps})["output"]
    np.testing.assert_array_equal(y.ravel(), [-1, -1, -1, -5])
    np.testing.assert_array_equal(opened.backward({"output": np.ones_like(y)})["input"].ravel(), [0, 3, 0, 1])


def test_dropout_by_channel_drops_all_steps_of_a_sequence() -> None:
    opened = through(chain([Dropout(rate=0.5, by="channel")], STEPS))
    x = Sequences.of([np.ones((n, 4)) for n in (5, 0, 3, 4)])
    y = opened.forward({"input": x})["output"]
    for part in (y[:5], y[5:8], y[8:]):
        np.testing.assert_array_equal(part, np.broadcast_to(part[0], part.shape))
    assert len({part.tobytes() for part in (y[0], y[5], y[8])}) > 1
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(opened.backward({"output": np.ones_like(y)})["input"], y)


def test_the_first_layer_is_spared_the_gradient_of_sequences() -> None:
    """As where it is wanted: the same gradients of its own parameters."""
    network, found = chain([conv({})], STEPS), []
    sequences = Sequences.of(some())
    for to_input in (True, False):
        theta = network.layout.initial(3, dtype="f8")
        run = Pass(network, theta, np.zeros_like(theta), to_input=to_input)
        y = run.forward({"input": sequences})["output"]
        assert bool(run.backward({"output": np.ones_like(y)})) == to_input
        found.append(run.gradient)
    np.testing.assert_array_equal(found[0], found[1])
