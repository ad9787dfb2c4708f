"""Forward passes in evaluation mode, some rows at a time, on several threads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TypeVar

from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers

#: Multiply-adds of a tile of rows: enough for good matrix products, few enough for what layers keep to stay in cache.
TILE_MULTIPLY_ADDS = 128_000_000
#: Inputs of a tile: 512 rows of 64 x 64; more of larger images would take up memory for no speed.
TILE_INPUTS = 1 << 21
MOST_ROWS, FEWEST_ROWS = 512, 16
#: Tiles a thread does before their results are handed out in order.
AHEAD = 8

Result = TypeVar("Result")


def tile_rows(network: Network) -> int:
    """Rows a forward pass takes at a time: 512 of a perceptron, 16 or 32 of a convolutional network or of large images.

    A multiple of 16, which is a multiple of what any matrix kernel works on at once.
    """
    inputs = sum(signal.repeats * prod(signal.shape) for signal in network.inputs.values())
    rows = min(TILE_MULTIPLY_ADDS // max(1, network.multiply_adds), TILE_INPUTS // max(1, inputs))
    return max(FEWEST_ROWS, min(MOST_ROWS, rows // FEWEST_ROWS * FEWEST_ROWS))


@dataclass(frozen=True)
class Lane:
    """What one thread works with: its own pass through the network, and memory for whatever is done with it."""

    forward: Pass
    memory: Slot


class Tiles:
    """A network in evaluation mode, over any number of rows.

    Which thread takes which tile changes nothing in the result.
    """

    def __init__(self, network: Network, theta: Array, workers: Workers | None = None) -> None:
        self.rows = tile_rows(network)
        self.workers = workers or Workers()
        self.lanes = [Lane(Pass(network, theta), Slot(theta.dtype)) for _ in range(self.workers.threads)]

    def each(self, rows: int, work: Callable[[Lane, slice], Result], first: int = 0) -> Iterator[Result]:
        """What `work` makes of every tile of `rows` rows, in their order; some tiles at the same time.

        Tiles are cut where the row's number, counted on from `first`, is a multiple of their height.
        """
        edges = [0, *range(self.rows - first % self.rows, rows, self.rows), rows]
        tiles = [slice(a, b) for a, b in pairwise(edges) if a < b]
        together = AHEAD * len(self.lanes)
        for i in range(0, len(tiles), together):
            yield from self._together(tiles[i : i + together], work)

    def _together(self, tiles: list[slice], work: Callable[[Lane, slice], Result]) -> list[Result]:
        results: dict[int, Result] = {}

        def run(lane: int) -> None:
            for i in range(lane, len(tiles), len(self.lanes)):
                results[i] = work(self.lanes[lane], tiles[i])

        self.workers.run(run, range(len(self.lanes)))
        return [results[i] for i in range(len(tiles))]
