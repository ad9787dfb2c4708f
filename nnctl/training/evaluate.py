"""The loss and the outputs of a network over a whole data set."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.engine.loss import Loss
from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers

#: Rows a forward pass takes at a time: enough for a good matrix product, few enough for the cache.
ROWS = 512


class Evaluator:
    """Forward passes in evaluation mode, in tiles of `ROWS` examples on several threads.

    Which thread takes which tile changes nothing in the result.
    """

    def __init__(self, network: Network, loss: Loss, theta: Array, workers: Workers | None = None) -> None:
        self.loss, self.theta = loss, theta
        self.workers = workers or Workers()
        self._lanes = [(Pass(network, theta), Slot(theta.dtype)) for _ in range(self.workers.threads)]

    def __call__(self, data: Dataset) -> tuple[float, Array]:
        """The weighted mean loss and the outputs (n, k) over a data set with targets.

        The loss of no examples is not a number.
        """
        tiles = list(_tiles(len(data)))
        results: list[Any] = [None] * len(tiles)

        def run(lane: int) -> None:
            network, slot = self._lanes[lane]
            for i in range(lane, len(tiles), len(self._lanes)):
                x, t, w = data.take(tiles[i], self.theta.dtype)
                y = network.forward(x)
                losses = self.loss.forward(y, t, slot).astype(np.float64)
                mass = self.loss.mass(t)
                weights = np.ones(len(t)) if w is None else np.asarray(w, np.float64)
                results[i] = (
                    float(losses @ weights),
                    float(np.sum(weights if mass is None else weights * mass)),
                    y.copy(),
                )

        self.workers.run(run, range(len(self._lanes)))
        if not results:
            return float("nan"), np.empty((0, 0))
        total = sum(r[1] for r in results)
        return sum(r[0] for r in results) / total if total else float("nan"), np.concatenate([r[2] for r in results])


def outputs(network: Network, theta: Array, x: Array) -> Array:
    """The network's outputs for inputs (n, ...) in evaluation mode."""
    forward = Pass(network, theta)
    tiles = [forward.forward(np.asarray(x[tile], theta.dtype)).copy() for tile in _tiles(len(x))]
    return np.concatenate(tiles) if tiles else np.empty((0, *network.shapes[-1]), theta.dtype)


def _tiles(rows: int) -> Iterator[slice]:
    for start in range(0, rows, ROWS):
        yield slice(start, min(start + ROWS, rows))
