"""The floor: the matrix products of a training step alone.

The products of one real step are recorded with the very arrays they work on, shard by shard, and repeated: the same
shapes and strides, the same BLAS, the same shards on the same threads. No training in this manner can be faster.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import local
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks.patching import Function, replaced
from nnctl.engine.network import Pass
from nnctl.engine.shards import MeanLoss
from nnctl.engine.workers import Workers
from nnctl.training.job import Job

#: What the engine multiplies matrices with.
FUNCTIONS = ("matmul", "dot")


class Product(NamedTuple):
    """A call that multiplies matrices."""

    function: Function
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    multiply_adds: int


class Products:
    """The matrix products of a job's steps."""

    def __init__(self, job: Job, workers: Workers) -> None:
        """Record a step of a full batch.

        Raises:
            RuntimeError: where fewer multiply-adds were seen than the forward pass alone has, so that some product
                was missed.
        """
        self.workers = workers
        experiment, data = job.experiment, job.data.train
        asked = experiment.training.batch_size
        batch = len(data) if asked == "full" else min(int(asked), len(data))
        self.steps = len(data) / batch
        theta = job.network.layout.initial(experiment.seed, dtype=experiment.runtime.dtype)
        objective = MeanLoss(job.network, job.heads, theta, workers)
        examples = data.take(np.arange(batch), theta.dtype)
        objective(examples)  # makes the buffers
        with recorded() as by_pass:
            objective(examples)
        self.shards = [by_pass[id(p)] for p in objective.passes if id(p) in by_pass]
        self.multiply_adds = sum(product.multiply_adds for shard in self.shards for product in shard)
        self._objective = objective  # whose passes own the arrays
        if self.multiply_adds < batch * job.network.multiply_adds:
            raise RuntimeError(
                f"{self.multiply_adds} multiply-adds were seen in a step whose forward pass alone takes "
                f"{batch * job.network.multiply_adds}; add what multiplies them to FUNCTIONS"
            )

    def step(self) -> None:
        """The products of one step."""
        self.workers.run(self._shard, range(len(self.shards)))

    def epoch(self) -> float:
        """Seconds that the products of one epoch take."""
        begun = perf_counter()
        for _ in range(round(self.steps)):
            self.step()
        return (perf_counter() - begun) * self.steps / round(self.steps)

    def _shard(self, i: int) -> None:
        for function, args, kwargs, _ in self.shards[i]:
            function(*args, **kwargs)


@contextmanager
def recorded() -> Iterator[dict[int, list[Product]]]:
    """Record every product inside forward and backward passes, by the `id` of its pass."""
    found: dict[int, list[Product]] = {}
    current = local()

    def entering(function: Function) -> Function:
        def enter(self: Pass, *args: Any) -> Any:
            current.calls = found.setdefault(id(self), [])
            try:
                return function(self, *args)
            finally:
                current.calls = []

        return enter

    def recording(function: Function) -> Function:
        def record(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            current.calls.append(Product(function, args, kwargs, np.size(result) * args[0].shape[-1]))
            return result

        return record

    wrapped: list[tuple[Any, str, Callable[[Function], Function]]] = [
        (Pass, "forward", entering),
        (Pass, "backward", entering),
        *((np, name, recording) for name in FUNCTIONS),
    ]
    with ExitStack() as stack:
        for owner, name, wrap in wrapped:
            stack.enter_context(replaced(owner, name, wrap))
        yield found
