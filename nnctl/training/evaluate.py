"""The loss and the outputs of a network over a whole data set."""

from collections.abc import Mapping

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.engine.loss import Head
from nnctl.engine.means import counted
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.engine.shards import weighted
from nnctl.engine.tiles import Lane, Tiles
from nnctl.engine.workers import Workers


class Evaluator:
    """Loss and outputs in evaluation mode."""

    def __init__(
        self, network: Network, heads: Mapping[str, Head], theta: Array, workers: Workers | None = None
    ) -> None:
        self.network, self.heads, self.theta = network, heads, theta
        self.tiles = Tiles(network, theta, workers)

    def __call__(self, data: Dataset) -> tuple[dict[str, float], dict[str, Array]]:
        """By output, the weighted mean loss and the outputs (n, k) over a data set with targets.

        The loss of no examples is not a number.
        """
        losses, masses = dict.fromkeys(self.heads, 0.0), dict.fromkeys(self.heads, 0.0)
        outputs: dict[str, list[Array]] = {
            name: [np.empty((0, *self.network.shape_of(name)), self.theta.dtype)] for name in self.heads
        }

        def run(lane: Lane, rows: slice) -> dict[str, tuple[float, float, Array]]:
            batch = data.take(rows, self.theta.dtype)
            ys = lane.forward.forward(batch.inputs)
            found = {}
            for name, head in self.heads.items():
                t, w, y = batch.targets[name], batch.weights[name], ys[name]
                each = head.loss.forward(y, t, lane.memory).astype(np.float64)
                mass = head.loss.mass(t)
                weights = np.ones(len(t)) if w is None else np.asarray(w, np.float64)
                total = float(np.sum(weights if mass is None else weights * counted(mass, weights)))
                found[name] = float(counted(each, weights) @ weights), total, y.copy()
            return found

        for found in self.tiles.each(len(data), run):
            for name, (loss, mass, y) in found.items():
                losses[name] += loss
                masses[name] += mass
                outputs[name].append(y)
        means = {name: losses[name] / masses[name] if masses[name] else float("nan") for name in losses}
        return means, {name: np.concatenate(ys) for name, ys in outputs.items()}

    def total(self, losses: Mapping[str, float]) -> float:
        """J, the weighted sum of the outputs' losses."""
        return weighted(losses, self.heads)


def outputs(network: Network, theta: Array, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The network's outputs for inputs (n, ...) in evaluation mode."""

    def run(lane: Lane, rows: slice) -> dict[str, Array]:
        some = {name: np.asarray(x[rows], theta.dtype) for name, x in inputs.items()}
        return {name: y.copy() for name, y in lane.forward.forward(some).items()}

    rows = len(next(iter(inputs.values())))
    none = {name: np.empty((0, *network.shape_of(name)), theta.dtype) for name in network.outputs}
    tiles = [none, *Tiles(network, theta).each(rows, run)]
    return {name: np.concatenate([tile[name] for tile in tiles]) for name in none}
