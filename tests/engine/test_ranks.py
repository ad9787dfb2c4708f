"""Ranks: how they meet, what they share, and how one notices that another is gone."""

import copy
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nnctl.engine import ranks as module
from nnctl.engine.batch import OUTPUT, single
from nnctl.engine.loss import Head
from nnctl.engine.network import chain
from nnctl.engine.ranks import Ranks, can_fork
from nnctl.engine.shards import MeanLoss
from nnctl.engine.workers import Workers
from nnctl.errors import Lost
from nnctl.layers import BatchNormalization, Dense
from nnctl.losses.regression import SquaredError

pytestmark = pytest.mark.skipif(not can_fork(), reason="processes do not share memory here")


def together(ranks: int, work: Callable[[Ranks], Any], room: int = 1 << 12) -> list[Any]:
    """What every rank makes, each on a thread of this process in place of a process of its own."""
    first = Ranks(ranks, room)
    first._ranks = ranks
    others = [copy.copy(first) for _ in range(1, ranks)]
    for number, other in enumerate(others, start=1):
        other.rank, other._parent = number, os.getppid()
    made: list[Any] = [None] * ranks

    def run(i: int) -> None:
        made[i] = work([first, *others][i])

    threads = [Thread(target=run, args=(i,)) for i in range(1, ranks)]
    for thread in threads:
        thread.start()
    run(0)
    for thread in threads:
        thread.join()
    first._ranks = 1
    first.close()
    return made


def test_every_item_is_done_once_by_its_rank_and_seen_by_all() -> None:
    def work(r: Ranks) -> list[float]:
        squares = r.blank((7,), "f8")

        def square(i: int) -> None:
            squares[i] = i * i + r.rank / 10

        r.run(square, range(7))
        seen: list[float] = squares.tolist()
        r.meet()
        return seen

    expected = [i * i + i % 3 / 10 for i in range(7)]
    assert together(3, work) == [expected] * 3


def test_one_writes_what_is_shared_and_all_have_it_in_the_same_place() -> None:
    def work(r: Ranks) -> tuple[list[float], list[float]]:
        one = r.share(np.full(3, 1.0 + r.rank))
        r.meet()
        first = one.tolist()
        r.meet()
        r.renew()
        two = r.share(np.full(2, 5.0 + r.rank))
        r.meet()
        again = (one.tolist(), two.tolist())
        r.meet()
        return first, again[0][:2]

    assert together(2, work) == [([1.0] * 3, [5.0, 5.0])] * 2


def test_all_agree_on_what_the_first_made() -> None:
    def work(r: Ranks) -> list[Any]:
        values = []
        for i in range(3):
            made = {"rank": r.rank, "value": i / 3, "nan": float("nan")}
            values.append(r.agree(lambda made=made: made))  # type: ignore[misc]
        return values

    for values in together(3, work):
        assert [(v["rank"], v["value"]) for v in values] == [(0, i / 3) for i in range(3)]
        assert all(v["nan"] != v["nan"] for v in values)


def test_who_is_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPINS", 2)
    came = []

    def work(r: Ranks) -> None:
        if r.rank == 1:
            time.sleep(0.05)
            came.append(1)
        r.meet()
        came.append(0)

    together(2, work)
    assert came[0] == 1


def test_before_the_split_there_is_one() -> None:
    alone = Ranks(3, 100)
    done: list[int] = []
    alone.run(done.append, range(4))
    alone.meet()
    assert (done, alone.first, alone.agree(lambda: "itself")) == ([0, 1, 2, 3], True, "itself")
    assert (alone.threads, alone.local.threads) == (3, 3)
    with pytest.raises(MemoryError, match="the ranks were to share 800 bytes more than were set aside"):
        alone.blank((100,), "f8")
    alone.close()


def test_too_much_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOLD", 10)
    alone = Ranks(2, 0)
    alone._ranks = 2
    with pytest.raises(MemoryError, match="are too many to tell the other ranks"):
        alone.agree(lambda: "x" * 20)
    alone._ranks = 1
    alone.close()


