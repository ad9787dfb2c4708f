"""Networks of one input and one output without the names of either, for tests of what happens in between."""

from collections.abc import Sequence
from typing import Any

from nnctl.config.architecture import Wanted, build
from nnctl.config.model import Model
from nnctl.engine import network, shards
from nnctl.engine.batch import INPUT, OUTPUT, Batch, single
from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Head, Loss
from nnctl.engine.network import Network, chain
from nnctl.engine.parameters import Array
from nnctl.engine.workers import Workers
from nnctl.regularization import Penalty
from nnctl.training import gradients
from nnctl.training.gradients import DEFAULTS, GradientReport, Settings

__all__ = [
    "MeanLoss",
    "Network",
    "Pass",
    "arrays",
    "chain",
    "check_network",
    "complete",
    "layers_of",
    "named",
    "network_of",
]


class Pass(network.Pass):
    """A pass whose input and output are arrays."""

    def forward(self, x: Any) -> Any:
        return super().forward({INPUT: x})[OUTPUT]

    def backward(self, dy: Any) -> Any:
        return super().backward({OUTPUT: dy}).get(INPUT)


class MeanLoss(shards.MeanLoss):
    """The objective of one loss, called with inputs, targets and weights."""

    def __init__(self, net: Network, loss: Loss, theta: Array, workers: Workers | None = None, **options: Any) -> None:
        super().__init__(net, {OUTPUT: Head(loss)}, theta, workers, **options)

    def __call__(  # type: ignore[override] # three arrays in place of a batch
        self, x: Any, t: Any, w: Any = None, *, outputs: Any = None, **options: Any
    ) -> float:
        return super().__call__(single(x, t, w), outputs=None if outputs is None else {OUTPUT: outputs}, **options)

    @property
    def mass(self) -> float:
        return self.masses[OUTPUT]

    @property
    def input_gradient(self) -> Array:
        return self.input_gradients[INPUT]


def check_network(
    net: Network, loss: Loss, theta: Array, x: Array, t: Array, w: Array | None = None,
    penalty: Penalty | None = None, seed: int = 0, settings: Settings = DEFAULTS,
) -> GradientReport:  # fmt: skip
    """The gradient check of one loss."""
    return gradients.check_network(net, {OUTPUT: Head(loss)}, theta, single(x, t, w), penalty, seed, settings)


def layers_of(net: Network) -> list[Layer]:
    """The layers in order."""
    return [node.layer for node in net.nodes.values()]


def named(layers: Sequence[Layer], shape: tuple[int, ...]) -> dict[str, Layer]:
    """The layers of a chain, those inside blocks too, by name."""
    return {name: node.layer for name, node in chain(layers, shape).nodes.items()}


def network_of(model: Model, shape: tuple[int, ...], outputs: int, loss: Loss) -> Network:
    """The network of a model section with one input and one output."""
    return build(model, {INPUT: Signal(shape)}, {OUTPUT: Wanted(outputs, loss)}).network


def complete(model: Model, shape: tuple[int, ...], outputs: int, loss: Loss) -> list[Any]:
    """The layers as they are written down, the output layer among them."""
    return list(build(model, {INPUT: Signal(shape)}, {OUTPUT: Wanted(outputs, loss)}).model.layers or ())


def arrays(batch: Batch) -> tuple[Any, Array, Array | None]:
    """Inputs, targets and weights of a batch of one input and one output."""
    return batch.inputs[INPUT], batch.targets[OUTPUT], batch.weights[OUTPUT]


def input_of(data: Any) -> Any:
    """The one input, of whatever kind, of data that were loaded or of what a model carries."""
    return data.inputs[INPUT]
