"""The loss and the outputs of a network over a whole data set."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.engine.loss import Head
from nnctl.engine.means import counted
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.engine.tiles import Lane, Tiles
from nnctl.engine.workers import Workers
from nnctl.metrics import Metric
from nnctl.training.tally import Tally


class Tile(NamedTuple):
    """Some rows (n,): by output the sum of their weighted losses, what makes a mean of it, each loss, and outputs."""

    rows: Array
    losses: dict[str, float]
    masses: dict[str, float]
    each: dict[str, Array]
    outputs: dict[str, Array]


class Evaluator:
    """Loss, metrics and outputs in evaluation mode."""

    def __init__(
        self, network: Network, heads: Mapping[str, Head], theta: Array, workers: Workers | None = None
    ) -> None:
        self.network, self.heads, self.theta = network, heads, theta
        self.tiles = Tiles(network, theta, workers)

    def each(self, data: Dataset) -> Iterator[Tile]:
        """A data set with targets, tile by tile."""

        def run(lane: Lane, rows: slice) -> Tile:
            batch = data.take(rows, self.theta.dtype)
            ys = lane.forward.forward(batch.inputs)
            tile = Tile(np.arange(rows.start, rows.stop), {}, {}, {}, {})
            for name, head in self.heads.items():
                t, w, y = batch.targets[name], batch.weights[name], ys[name]
                each = head.loss.forward(y, t, lane.memory).astype(np.float64)
                weights, tile.masses[name] = head.loss.weighting(t, w)
                tile.losses[name] = float(counted(each, weights) @ weights)
                tile.each[name] = each
                tile.outputs[name] = y.copy()
            return tile

        return self.tiles.each(len(data), run)

    def __call__(self, data: Dataset) -> tuple[Tally, dict[str, Array], dict[str, Array]]:
        """The losses, without metrics; by output the outputs (n, k), and the loss of each example (n,)."""
        tally = Tally(data, self.network, self.heads, {}, self.theta.dtype)
        outputs = {name: [np.empty((0, *self.network.shape_of(name)), self.theta.dtype)] for name in self.heads}
        losses = {name: [np.empty(0)] for name in self.heads}
        for tile in self.each(data):
            tally.add(tile.rows, tile.losses, tile.masses)
            for name in self.heads:
                outputs[name].append(tile.outputs[name])
                losses[name].append(tile.each[name])
        joined, each = ({n: np.concatenate(parts) for n, parts in tiles.items()} for tiles in (outputs, losses))
        return tally, joined, each

    def figures(self, data: Dataset, metrics: Mapping[str, Sequence[Metric]]) -> dict[str, float]:
        """Loss and metrics by name, without keeping more outputs than metrics take at a time."""
        tally = Tally(data, self.network, self.heads, metrics, self.theta.dtype)
        for tile in self.each(data):
            for name, room in tally.room(len(tile.rows)).items():
                room[...] = tile.outputs[name]
            tally.add(tile.rows, tile.losses, tile.masses)
        return tally.figures()


def outputs(network: Network, theta: Array, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The network's outputs for inputs (n, ...) in evaluation mode."""

    def run(lane: Lane, rows: slice) -> dict[str, Array]:
        own = {name: np.asarray(x[rows], theta.dtype) for name, x in inputs.items()}
        return {name: y.copy() for name, y in lane.forward.forward(own).items()}

    rows = len(next(iter(inputs.values())))
    none = {name: np.empty((0, *network.shape_of(name)), theta.dtype) for name in network.outputs}
    tiles = [none, *Tiles(network, theta).each(rows, run)]
    return {name: np.concatenate([tile[name] for tile in tiles]) for name in none}
