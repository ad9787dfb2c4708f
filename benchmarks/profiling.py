"""`python -m benchmarks profile CONFIG`: where the time of an epoch goes, and its floor.

The functions of the engine are wrapped from outside while an epoch runs, each charged with its own time without what
it calls. The table is the main thread's; what other threads work at the same time is listed beside it, and the main
thread waits for them under `waiting`. A wrapper costs about a microsecond a call, which is why the epoch is timed
without any as well.
"""

from nnctl.engine import blas

blas.prepare()  # before NumPy

import argparse  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from contextlib import ExitStack  # noqa: E402
from statistics import median  # noqa: E402
from threading import get_ident, local, main_thread  # noqa: E402
from time import perf_counter  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from benchmarks.floor import FUNCTIONS, Products  # noqa: E402
from benchmarks.machine import processors  # noqa: E402
from benchmarks.patching import Function, replaced  # noqa: E402
from nnctl.config.experiment import Experiment  # noqa: E402
from nnctl.config.loading import load_experiment  # noqa: E402
from nnctl.data.batching import Dealt  # noqa: E402
from nnctl.data.inputs import Feed  # noqa: E402
from nnctl.engine import shards  # noqa: E402
from nnctl.engine.network import Pass  # noqa: E402
from nnctl.engine.workers import Workers  # noqa: E402
from nnctl.optimizers.stepper import Stepper  # noqa: E402
from nnctl.regularization import Penalty  # noqa: E402
from nnctl.training import loop, network_loss  # noqa: E402
from nnctl.training.assemble import job_of  # noqa: E402
from nnctl.training.evaluate import Evaluator  # noqa: E402
from nnctl.training.job import Job  # noqa: E402
from nnctl.training.tally import Tally  # noqa: E402

PRODUCTS, WAITING, LOOP = "matrix products", "waiting for workers, handing over", "Python: the loop and all else"
EPOCHS = 3
#: What a function is charged to, or what its first argument says it is.
Label = str | Callable[[Any], str]
#: Which function is charged to what: owner, name, label.
CHARGES: tuple[tuple[Any, str, str], ...] = (
    *((np, name, PRODUCTS) for name in FUNCTIONS),
    (Feed, "take", "gather"),
    (Dealt, "_order", "shuffle"),
    (Stepper, "step", "optimizer"),
    (Penalty, "add_gradient", "penalty"),
    (Penalty, "constrain", "penalty"),
    (loop, "norm", "gradient norm and clipping"),
    (loop, "clip_by_norm", "gradient norm and clipping"),
    (loop, "clip_by_value", "gradient norm and clipping"),
    (shards.MeanLoss, "__call__", "shards: scales, sum of gradients"),
    (Pass, "begin", "Python: passes"),
    (Pass, "forward", "Python: passes"),
    (Pass, "backward", "Python: passes"),
    (Workers, "run", WAITING),
    (network_loss, "layer_health", "health of the layers"),
    (network_loss, "unit_health", "health of the layers"),
    (Tally, "figures", "metrics and validation"),
    (Evaluator, "figures", "metrics and validation"),
    (loop._Training, "_epoch", LOOP),
)


class Clock(local):
    """The running functions of one thread, innermost last."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.since = 0.0


class Charges:
    """Seconds and calls by (thread, label)."""

    def __init__(self) -> None:
        self.seconds: defaultdict[tuple[int | None, str], float] = defaultdict(float)
        self.calls: defaultdict[tuple[int | None, str], int] = defaultdict(int)
        self._clock = Clock()

    def wrapper(self, label: Label) -> Callable[[Function], Function]:
        """Charge a function's own time to a label."""

        def wrap(function: Function) -> Function:
            def charged(*args: Any, **kwargs: Any) -> Any:
                self.enter(label if isinstance(label, str) else label(args[0]))
                try:
                    return function(*args, **kwargs)
                finally:
                    self.leave()

            return charged

        return wrap

    def generator(self, label: str) -> Callable[[Function], Function]:
        """The same for a generator: charged while it runs, not while its consumer does."""

        def wrap(function: Function) -> Function:
            def charged(*args: Any) -> Any:
                items = function(*args)
                while True:
                    self.enter(label)
                    try:
                        item = next(items)
                    except StopIteration:
                        return
                    finally:
                        self.leave()
                    yield item

            return charged

        return wrap

    def enter(self, label: str) -> None:
        clock, now = self._clock, perf_counter()
        if clock.stack:
            self.seconds[get_ident(), clock.stack[-1]] += now - clock.since
        clock.stack.append(label)
        clock.since = now

    def leave(self) -> None:
        clock, now = self._clock, perf_counter()
        place = get_ident(), clock.stack.pop()
        self.seconds[place] += now - clock.since
        self.calls[place] += 1
        clock.since = now


