"""nnctl's side: train an experiment epoch by epoch through the product's own loop, and say how long each took.

`python -m benchmarks.ours CONFIG --threads N` prints one JSON object: the median epoch after a warm-up one, the last
epoch's loss, and where asked the floor (the same steps' matrix products alone, epoch by epoch in turn with training)
or the peak of the memory that is the process's own (files mapped from disk not counted).
"""

from nnctl.engine import blas

blas.prepare()  # before NumPy

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402
from threading import Event, Thread  # noqa: E402
from time import perf_counter  # noqa: E402
from typing import Any, Self  # noqa: E402

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from benchmarks.floor import Products  # noqa: E402
from nnctl import __version__  # noqa: E402
from nnctl.config.experiment import Experiment  # noqa: E402
from nnctl.config.loading import load_experiment  # noqa: E402
from nnctl.engine.workers import Workers  # noqa: E402
from nnctl.training.assemble import job_of  # noqa: E402
from nnctl.training.loop import EpochDone, start, train  # noqa: E402


class OwnMemory:
    """The most anonymous memory seen while it is entered, looked at every few milliseconds."""

    def __init__(self, *, watching: bool) -> None:
        self.peak = 0
        self._end = Event()
        self._watching = watching

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._watch, daemon=True)
        if self._watching:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._watching:
            self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.005):
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon"):
                    self.peak = max(self.peak, int(line.split()[1]) * 1024)


def measure(config: Path, threads: int, *, floor: bool = False, memory: bool = False) -> dict[str, Any]:
    """Train to the end; the first epoch warms up."""
    seconds, floors, loss = [], [], float("nan")
    own = OwnMemory(watching=memory)
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"), Workers(threads) as workers, own:
        job = job_of(load_experiment(config, (), Experiment))
        products = Products(job, workers) if floor else None
        state = start(job, workers)
        begun = perf_counter()
        for event in train(job, state):
            if isinstance(event, EpochDone):
                seconds.append(perf_counter() - begun)
                loss = event.row.figures["train.loss"]
                if products is not None:
                    floors.append(products.epoch())
                begun = perf_counter()
    said = {"epoch_seconds": median(seconds[1:]), "loss": loss, "memory": own.peak, "versions": {"nnctl": __version__}}
    return said | ({"floor_seconds": median(floors[1:])} if floors else {})


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.ours")
    parser.add_argument("config", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--memory", action="store_true")
    options = vars(parser.parse_args())
    print(json.dumps(measure(**options)))


if __name__ == "__main__":
    main()
