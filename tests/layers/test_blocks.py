"""Blocks against the same layers put together by hand; names, randomness, statistics and kinks inside them."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest

from nnctl.activations import Relu, Tanh
from nnctl.config.architecture import settle
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.shards import plan_shards
from nnctl.errors import ConfigError
from nnctl.initializers import HeNormal
from nnctl.layers import (
    Activation,
    BatchNormalization,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    MaxPool2d,
    Parallel,
    Residual,
    Upsample,
)
from nnctl.layers.blocks import Block
from nnctl.losses.regression import SquaredError
from tests.networks import MeanLoss, Pass, chain

ADDRESS = (3, "pass", 0, 1)


def compiled(layers: Sequence[Layer], shape: tuple[int, ...], training: bool = True) -> tuple[Pass, Array]:
    network = chain(layers, shape)
    theta = network.layout.initial(1, dtype="f8")
    run = Pass(network, theta, np.full_like(theta, np.nan), to_input=True)
    run.begin(training=training, address=ADDRESS)
    return run, theta


def test_parameters_are_named_by_chain_and_layer() -> None:
    block = Residual(layers=(Dense(units=2), Dense(units=3, name="last")), shortcut=(Dense(units=3),))
    nested = Parallel(branches=((block,), ()), name="fork")
    names = list(chain([nested], (4,)).layout.parameters)
    inside = ["layers.dense1", "layers.last", "shortcut.dense1"]
    assert names == [f"fork.branch1.residual1.{name}.{part}" for name in inside for part in ("weight", "bias")]
    assert list(chain([nested], (4,)).nodes) == [
        *(f"fork.branch1.residual1.{name}" for name in inside),
        "fork.branch1.residual1",
        "fork",
    ]


def test_a_residual_block_adds_what_its_layers_make() -> None:
    x, dy = np.random.default_rng(0).normal(size=(2, 5, 3))
    run, theta = compiled([Residual(layers=(Dense(units=3), Activation(function=Tanh())))], (3,))
    alone, start = compiled([Dense(units=3), Activation(function=Tanh())], (3,))
    start[...] = theta
    np.testing.assert_allclose(run.forward(x), x + alone.forward(x), rtol=1e-14)
    np.testing.assert_allclose(run.backward(dy), dy + alone.backward(dy), rtol=1e-14)
    np.testing.assert_allclose(run.gradient, alone.gradient, rtol=1e-14)


@pytest.mark.parametrize("merge", ["add", "concatenate"])
def test_branches_are_put_together(merge: Literal["add", "concatenate"]) -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    run, theta = compiled([Parallel(merge=merge, branches=((Dense(units=3, bias=False),), ()))], (3,))
    W = theta.reshape(3, 3)
    y = run.forward(x)
    np.testing.assert_allclose(y, x @ W + x if merge == "add" else np.hstack([x @ W, x]), rtol=1e-14)
    dy = np.random.default_rng(1).normal(size=y.shape)
    first, second = (dy, dy) if merge == "add" else np.hsplit(dy, 2)
    np.testing.assert_allclose(run.backward(dy), first @ W.T + second, rtol=1e-14)
    np.testing.assert_allclose(run.gradient.reshape(3, 3), x.T @ first, rtol=1e-14)


def test_masks_are_the_same_at_the_same_address_and_differ_between_layers() -> None:
    drop = Dropout(rate=0.5)
    run, _ = compiled([Parallel(branches=((drop, drop), (drop,)))], (50,))
    x = np.ones((4, 50))
    first = run.forward(x).copy()
    np.testing.assert_array_equal(run.forward(x), first)
    masks = [
        run.slots[f"parallel1.{name}"]["mask"] for name in ("branch1.dropout1", "branch1.dropout2", "branch2.dropout1")
    ]
    assert len({mask.tobytes() for mask in masks}) == 3
    run.begin(training=False, address=ADDRESS)
    np.testing.assert_array_equal(run.forward(x), 1)


def test_batch_normalisation_inside_makes_one_shard_and_is_tracked() -> None:
    plain, normalised = Residual(layers=(Dense(units=3),)), Residual(layers=(BatchNormalization(momentum=1),))
    nested = Parallel(branches=((normalised,),))
    assert [chain([layer], (3,)).couples_examples for layer in (plain, normalised, nested)] == [False, True, True]
    network = chain([nested], (3,))
    assert len(plan_shards(network, 10**6)) == 1
    theta = network.layout.initial(1, dtype="f8")
    x = np.random.default_rng(0).normal(size=(20, 3))
    objective = MeanLoss(network, SquaredError(), theta)
    objective(x, x)
    objective.track()
    running = network.layout.view(theta, "parallel1.branch1.residual1.layers.batch_normalization1.running_mean")
    np.testing.assert_allclose(running, x.mean(axis=0), rtol=1e-12)


def pieces_of(run: Pass) -> dict[str, list[Any]]:
    """The smooth pieces of the layers that have kinks, by name."""
    found = {name: node.layer.pieces(run.slots[name]) for name, node in run.network.nodes.items()}
    return {name: pieces.tolist() for name, pieces in found.items() if pieces is not None}


def test_kinks_inside_are_seen() -> None:
    inner = (Activation(function=Relu()), MaxPool2d(), Flatten())
    smooth, kinked = (Residual(layers=(Activation(function=f),)) for f in (Tanh(), Relu()))
    run, _ = compiled([Parallel(branches=(inner, (Flatten(),)))], (2, 2, 1))
    x = np.array([[1.0, 2], [3, 4]])[None, :, :, None]
    found: list[Any] = []
    for value in (x, x + 0.1, x - 5, x[:, ::-1].copy()):
        run.forward(value)
        found.append(pieces_of(run))
    assert [found[0] == other for other in found] == [True, True, False, False]
    run, _ = compiled([smooth, kinked], (3,))
    run.forward(np.ones((1, 3)))
    assert list(pieces_of(run)) == ["residual2.layers.relu1"]


def test_the_gradient_to_the_input_is_spared() -> None:
    """As the first layer with parameters: nothing before its own parameters, the same gradients."""
    layers = [Residual(layers=(Flatten(), Dense(units=3), Dense(units=3)), shortcut=(Flatten(), Dense(units=3)))]
    x, dy = np.random.default_rng(0).normal(size=(2, 4, 3))
    whole, theta = compiled(layers, (3,))
    short = Pass(whole.network, theta, np.full_like(theta, np.nan))
    for run in (whole, short):
        run.begin(training=True, address=ADDRESS)
        run.forward(x)
        run.backward(dy)
    np.testing.assert_array_equal(short.gradient, whole.gradient)
    assert "dx" not in short.slots["residual1.layers.dense1"]._buffers


def test_activations_and_starts_inside_are_spelled_out() -> None:
    block = Residual(layers=(Conv2d(filters=2, activation=Relu()), Conv2d(filters=2)), shortcut=(Dense(units=2),))
    nodes: Any = chain(settle([block]), (4, 4, 2)).nodes
    assert list(nodes) == [
        f"residual1{n}" for n in (".layers.conv2d1", ".layers.relu1", ".layers.conv2d2", ".shortcut.dense1", "")
    ]
    assert nodes["residual1.layers.conv2d1"].layer.init == HeNormal()
    assert nodes["residual1.shortcut.dense1"].layer.init.type == "glorot_uniform"


REFUSED = [
    (Residual(layers=(Dense(units=5),)), (3,), r"layers` gives \(5,\) and the shortcut \(3,\).*shortcut: \["),
    (
        Residual(layers=(Conv2d(filters=2),)),
        (3,),
        r"^layer residual1.layers.conv2d1: takes inputs of shape \(height",
    ),
    (Parallel(branches=()), (2,), "has no branches"),
    (
        Parallel(branches=((), (Flatten(),))),
        (2, 2),
        r"finds branches.0 \(2, 2\), branches.1 \(4,\); put `- flatten` last in branches.0",
    ),
    (
        Parallel(merge="add", branches=((), (Dense(units=1),))),
        (2,),
        r"layer parallel1: adds values.*branches.0 \(2,\), branches.1 \(1,\); put `- {dense: 1}` last in branches.0",
    ),
    (Parallel(branches=((Upsample(factor=(2, 1)),),)), (2, 2), r"^layer parallel1.branch1.upsample1: takes"),
]


@pytest.mark.parametrize(("layer", "shape", "words"), REFUSED)
def test_what_does_not_fit_is_told(layer: Block, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        chain([layer], shape)