def test_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real ones: they write what all see, and are gone after the end."""
    monkeypatch.setattr(module, "SPINS", 2)
    with Ranks(3, 1 << 12) as r:
        squares = r.blank((6,), "i8")

        def square(i: int) -> None:
            squares[i] = i * i

        def work() -> None:
            for _ in range(50):
                r.run(square, range(6))

        r.split(work)
        work()
        assert squares.tolist() == [0, 1, 4, 9, 16, 25]
        children = list(r._children)
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "ended by signal 9"),
        (lambda: 1 / 0, "ended with ZeroDivisionError: division by zero"),
        (lambda: None, "ended with no word"),
    ],
)
def test_a_rank_that_is_gone_is_missed(monkeypatch: pytest.MonkeyPatch, end: Callable[[], Any], said: str) -> None:
    monkeypatch.setattr(module, "LONG_NAP", 1e-4)
    with Ranks(2, 100) as r:
        r.split(end)
        with pytest.raises(Lost, match=rf"rank 1 \(process \d+\) {said}"):
            r.meet()


def test_the_life_of_another_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """As its process sees it, in this one."""
    codes: list[int] = []
    handled: list[Any] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(signal, "signal", lambda number, handler: handled.append((number, handler)))
    monkeypatch.setattr(module, "_die_with_parent", lambda: None)
    r = Ranks(2, 100)
    r._be(1, lambda: None)
    assert (r.rank, r._ranks, codes) == (1, 2, [0])
    assert {handler for _, handler in handled} == {signal.SIG_IGN}

    def fail() -> None:
        raise ValueError("no")

    r._be(1, fail)
    assert codes == [0, 1]
    assert r._read(module.MEETINGS, module.LAST_WORDS) == b"ValueError: no"
    monkeypatch.setattr(os, "getppid", lambda: 1)  # the parent is gone
    r._look()
    assert codes == [0, 1, 1]
    monkeypatch.setattr(os, "getppid", lambda: r._parent)
    r._look()
    assert codes == [0, 1, 1]
    r.rank, r._ranks = 0, 1
    r.close()


def test_who_becomes_what(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[int] = []

    def be(self: Ranks, rank: int, work: Callable[[], object]) -> None:
        became.append(rank)
        raise SystemExit

    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(Ranks, "_be", be)
    with Ranks(3, 100) as r, pytest.raises(SystemExit):
        r.split(lambda: None)
    assert became == [1]


def test_what_the_system_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(module.ctypes, "CDLL", lambda _: SimpleNamespace(prctl=lambda *a: asked.append(a)))
    module._die_with_parent()
    assert asked == [(1, signal.SIGKILL)]
    monkeypatch.setattr(module.ctypes, "CDLL", lambda _: SimpleNamespace())
    module._die_with_parent()  # a system without it


def test_who_is_alive_is_not_missed() -> None:
    with Ranks(2, 100) as r:
        r.split(lambda: time.sleep(30))
        r._look()
        assert len(r._children) == 1


def test_a_process_that_dies_with_its_parent() -> None:
    """A child of a child, whose parent ends at once."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        grandchild = os.fork()
        if grandchild == 0:
            module._die_with_parent()
            os.write(write, str(os.getpid()).encode())
            time.sleep(30)
        os.read(read, 0)
        time.sleep(0.2)
        os._exit(0)
    os.waitpid(child, 0)
    number = int(os.read(read, 20))
    until = time.monotonic() + 5
    while time.monotonic() < until and _runs(number):
        time.sleep(0.01)
    assert not _runs(number)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_threads_share_by_nature() -> None:
    workers = Workers()
    array = np.ones(3)
    assert workers.share(array) is array
    assert workers.blank((2, 3), "f4").shape == (2, 3)
    assert (workers.first, workers.several, workers.local) == (True, False, workers)
    assert workers.agree(lambda: 5) == 5
    workers.renew()
    workers.meet()
    workers.split(lambda: 1 / 0)


def test_each_rank_has_a_gradient_of_its_own_and_the_first_keeps_the_statistics() -> None:
    random = np.random.default_rng(3)
    layers = [Dense(units=3), BatchNormalization()]
    net = chain(layers, (4,))
    batch = single(random.normal(size=(8, 4)), random.normal(size=(8, 3)))
    gradients, thetas = [], []
    for workers in (Workers(), Ranks(2, 1 << 14), Ranks(2, 1 << 14)):
        theta = net.layout.initial(0, dtype="f8")
        loss = MeanLoss(net, {OUTPUT: Head(SquaredError())}, theta, workers)
        loss(batch)
        gradients.append(loss.gradient.copy())
        assert (loss.gradient is loss.passes[0].gradient) == (not workers.several)
        if isinstance(workers, Ranks) and len(gradients) == 3:
            workers.rank = 1
        loss.track()
        thetas.append(theta)
        workers.close()
    np.testing.assert_array_equal(gradients[0], gradients[1])
    np.testing.assert_array_equal(thetas[0], thetas[1])
    assert not np.array_equal(thetas[1], thetas[2])  # another rank leaves them to the first
