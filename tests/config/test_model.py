"""The model section and the network it describes."""

from typing import Any

import pytest
from pydantic import ValidationError

from nnctl.activations import Sigmoid, Softmax, Tanh
from nnctl.config.model import Model
from nnctl.engine.batch import OUTPUT
from nnctl.errors import ConfigError
from nnctl.initializers import HeUniform, LeCunNormal
from nnctl.layers import Activation, Dense
from nnctl.losses import BinaryCrossEntropy, CrossEntropy, SquaredError
from nnctl.losses.base import LossSpec
from tests.networks import complete, layers_of, network_of


def names(
    model: Model, outputs: int = 3, loss: LossSpec | None = None, shape: tuple[int, ...] = (4,)
) -> tuple[str, ...]:
    return tuple(network_of(model, shape, outputs, loss or CrossEntropy()).nodes)


def test_the_short_form() -> None:
    model = Model(hidden=(8, 6), input_dropout=0.1, dropout=0.2, normalization="batch")
    block = ["batch_normalization", "relu", "dropout"]
    expected = ["dropout1", "dense1", *(f"{k}{n}" for k, n in zip(block, "112", strict=True))]
    expected += ["dense2", *(f"{k}{n}" for k, n in zip(block, "223", strict=True)), "dense3"]
    assert list(names(model)) == expected
    assert network_of(model, (4,), 3, CrossEntropy()).shape_of(OUTPUT) == (3,)


def test_no_hidden_layer_is_a_linear_model() -> None:
    assert names(Model()) == ("dense1",)


def test_images_are_flattened_in_the_short_form() -> None:
    assert names(Model(hidden=(5,)), shape=(4, 4)) == ("flatten1", "dense1", "relu1", "dense2")


def test_the_initialiser_follows_the_activation() -> None:
    def ends(model: Model) -> tuple[Any, Any]:
        layers = layers_of(network_of(model, (4,), 3, CrossEntropy()))
        return layers[0], layers[-1]

    assert ends(Model(hidden=(5,)))[0].init.type.startswith("he")
    assert ends(Model(hidden=(5,), activation=Tanh()))[0].init.type.startswith("glorot")
    assert ends(Model(layers=(Dense(units=5), Activation(function=Tanh()))))[0].init.type.startswith("glorot")
    assert ends(Model(hidden=(5,), init=LeCunNormal()))[-1].init == LeCunNormal()
    assert ends(Model(hidden=(5,), init=LeCunNormal(), output_init=HeUniform()))[-1].init == HeUniform()


def test_an_output_layer_is_added_unless_spelled_out() -> None:
    hidden = Dense(units=5, activation=Tanh())
    assert names(Model(layers=(hidden,))) == ("dense1", "tanh1", "dense2")
    assert names(Model(layers=(hidden, Dense(units=3)))) == ("dense1", "tanh1", "dense2")
    assert names(Model(layers=(hidden, Dense()))) == ("dense1", "tanh1", "dense2")


def test_what_a_run_writes_down_has_the_output_layer() -> None:
    model = Model(layers=(Dense(units=5, activation=Tanh()),))
    written = complete(model, (4,), 3, CrossEntropy())
    assert [layer.units for layer in written] == [5, 3]
    assert all(layer.init is not None for layer in written)
    again = Model(layers=tuple(written))
    first, second = (layers_of(network_of(m, (4,), 3, CrossEntropy())) for m in (model, again))
    assert first == second


def test_an_output_layer_of_another_size_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="last layer has 4 units and the target needs 3"):
        names(Model(layers=(Dense(units=5, activation=Tanh()), Dense(units=4))))


def test_a_final_activation_that_the_loss_contains_is_left_to_it() -> None:
    spelled = Model(layers=(Dense(units=3, activation=Softmax()),))
    assert names(spelled) == ("dense1",)
    assert names(spelled, loss=CrossEntropy(input="probabilities")) == ("dense1", "softmax1")
    assert names(spelled, loss=SquaredError()) == ("dense1", "softmax1")
    assert names(Model(layers=(Dense(units=1, activation=Sigmoid()),)), 1, BinaryCrossEntropy()) == ("dense1",)


def test_a_final_softmax_with_settings_of_its_own_is_not_dropped() -> None:
    with pytest.raises(ConfigError, match="its settings belong to the loss"):
        names(Model(layers=(Dense(units=3, activation=Softmax(temperature=2.0)),)))


def test_one_of_the_two_forms() -> None:
    with pytest.raises(ValidationError, match="`hidden` belongs to the short form"):
        Model(hidden=(3,), layers=(Dense(),))


def test_two_layers_of_one_name() -> None:
    with pytest.raises(ConfigError, match="'a' is the name of a layer already"):
        names(Model(layers=(Dense(units=3, name="a"), Dense(units=3, name="a"))))


def test_a_name_is_not_taken_twice_by_counting() -> None:
    assert names(Model(layers=(Dense(units=3, name="dense1"), Dense(units=3)))) == ("dense1", "dense2")
