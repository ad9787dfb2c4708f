"""Ranks: processes that run the same training, each on its own shards, without an interpreter's lock between them.

Threads give back the lock at every call of NumPy and wait for it after; processes have one each. All ranks run the
same loop from the same state, so that they take the same decisions. What one of them works out for all lies in memory
that they share: parameters, the gradient of each shard, the optimizer's vectors, what the network gives. Where a rank
needs what the others did, they meet; whatever is not shared is worked out by every rank, in the same order.

Only the first rank records, prints and evaluates; what it alone knows it tells the others.
"""

import ctypes
import json
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import prod
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike

from nnctl.engine.parameters import Array, Shape
from nnctl.engine.workers import Workers
from nnctl.errors import Lost

#: A waiting rank asks so often, for half a millisecond, whether the others have come, before it sleeps in between.
SPINS = 300
#: Seconds of the first sleep, and of the longest: each is twice the one before.
NAP, LONG_NAP = 20e-6, 1e-3
#: Sleeps between two looks at whether the others are alive.
LOOK = 100
#: Bytes of the parts of the shared memory: meetings, what a rank says at its end, what the first one tells the others.
MEETINGS, LAST_WORDS, TOLD = 1 << 16, 1 << 12, 1 << 20
#: Where shared arrays begin.
ARRAYS = MEETINGS + LAST_WORDS + TOLD
#: Arrays begin at multiples of a cache line, so that two ranks never write into the same one.
LINE = 64


def can_fork() -> bool:
    """Whether processes can share the memory of this one."""
    return hasattr(os, "fork") and sys.platform != "darwin"  # where forking a process with threads is not safe


class Ranks(Workers):
    """`ranks` processes in place of threads; until `split` there is one.

    Attributes:
        rank: the number of this one; the first is 0.
    """

    several = True

    def __init__(self, ranks: int, room: int) -> None:
        """Set `room` bytes aside for shared arrays; memory is taken when they are written."""
        super().__init__()
        self.threads, self.rank = ranks, 0
        self._ranks, self._children = 1, list[int]()
        self._parent = os.getpid()
        self._memory = mmap.mmap(-1, ARRAYS + room)
        self._used = ARRAYS
        # How often each rank has come to a meeting; a cache line apart, so that no two write into the same one.
        self._came = np.frombuffer(self._memory, np.int64, ranks * LINE // 8)[:: LINE // 8]
        self._meetings = 0
        self._local = Workers(ranks)

    def renew(self) -> None:
        self._used = ARRAYS

    def blank(self, shape: Shape, dtype: DTypeLike) -> Array:
        """An array that all ranks see; those of a trial lie in the same places in every rank."""
        dtype = np.dtype(dtype)
        size = prod(shape) * dtype.itemsize
        if self._used + size > len(self._memory):
            raise MemoryError(f"the ranks were to share {size:,} bytes more than were set aside for it")
        array = np.frombuffer(self._memory, dtype, prod(shape), self._used).reshape(shape)
        self._used += -(-size // LINE) * LINE
        return array

    def share(self, array: Array) -> Array:
        """A copy that all ranks see once they have met."""
        shared = self.blank(array.shape, array.dtype)
        if self.first:
            shared[...] = array
        return shared

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def local(self) -> Workers:
        """Threads of the first rank, as many as there are ranks, while the others wait."""
        return self._local

    def run(self, function: Callable[[Any], object], items: Sequence[Any]) -> None:
        """Call `function` on every item, item i in rank i modulo the number of ranks; all wait for the last."""
        for item in items[self.rank :: self._ranks]:
            function(item)
        self.meet()

    def meet(self) -> None:
        """Wait until all ranks are here."""
        if self._ranks == 1:
            return
        self._meetings += 1
        self._came[self.rank] = self._meetings
        spins = 0
        while self._came.min() < self._meetings:
            spins += 1
            if spins > SPINS:
                if spins % LOOK == 0:
                    self._look()
                time.sleep(min(NAP * 2 ** (spins - SPINS), LONG_NAP))

    def agree(self, make: Callable[[], Any]) -> Any:
        """What the first rank makes, a value of JSON, in all of them."""
        if self._ranks == 1:
            return make()
        if self.rank == 0:
            text = json.dumps(make()).encode()
            if len(text) >= TOLD:
                raise MemoryError(f"{len(text):,} bytes are too many to tell the other ranks")
            self._write(ARRAYS - TOLD, text)
        self.meet()
        value = json.loads(self._read(ARRAYS - TOLD, TOLD))
        self.meet()  # before the next one is written
        return value

    def split(self, work: Callable[[], object]) -> None:
        """Become several: the others run `work` from here on, and end with it."""
        for rank in range(1, self.threads):
            child = os.fork()
            if child == 0:
                self._be(rank, work)
            self._children.append(child)
        self._ranks = self.threads

    def close(self) -> None:
        """End the other ranks, wherever they are, and wait until they are gone."""
        for child in self._children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)
        self._children, self._ranks = [], 1
        self._local.close()

    def _be(self, rank: int, work: Callable[[], object]) -> NoReturn:
        """The life of another rank, which says nothing: what it finds wrong the first rank finds too, or misses it."""
        code = 1
        try:
            _die_with_parent()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # the first rank decides
            self.rank, self._ranks, self._children = rank, self.threads, []
            work()
            code = 0
        except BaseException as error:  # noqa: BLE001 - told to the first rank by how it ends
            self._write(MEETINGS, f"{type(error).__name__}: {error}".encode()[: LAST_WORDS - 1])
        finally:
            os._exit(code)

    def _look(self) -> None:
        """Whether the others are alive: the first rank asks for its children, they for their parent."""
        if self.rank:
            if os.getppid() != self._parent:
                os._exit(1)
            return
        for rank, child in enumerate(self._children, start=1):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                self._children.remove(child)
                code = os.waitstatus_to_exitcode(status)
                said = self._read(MEETINGS, LAST_WORDS).decode(errors="replace")
                how = f"by signal {-code}" if code < 0 else f"with {said or 'no word'}"
                raise Lost(f"rank {rank} (process {ended}) ended {how}, and the others cannot go on without it")

    def _write(self, place: int, text: bytes) -> None:
        self._memory[place : place + len(text) + 1] = text + b"\0"

    def _read(self, place: int, room: int) -> bytes:
        return self._memory[place : place + room].partition(b"\0")[0]


def _die_with_parent() -> None:
    """Ask the system to end this process with its parent, whatever ends that."""
    with suppress(OSError, AttributeError):  # elsewhere than on Linux a waiting rank notices by itself
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
