"""Threads that run items."""

import threading

import numpy as np
import pytest

from nnctl.engine import workers as module
from nnctl.engine.workers import Workers


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("items", [0, 1, 2, 7])
def test_every_item_runs_once(threads: int, items: int) -> None:
    seen = [0] * items
    with Workers(threads) as workers:
        for _ in range(3):
            workers.run(lambda i: seen.__setitem__(i, seen[i] + 1), range(items))
    assert seen == [3] * items


def test_items_run_on_different_threads() -> None:
    barrier = threading.Barrier(2, timeout=10)
    with Workers(2) as workers:
        workers.run(lambda _: barrier.wait(), range(2))


def test_an_exception_is_raised_after_all_items_ended() -> None:
    ended = []

    def work(i: int) -> None:
        ended.append(i)
        if i == 1:
            raise ValueError("item 1")

    with Workers(2) as workers:
        with pytest.raises(ValueError, match="item 1"):
            workers.run(work, range(2))
        assert sorted(ended) == [0, 1]
        workers.run(work, [5])


def test_numpy_error_handling_reaches_the_threads() -> None:
    with Workers(2) as workers, np.errstate(all="ignore"):
        workers.run(lambda _: np.float64(1) / np.zeros(1), range(2))


def test_how_much_memory_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.physical_memory() > 1 << 28
    monkeypatch.setattr(module.os, "sysconf_names", {})
    assert module.physical_memory() == 1 << 62
