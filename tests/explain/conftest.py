"""Small networks to explain."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from nnctl.engine.batch import OUTPUT, single
from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Head
from nnctl.engine.network import chain
from nnctl.engine.parameters import Array
from nnctl.explain.trace import Rules, Trace, trace
from nnctl.initializers import Uniform
from nnctl.layers import Activation, Dense
from nnctl.losses import SquaredError
from nnctl.losses.base import LossSpec
from nnctl.optimizers import SGD
from nnctl.optimizers.base import Optimizer
from nnctl.regularization import Penalty, Regularization

START = Uniform(epsilon=0.9)


class Case:
    """A network on one example, by its layers."""

    def __init__(
        self,
        layers: Sequence[Layer],
        t: Array | Sequence[int | Sequence[float]],
        loss: LossSpec | None = None,
        optimizer: Optimizer | None = None,
        inputs: int | tuple[int, ...] = 3,
        regularization: Regularization | None = None,
        tokens: int = 0,
        **clip: float,
    ) -> None:
        shape = inputs if isinstance(inputs, tuple) else (inputs,)
        self.network = chain(layers, Signal(shape, tokens=tokens))
        self.loss = loss or SquaredError()
        random = np.random.default_rng(5)
        self.x = random.integers(0, tokens, (1, *shape)) if tokens else random.normal(size=(1, *shape))
        self.t = np.asarray(t)
        self.theta = self.network.layout.initial(3, dtype=np.float64)
        self.theta += np.random.default_rng(6).normal(scale=0.1, size=self.theta.shape)  # biases too
        self.optimizer = optimizer or SGD(learning_rate=0.5)
        penalty = Penalty(regularization or Regularization(), self.network.layout)
        self.rules = Rules(self.optimizer, lambda _step: self.optimizer.learning_rate, penalty, **clip)

    def trace(self, steps: int = 1) -> Trace:
        heads = {OUTPUT: Head(self.loss)}
        return trace(self.network, heads, self.theta, self.rules, single(self.x, self.t), steps)


def dense(units: int, **options: Any) -> Dense:
    return Dense(units=units, init=START, bias_init=START, **options)


def layers(hidden: Sequence[int], function: Any, outputs: int) -> list[Layer]:
    """A multilayer perceptron with a linear output."""
    found: list[Layer] = []
    for units in hidden:
        found += [dense(units), Activation(function=function)]
    return [*found, dense(outputs)]


@pytest.fixture(scope="session")
def case() -> type[Case]:
    return Case


@pytest.fixture(scope="session")
def perceptron() -> Callable[..., list[Layer]]:
    return layers
