"""One example through the network, recorded: what the engine computes, not a second program beside it.

The engine's own `Objective` and `Stepper` do the work, and a pass keeps what went in and out of every layer.
Layers run as in evaluation: dropout and noise are off, batch normalisation uses its
running statistics.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np

from nnctl.clipping import clip_by_norm, clip_by_value
from nnctl.engine.batch import OUTPUT, single
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Head, Loss
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.engine.shards import Objective
from nnctl.errors import Diverged
from nnctl.optimizers import Optimizer
from nnctl.optimizers.stepper import Stepper
from nnctl.regularization import Penalty


@dataclass(frozen=True)
class Rules:
    """What makes a step of a gradient; `rate` gives the learning rate of step 0, 1, ..."""

    optimizer: Optimizer
    rate: Callable[[int], float]
    penalty: Penalty
    clip_norm: float | None = None
    clip_value: float | None = None


@dataclass(frozen=True)
class ParameterTrace:
    """A parameter tensor in the first step: `gradient` is dE/dtheta, `direction` what the optimizer was given.

    They differ by regularization and clipping, and are None where the tensor is not trained. `scale` is that of
    its learning rate.
    """

    before: Array
    gradient: Array | None
    direction: Array | None
    after: Array
    scale: float = 1.0


@dataclass(frozen=True)
class LayerTrace:
    """A layer in the first step: its input x and output y, and the slopes of the error there, all flat."""

    name: str
    layer: Layer
    x: Array
    y: Array
    dy: Array
    dx: Array
    parameters: dict[str, ParameterTrace]


@dataclass(frozen=True)
class Point:
    """Where training on the one example stands after some steps; `prediction` is what the outputs mean."""

    step: int
    error: float
    prediction: Array


@dataclass(frozen=True)
class Trace:
    """One example, one step, and how the error goes on.

    Attributes:
        x, target, y: the input, what the outputs should be (one-hot for a class), and what they are; flat.
        terms: each output's part of the error, where the loss is a sum over the outputs.
        curve: before the first step, and after steps 1, 10, 100, ... and the last one.
    """

    loss: Loss
    rules: Rules
    x: Array
    target: Array
    y: Array
    terms: Array | None
    layers: list[LayerTrace]
    curve: list[Point]


class Walk:
    """Steps on one example x (1, ...) with target t (1, ...), from theta on, which changes in place."""

    def __init__(self, network: Network, loss: Loss, theta: Array, rules: Rules, x: Array, t: Array) -> None:
        self.network, self.loss, self.theta, self.rules, self.batch = network, loss, theta, rules, single(x, t)
        self.objective = Objective(network, {OUTPUT: Head(loss)}, theta, to_input=True)
        self.stepper = Stepper(rules.optimizer, network.layout, theta.dtype)

    def point(self) -> Point:
        """The error here."""
        y = np.empty((1, *self.network.shape_of(OUTPUT)), self.theta.dtype)
        error = self.objective(self.batch, outputs={OUTPUT: y}, backward=False, training=False)
        return Point(self.stepper.t, error, self.loss.predict(y)[0])

    def gradient(self) -> Array:
        """The slopes dE/dtheta here."""
        error = self.objective(self.batch, training=False)
        if not (isfinite(error) and np.all(np.isfinite(self.objective.gradient))):
            raise Diverged(
                f"the error is {error} before step {self.stepper.t + 1}, or its gradient is not finite; "
                "try a smaller optimizer.learning_rate (a tenth)"
            )
        return self.objective.gradient

    def step(self) -> Array:
        """Move theta; returns the direction the optimizer was given: the gradient, with penalty and clipping."""
        rules, direction = self.rules, self.gradient().copy()
        rules.penalty.add_gradient(self.theta, direction)
        trained = direction[self.network.layout.trained]
        if rules.clip_norm is not None:
            clip_by_norm(trained, rules.clip_norm)
        if rules.clip_value is not None:
            clip_by_value(trained, rules.clip_value)
        self.stepper.step(self.theta, direction, rules.rate(self.stepper.t))
        rules.penalty.constrain(self.theta)
        return direction


def trace(network: Network, loss: Loss, theta: Array, rules: Rules, x: Array, t: Array, steps: int = 1) -> Trace:
    """Record the first of `steps` steps on one example x (1, ...), t (1, ...); theta is left as it is.

    Raises:
        Diverged: when the error or its gradient stops being finite.
    """
    walk = Walk(network, loss, theta.copy(), rules, x, t)
    curve = [walk.point()]
    gradient = walk.gradient().copy()
    direction = walk.step()
    layers = list(_layers(walk, theta, gradient, direction))
    curve += _walk_on(walk, steps)
    y = layers[-1].y if layers else x.reshape(-1)
    terms = loss.terms(y[None], t)
    flat = None if terms is None else terms[0]
    return Trace(loss, rules, x.reshape(-1), _target(loss, t, len(y)), y, flat, layers, curve)


def milestones(steps: int) -> list[int]:
    """1, 10, 100, ... and the last step."""
    return sorted({10**i for i in range(len(str(steps))) if 10**i <= steps} | {steps})


def _walk_on(walk: Walk, steps: int) -> Iterator[Point]:
    """After the first step, the others; a point at each milestone."""
    shown = milestones(steps)
    while True:
        if walk.stepper.t in shown:
            yield walk.point()
        if walk.stepper.t >= steps:
            return
        walk.step()


def _layers(walk: Walk, before: Array, gradient: Array, direction: Array) -> Iterator[LayerTrace]:
    """What the slots hold after the first step."""
    layout, forward = walk.network.layout, walk.objective.passes[0]
    for name, node in walk.network.nodes.items():
        parameters = {}
        for own in layout.declarations[node.owner]:
            full = f"{node.owner}.{own}"
            trained = layout.parameters[full].trainable
            parameters[own] = ParameterTrace(
                layout.view(before, full).copy(),
                layout.view(gradient, full) if trained else None,
                layout.view(direction, full) if trained else None,
                layout.view(walk.theta, full).copy(),
                layout.parameters[full].learning_rate_scale,
            )
        held = (
            forward.values[node.inputs[0]],
            forward.values[name],
            forward.gradients[name],
            forward.gradients[node.inputs[0]],
        )
        x, y, dy, dx = (v.reshape(-1).copy() for v in held)
        yield LayerTrace(name, node.layer, x, y, dy, dx, parameters)


def _target(loss: Loss, t: Array, outputs: int) -> Array:
    """What the outputs should be; a class index becomes one-hot."""
    one_hot = loss.encoding == "index" and t.dtype.kind in "iu"
    target: Array = np.eye(outputs)[int(t[0])] if one_hot else t.astype(np.float64).reshape(-1)
    return target
