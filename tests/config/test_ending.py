"""Which output activations losses contain, and where probabilities come from."""

from typing import Any

import pytest

from nnctl.activations import AnyActivation, HardSigmoid, Sigmoid, Softmax, Step, Tanh
from nnctl.config.model import Model
from nnctl.engine.loss import Loss
from nnctl.errors import ConfigError
from nnctl.layers import Dense, Dropout
from nnctl.losses import BinaryCrossEntropy, CrossEntropy, Hinge, KLDivergence, Logistic, Perceptron
from tests.networks import network_of


def names(model: Model, loss: Loss) -> tuple[str, ...]:
    return tuple(network_of(model, (4,), 3, loss).nodes)


@pytest.mark.parametrize(
    ("layers", "loss", "contained"),
    [
        ((Dense(units=3, activation=Softmax()),), CrossEntropy(), True),
        ((Dense(units=3, activation=Softmax()),), KLDivergence(), True),
        ((Dense(units=3, activation=Sigmoid()),), Logistic(), True),
        ((Dense(units=3, activation=Step()),), Perceptron(), True),
        ((Dense(units=3, activation=Sigmoid()),), CrossEntropy(), False),
        ((Dense(units=3, activation=Softmax()),), BinaryCrossEntropy(), False),
        ((Dense(units=3, activation=Sigmoid()),), Hinge(), False),
    ],
)
def test_each_loss_says_what_it_contains(layers: tuple[Any, ...], loss: Loss, contained: bool) -> None:
    assert len(names(Model(layers=layers), loss)) == (1 if contained else 2)


@pytest.mark.parametrize(
    ("model", "end"),
    [
        (Model(hidden=(4,)), "dense"),
        (Model(layers=(Dense(units=3),)), "dense"),
        (Model(layers=(Dense(units=3, activation=Tanh()),)), "tanh"),
        (Model(layers=(Dense(units=3, activation=Softmax()), Dense(units=3), Dropout(rate=0.5))), "dense"),
    ],
)
@pytest.mark.parametrize(
    ("loss", "advice"),
    [
        (CrossEntropy(input="probabilities"), "- softmax"),
        (BinaryCrossEntropy(input="probabilities"), "- sigmoid"),
        (Logistic(input="probabilities"), "- sigmoid"),
    ],
)
def test_probabilities_must_come_from_somewhere(model: Model, end: str, loss: Loss, advice: str) -> None:
    message = f"^loss.input: {loss.type} is to take probabilities, and the network ends in {end}, .* in `{advice}`"
    with pytest.raises(ConfigError, match=message):
        names(model, loss)


@pytest.mark.parametrize("function", [Softmax(temperature=2.0), Sigmoid(), HardSigmoid()])
def test_probabilities_from_a_layer_of_the_network(function: AnyActivation) -> None:
    layers = (Dense(units=3, activation=function), Dropout(rate=0.1))
    assert len(names(Model(layers=layers), CrossEntropy(input="probabilities"))) == 3
