"""One example through the network, recorded: what the engine computes, not a second program beside it.

The engine's own `MeanLoss` and `Stepper` do the work, and a pass keeps what went in and out of every layer.
Layers run as in evaluation: dropout and noise are off, batch normalisation uses its running statistics.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from nnctl.clipping import clip_by_norm, clip_by_value, clip_each_by_norm
from nnctl.engine.batch import Batch
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Head, Loss
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.engine.shards import MeanLoss, scales
from nnctl.engine.slot import Slot
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
    clip_norm_each: float | None = None
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
    """A layer in the first step, all arrays flat.

    Attributes:
        reads: the inputs or layers whose outputs it reads; several where it joins them.
        owner: the layer whose parameters it has: itself, but for one that is used a second time.
        x: its inputs, one for each that it reads.
        y: its output.
        dy: the slopes of the error with respect to the output.
        dx: its share in the slopes with respect to each of the inputs; None where these are whole numbers.
        parameters: by name.
    """

    name: str
    layer: Layer
    reads: tuple[str, ...]
    owner: str
    x: tuple[Array, ...]
    y: Array
    dy: Array
    dx: tuple[Array | None, ...]
    parameters: dict[str, ParameterTrace]


@dataclass(frozen=True)
class OutputTrace:
    """An output of the network in the first step, all arrays flat.

    Attributes:
        name, head: its name, its loss and its weight in the error.
        reads: the layer whose output it is.
        y: what it is.
        target: what it should be, one-hot for a class; None where that is not known, so that it has no error.
        terms: the part of each of its units in its error, where the loss is a sum over them.
        slopes: of its own error with respect to y, not weighted.
    """

    name: str
    head: Head
    reads: str
    y: Array
    target: Array | None
    terms: Array | None
    slopes: Array


@dataclass(frozen=True)
class Point:
    """Where training on the one example stands after some steps.

    `errors` and `predictions` are by output; a prediction is what the output means.
    """

    step: int
    error: float
    errors: dict[str, float]
    predictions: dict[str, Array]


@dataclass(frozen=True)
class Trace:
    """One example, one step, and how the error goes on.

    Attributes:
        inputs: by name, as the network gets them, flat.
        layers: in order.
        axes: how many axes an example has in what every input and layer gives.
        outputs: in order.
        curve: before the first step, and after steps 1, 10, 100, ... and the last one.
    """

    rules: Rules
    inputs: dict[str, Array]
    layers: list[LayerTrace]
    axes: dict[str, int]
    outputs: list[OutputTrace]
    curve: list[Point]


class Walk:
    """Steps on one example, from theta on, which changes in place."""

    def __init__(self, network: Network, heads: Mapping[str, Head], theta: Array, rules: Rules, batch: Batch) -> None:
        self.network, self.heads, self.theta, self.rules = network, heads, theta, rules
        # The mean over one example is its loss whatever it weighs, unless it weighs nothing.
        weights = {name: None if w is None or w[0] else w for name, w in batch.weights.items()}
        self.batch = Batch(batch.inputs, batch.targets, weights)
        self.objective = MeanLoss(network, heads, theta, to_input=True)
        self.stepper = Stepper(rules.optimizer, network.layout, theta.dtype)

    def point(self) -> Point:
        """The error here."""
        outputs = {name: np.empty((1, *self.network.shape_of(name)), self.theta.dtype) for name in self.heads}
        error = self.objective(self.batch, outputs=outputs, backward=False, training=False)
        predictions = {name: self.heads[name].loss.predict(y)[0] for name, y in outputs.items()}
        return Point(self.stepper.t, error, dict(self.objective.losses), predictions)

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
        if rules.clip_norm_each is not None:
            clip_each_by_norm(trained, self.network.layout.spans, rules.clip_norm_each)
        if rules.clip_value is not None:
            clip_by_value(trained, rules.clip_value)
        self.stepper.step(self.theta, direction, rules.rate(self.stepper.t))
        rules.penalty.constrain(self.theta)
        return direction


def trace(
    network: Network, heads: Mapping[str, Head], theta: Array, rules: Rules, batch: Batch, steps: int = 1
) -> Trace:
    """Record the first of `steps` steps on a batch of one example; theta is left as it is.

    Raises:
        Diverged: when the error or its gradient stops being finite.
    """
    walk = Walk(network, heads, theta.copy(), rules, batch)
    curve = [walk.point()]
    gradient = walk.gradient().copy()
    layers, outputs = list(_layers(walk, gradient)), list(_outputs(walk))
    direction = walk.step()
    for layer in layers:
        layer.parameters.update(_parameters(walk, layer.owner, theta, gradient, direction))
    curve += _walk_on(walk, steps)
    inputs = {name: walk.objective.passes[0].values[name].reshape(-1).copy() for name in network.inputs}
    axes = {name: len(signal.shape) + (signal.steps > 0) for name, signal in network.signals.items()}
    return Trace(rules, inputs, layers, axes, outputs, curve)


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


def _layers(walk: Walk, gradient: Array) -> Iterator[LayerTrace]:
    """What went in and out of every layer, forwards and backwards."""
    network, run = walk.network, walk.objective.passes[0]
    p, scratch = network.layout.views(walk.theta), network.layout.views(np.empty_like(gradient))
    for name, node in network.nodes.items():
        y = run.values[name]
        dy = run.gradients.get(name)
        dy = np.zeros_like(y) if dy is None else dy
        # A value that is read in several places has the sum of all; this layer's own share is asked for again.
        dx = node.layer.backward(p[node.owner], scratch[node.owner], dy, run.slots[name])
        shares = dx if node.layer.joins else (dx,)
        yield LayerTrace(
            name,
            node.layer,
            node.inputs,
            node.owner,
            tuple(run.values[read].reshape(-1).copy() for read in node.inputs),
            y.reshape(-1).copy(),
            dy.reshape(-1).copy(),
            tuple(None if share is None else share.reshape(-1).copy() for share in shares),
            {},
        )


def _parameters(
    walk: Walk, owner: str, before: Array, gradient: Array, direction: Array
) -> Iterator[tuple[str, ParameterTrace]]:
    """The tensors of a layer, by name."""
    layout = walk.network.layout
    for name in layout.declarations[owner]:
        full = f"{owner}.{name}"
        parameter = layout.parameters[full]
        yield (
            name,
            ParameterTrace(
                layout.view(before, full).copy(),
                layout.view(gradient, full) if parameter.trainable else None,
                layout.view(direction, full) if parameter.trainable else None,
                layout.view(walk.theta, full).copy(),
                parameter.learning_rate_scale,
            ),
        )


def _outputs(walk: Walk) -> Iterator[OutputTrace]:
    """What the outputs are, what they should be, and the slopes of their errors."""
    for name, head in walk.heads.items():
        loss, reads = head.loss, walk.network.outputs[name]
        y, t, w = walk.objective.passes[0].values[reads], walk.batch.targets[name], walk.batch.weights[name]
        if w is not None:  # it weighs nothing: the target is not known
            yield OutputTrace(name, head, reads, y.reshape(-1).copy(), None, None, np.zeros(y.size))
            continue
        slot = Slot(y.dtype)
        loss.forward(y, t, slot)
        slopes = loss.backward(scales(loss, t, w, y.dtype)[0], slot)
        terms = loss.terms(y, t)
        yield OutputTrace(
            name,
            head,
            reads,
            y.reshape(-1).copy(),
            _target(loss, t, y.size),
            None if terms is None else terms[0].copy(),
            slopes.reshape(-1).copy(),
        )


def _target(loss: Loss, t: Array, outputs: int) -> Array:
    """What the outputs should be; a class index becomes one-hot, or says of every threshold whether it lies above."""
    if loss.encoding == "index" and t.dtype.kind in "iu":
        numbers = np.arange(outputs)
        target: Array = t[0] > numbers if loss.ordered else t[0] == numbers
        return target.astype(np.float64)
    return t.astype(np.float64).reshape(-1)
