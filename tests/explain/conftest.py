"""Small networks to explain."""

import numpy as np
import pytest

from nnctl.engine.network import Network
from nnctl.explain.trace import Rules, trace
from nnctl.initializers import Uniform
from nnctl.layers import Activation, Dense
from nnctl.losses import SquaredError
from nnctl.optimizers import SGD
from nnctl.regularization import Penalty, Regularization

START = Uniform(epsilon=0.9)


class Case:
    """A network on one example, by its layers."""

    def __init__(self, layers, t, loss=None, optimizer=None, inputs=3, regularization=None, **clip):
        shape = inputs if isinstance(inputs, tuple) else (inputs,)
        self.network = Network(layers, shape)
        self.loss = loss or SquaredError()
        self.x = np.random.default_rng(5).normal(size=(1, *shape))
        self.t = np.asarray(t)
        self.theta = self.network.layout.initial(3, dtype=np.float64)
        self.theta += np.random.default_rng(6).normal(scale=0.1, size=self.theta.shape)  # biases too
        self.optimizer = optimizer or SGD(learning_rate=0.5)
        penalty = Penalty(regularization or Regularization(), self.network.layout)
        self.rules = Rules(self.optimizer, lambda _step: self.optimizer.learning_rate, penalty, **clip)

    def trace(self, steps=1):
        return trace(self.network, self.loss, self.theta, self.rules, self.x, self.t, steps)


def dense(units, **options):
    return Dense(units=units, init=START, bias_init=START, **options)


def layers(hidden, function, outputs):
    """A multilayer perceptron with a linear output."""
    found = []
    for units in hidden:
        found += [dense(units), Activation(function=function)]
    return [*found, dense(outputs)]


@pytest.fixture(scope="session")
def case():
    return Case


@pytest.fixture(scope="session")
def perceptron():
    return layers
