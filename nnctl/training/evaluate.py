"""The loss and the outputs of a network over a whole data set."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.engine.loss import Loss
from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers

#: Multiply-adds of a tile of rows: enough for good matrix products, few enough for what layers keep to stay in cache.
TILE_MULTIPLY_ADDS = 128_000_000
#: Inputs of a tile: 512 rows of 64 x 64; more of larger images would take up memory for no speed.
TILE_INPUTS = 1 << 21
MOST_ROWS, FEWEST_ROWS = 512, 16


def tile_rows(network: Network) -> int:
    """Rows a forward pass takes at a time: 512 of a perceptron, 16 or 32 of a convolutional network or of large images.

    A multiple of 16, which is a multiple of what any matrix kernel works on at once.
    """
    rows = min(TILE_MULTIPLY_ADDS // max(1, network.multiply_adds), TILE_INPUTS // max(1, prod(network.shapes[0])))
    return max(FEWEST_ROWS, min(MOST_ROWS, rows // FEWEST_ROWS * FEWEST_ROWS))


class Evaluator:
    """Forward passes in evaluation mode, in tiles of `tile_rows` examples on several threads.

    Which thread takes which tile changes nothing in the result.
    """

    def __init__(self, network: Network, loss: Loss, theta: Array, workers: Workers | None = None) -> None:
        self.network, self.loss, self.theta = network, loss, theta
        self.workers = workers or Workers()
        self._lanes = [(Pass(network, theta), Slot(theta.dtype)) for _ in range(self.workers.threads)]

    def __call__(self, data: Dataset) -> tuple[float, Array]:
        """The weighted mean loss and the outputs (n, k) over a data set with targets.

        The loss of no examples is not a number.
        """
        tiles = list(_tiles(len(data), tile_rows(self.network)))
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
            return float("nan"), np.empty((0, *self.network.shapes[-1]), self.theta.dtype)
        total = sum(r[1] for r in results)
        return sum(r[0] for r in results) / total if total else float("nan"), np.concatenate([r[2] for r in results])


def outputs(network: Network, theta: Array, x: Array) -> Array:
    """The network's outputs for inputs (n, ...) in evaluation mode."""
    forward = Pass(network, theta)
    tiles = [forward.forward(np.asarray(x[tile], theta.dtype)).copy() for tile in _tiles(len(x), tile_rows(network))]
    return np.concatenate(tiles) if tiles else np.empty((0, *network.shapes[-1]), theta.dtype)


def _tiles(rows: int, height: int) -> Iterator[slice]:
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))