def charges_of(job: Job) -> list[tuple[Any, str, Label]]:
    """What is charged for a job: the engine, each layer by its name, the loss, and the optimizer's rule."""
    names = {id(node.layer): name for name, node in job.network.nodes.items()}

    def charge(owner: Any, function: str) -> tuple[Any, str, Label]:
        return owner, function, lambda layer: f"{names[id(layer)]}: {function}, without products"

    return [
        *CHARGES,
        *(
            charge(kind, f)
            for kind in {type(n.layer) for n in job.network.nodes.values()}
            for f in ("forward", "backward")
        ),
        *((type(head.loss), f, f"loss: {f}") for head in job.heads.values() for f in ("forward", "backward")),
        (type(job.experiment.optimizer), "update", "optimizer"),
    ]


def profile(job: Job, threads: int) -> str:
    """Epochs without wrappers, their floor, and the table of some with them."""
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"), Workers(threads) as workers:
        products = Products(job, workers)
        plain, floor = [], []
        for _ in range(EPOCHS):
            plain.append(_epochs(job, workers, 2)[-1])
            floor.append(products.epoch())
        charges = Charges()
        with ExitStack() as stack:
            for owner, name, label in charges_of(job):
                wrap = charges.generator(LOOP) if label == LOOP else charges.wrapper(label)
                stack.enter_context(replaced(owner, name, wrap))
            wrapped = sum(_epochs(job, workers, EPOCHS))
    whole, alone, adds = median(plain), median(floor), products.multiply_adds / 1e6
    lines = [
        f"{threads} threads, {len(products.shards)} shards and {adds:.1f} million multiply-adds a step",
        f"epoch {whole:.4f} s, its matrix products alone {alone:.4f} s: {whole / alone:.2f} times the floor",
        f"{EPOCHS} epochs with the wrappers {wrapped:.4f} s, of which:",
    ]
    return "\n".join([*lines, *_rows(charges, wrapped)])


def _epochs(job: Job, workers: Workers, count: int) -> list[float]:
    """Seconds of the first epochs of a training."""
    state = loop.start(job, workers)
    seconds, begun = [], perf_counter()
    for event in loop.train(job, state):
        if isinstance(event, loop.EpochDone):
            seconds.append(perf_counter() - begun)
            begun = perf_counter()
            if len(seconds) == count:
                break
    return seconds


def _rows(charges: Charges, total: float) -> list[str]:
    main = main_thread().ident
    labels = sorted({label for _, label in charges.seconds}, key=lambda k: -charges.seconds[main, k])
    rows = [f"{'seconds':>10} {'share':>6} {'calls':>9} {'us a call':>9}  {'other threads':>13}"]
    for label in labels:
        seconds, calls = charges.seconds[main, label], charges.calls[main, label]
        others = sum(s for (thread, k), s in charges.seconds.items() if k == label and thread != main)
        each = f"{seconds / calls * 1e6:9.1f}" if calls else " " * 9
        rows.append(f"{seconds:10.4f} {seconds / total:6.1%} {calls:9} {each}  {others:13.4f}  {label}")
    return rows


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks profile", description="Where an epoch's time goes.")
    parser.add_argument("config", help="the experiment file")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, processors()}))
    options = parser.parse_args(arguments)
    job = job_of(load_experiment(options.config, options.overrides, Experiment))
    print("\n\n".join(profile(job, threads) for threads in options.threads))
    return 0
