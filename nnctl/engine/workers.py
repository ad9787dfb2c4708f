"""A few threads that run the shards of a batch.

NumPy lets go of the interpreter's lock inside its loops and matrix products, so threads run at the
same time where it counts. Queues of the standard library hand work over in a few microseconds.
"""

import os
from collections.abc import Callable, Sequence
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from nnctl.engine.parameters import Array, Shape


def processors() -> int:
    """Cores this process may use; macOS does not tell, and has all it counts."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def physical_memory() -> int:
    """Bytes of memory the machine has; where it does not say, more than any."""
    names = getattr(os, "sysconf_names", {})
    known = "SC_PHYS_PAGES" in names and "SC_PAGE_SIZE" in names
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if known else 1 << 62


class Workers:
    """`threads` workers; the caller's own thread is the first of them."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._queues: list[SimpleQueue[Any]] = [SimpleQueue() for _ in range(threads - 1)]
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        for queue in self._queues:
            Thread(target=self._serve, args=(queue,), daemon=True).start()

    def run(self, function: Callable[[Any], object], items: Sequence[Any]) -> None:
        """Call `function` on every item, item i on worker i modulo the number of threads.

        Which thread runs an item must not matter to its result. The first exception is raised
        here, after all items have ended.
        """
        busy = self._queues[: len(items) - 1]
        for i, queue in enumerate(busy, start=1):
            # A copy of the context carries NumPy's error handling into the thread.
            queue.put((copy_context(), function, items[i :: self.threads]))
        failures = [_call(function, items[:: self.threads]), *(self._done.get() for _ in busy)]
        for failure in failures:
            if failure is not None:
                raise failure

    # What threads have by nature, and ranks must do something for.

    #: Whether other processes see what is shared.
    several = False

    def renew(self) -> None:
        """Take the place of the arrays that were shared before for new ones."""

    def blank(self, shape: Shape, dtype: DTypeLike) -> Array:
        """An array that all workers see."""
        return np.zeros(shape, dtype)

    def share(self, array: Array) -> Array:
        """The same array, or a copy that all workers see."""
        return array

    @property
    def first(self) -> bool:
        """Whether this is the process that records."""
        return True

    @property
    def local(self) -> "Workers":
        """The workers of this process alone."""
        return self

    def meet(self) -> None:
        """Wait until all processes are here."""

    def agree(self, make: Callable[[], Any]) -> Any:
        """What the first process makes, in all of them."""
        return make()

    def split(self, work: Callable[[], object]) -> None:
        """Become as many processes as there are to be; the others do `work`."""

    def close(self) -> None:
        """End the threads."""
        for queue in self._queues:
            queue.put(None)
        self._queues = []
        self.threads = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self, queue: "SimpleQueue[Any]") -> None:
        while (task := queue.get()) is not None:
            context, function, items = task
            self._done.put(context.run(_call, function, items))


def _call(function: Callable[[Any], object], items: Sequence[Any]) -> BaseException | None:
    try:
        for item in items:
            function(item)
    except BaseException as failure:  # noqa: BLE001 - handed to the calling thread, which raises it
        return failure
    return None
