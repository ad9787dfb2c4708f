"""Every compiled form gives the bytes of the NumPy form that defines it; nan may be any nan."""

from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np
import pytest

from nnctl.activations.rectifiers import Relu
from nnctl.engine.compiled import using
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.layers import correlation, sweep
from nnctl.layers.sweep import Sweep
from nnctl.layers.windows import Windows
from nnctl.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdaMax,
    AdamW,
    Momentum,
    Nadam,
    Nesterov,
    RAdam,
    RMSprop,
)  # fmt: skip
from nnctl.optimizers.base import Optimizer

pytest.importorskip("numba", reason="compiled kernels need the extra [fast]")

from nnctl.kernels import table

DTYPES = ("float32", "float64")
SIZES = (0, 1, 2, 3, 7, 8, 17, 64, 1000, 4099)


def special(dtype: str) -> Array:
    """What is no ordinary number, and the smallest and largest that are."""
    info = np.finfo(dtype)
    return np.array(
        [np.inf, -np.inf, np.nan, 0.0, -0.0, info.tiny / 4, -info.smallest_subnormal, info.max, -info.max, 1.0], dtype
    )


def numbers(size: int, dtype: str, seed: int) -> Array:
    """Of all sizes, and where there is room with what is special in between."""
    random = np.random.default_rng(seed)
    span = 30 if dtype == "float32" else 200
    x = (random.normal(size=size) * 10.0 ** random.integers(-span, span // 3, size)).astype(dtype)
    if size > 20:
        x[random.choice(size, 10, replace=False)] = special(dtype)
    return x


def same(one: Array, other: Array) -> None:
    """Equal bytes, but for the payload of nan."""
    assert (one.dtype, one.shape) == (other.dtype, other.shape)
    if one.dtype.kind == "f":
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        one, other = np.where(np.isnan(one), 1, one), np.where(np.isnan(other), 1, other)
    assert one.tobytes() == other.tobytes()


OPTIMIZERS: tuple[Optimizer, ...] = (
    SGD(), SGD(momentum=0.9, dampening=0.3), SGD(momentum=0.9, nesterov=True), Momentum(), Nesterov(),
    RMSprop(), RMSprop(centered=True), RMSprop(momentum=0.9), RMSprop(epsilon_inside_root=True),
    RMSprop(centered=True, momentum=0.5, epsilon_inside_root=True),
    Adagrad(), Adagrad(initial_accumulator=0.1, rate_decay=0.01), Adadelta(), Adam(), Adam(amsgrad=True),
    Adam(epsilon_before_correction=True), AdamW(), AdaMax(), Nadam(), RAdam(beta2=0.7),
)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.model_dump_json(exclude_defaults=True)[:60])
def test_optimizers(optimizer: Optimizer, dtype: str) -> None:
    for size in SIZES:
        theta = np.random.default_rng(size).normal(size=size).astype(dtype)
        thetas, states = [theta.copy(), theta.copy()], [optimizer.initial(size, dtype) for _ in range(2)]
        work, memory = (np.empty(size, dtype), np.empty(size, dtype)), dict[str, float]()
        for t in range(1, 9):
            c = optimizer.coefficients(t, optimizer.learning_rate, memory)
            g = numbers(size, dtype, 100 * t) if t != 4 else np.zeros(size, dtype)
            g.flags.writeable = False
            with np.errstate(all="ignore"):
                optimizer.update(thetas[0], g, states[0], c, work)
                with using(table()):
                    optimizer.update(thetas[1], g, states[1], c, work)
        same(*thetas)
        for name in optimizer.vectors:
            same(states[0][name], states[1][name])


@pytest.mark.parametrize("dtype", DTYPES)
def test_rectifier(dtype: str) -> None:
    relu = Relu()
    for shape in [(0, 3), (1, 1), (5, 7), (3, 4, 5, 6), (1000,), (64, 64)]:
        size = int(np.prod(shape))
        x, dy = (numbers(size, dtype, seed).reshape(shape) for seed in (1, 2))
        outs = []
        for compiled in (False, True):
            y, dx = np.empty_like(x), np.empty_like(x)
            with using(table() if compiled else {}), np.errstate(all="ignore"):
                relu.forward(x, y)
                relu.backward(dy, x, y, dx)
            outs.append((y, dx))
        for one, other in zip(*outs, strict=True):
            same(one, other)


WINDOWS = [
    Windows(8, 2, stride=2), Windows(9, 2, stride=2), Windows(7, 3, stride=2, before=1, after=1),
    Windows(7, 3, stride=1), Windows(9, 3, stride=4), Windows(9, 3, dilation=2, before=2, after=2),
    Windows(5, 2, stride=2, beyond=1), Windows(4, 1), Windows(3, 300, before=150, after=150),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("inner", [1, 3, 16, 33])
def test_maxima_of_windows(windows: Windows, inner: int, dtype: str) -> None:
    swept = Sweep(windows, 6, inner, "axis 1")
    x = numbers(6 * windows.length * inner, dtype, 3).reshape(swept.before)
    x[:, ::2] = np.round(np.clip(x[:, ::2], -2, 2))  # equal values
    dy = numbers(6 * windows.count * inner, dtype, 4).reshape(swept.after)
    results = []
    for compiled in (False, True):
        slot = Slot(dtype)
        with using(table() if compiled else {}), np.errstate(all="ignore"):
            y, winner = sweep.sweep_maximum(x, swept, slot)
            results.append((y, winner, sweep.spread_maximum(dy, winner, swept, slot)))
    for one, other in zip(*results, strict=True):
        same(one, other)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lengths", [(7,), (6, 5)])
def test_adding_up_where_windows_overlap(lengths: tuple[int, ...], dtype: str) -> None:
    grid = tuple(Windows(length, 3, stride=2, before=1, after=1) for length in lengths)
    shape = (4, *(axis.count for axis in grid), 9)
    part = numbers(int(np.prod(shape)), dtype, 5).reshape(shape)
    outs = []
    for compiled in (False, True):
        out = np.ones((4, *lengths, 9), dtype)
        with using(table() if compiled else {}), np.errstate(all="ignore"):
            for meeting in correlation.meetings(grid):
                correlation.add_meeting(out, part, meeting)
        outs.append(out)
    same(*outs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 5, 32])
def test_bias(channels: int, dtype: str) -> None:
    b, outs = numbers(channels, dtype, 7), []
    for compiled in (False, True):
        z = numbers(6 * 4 * channels, dtype, 6).reshape(6, 4, channels)
        with using(table() if compiled else {}), np.errstate(all="ignore"):
            correlation.add_bias(z, b)
        outs.append(z)
    same(*outs)


def test_what_does_not_lie_in_one_piece_is_left_to_numpy() -> None:
    x = numbers(60, "float32", 1).reshape(6, 10)[:, ::2]
    y, dx = np.empty((5, 6), "float32").T, np.empty((5, 6), "float32").T
    windows = Windows(5, 2, stride=2)
    with using(table()), np.errstate(all="ignore"):
        Relu().forward(x, y)
        Relu().backward(x, x, y, dx)
        best, winner = sweep.sweep_maximum(x[:, :, None], Sweep(windows, 6, 1, "a"), Slot("float32"))
        spread = sweep.spread_maximum(best.T.copy().T, winner, Sweep(windows, 6, 1, "a"), Slot("float32"))
    same(y, np.maximum(x, 0))
    same(best[:, :, 0], np.maximum(x[:, 1::2], x[:, :-1:2]))
    assert spread.shape == (6, 5, 1)


def unbound(function: Callable[..., Any]) -> Callable[..., Any]:
    return function.__func__ if isinstance(function, MethodType) else function


def test_every_optimizer_has_a_kernel() -> None:
    """A new one runs in NumPy until it has one; this list says which do."""
    assert {unbound(o.update) for o in OPTIMIZERS} <= set(table())
