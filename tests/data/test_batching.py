"""Batches made one step ahead: the same ones, in the same order, and nothing left behind."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnctl.data.augmentation.base import Augmentation
from nnctl.data.augmentation.mixup import Mixup
from nnctl.data.augmentation.placing import Flip, Shift
from nnctl.data.augmentation.values import Brightness, Noise
from nnctl.data.batching import Dealt, ahead
from nnctl.data.dataset import Dataset
from nnctl.data.inputs import Feed
from nnctl.data.inputs.array import FittedArray
from nnctl.data.targets import Classes, Truth
from nnctl.engine.parameters import Array
from nnctl.losses import CrossEntropy
from tests.networks import arrays

ROWS, SIZE, SEED = 50, 8, 9
X = np.random.default_rng(0).integers(0, 256, (ROWS, 6, 7), dtype=np.uint8)
TRUTH = np.arange(ROWS) % 3
FEED = Feed(FittedArray(shape=(6, 7), centre=(0.0,), scale=(255.0,)), X)
PLAIN = Dataset(
    {"input": FEED},
    {"output": Truth(Classes(columns=("t",), classes=tuple("abc")), TRUTH)},
    np.arange(1, ROWS + 1),
    losses={"output": CrossEntropy()},
)
ORDER = np.arange(ROWS)
PARTS = [ORDER[i : i + SIZE] for i in range(0, ROWS, SIZE)]


def augmented(*augmentations: Augmentation, **changes: Any) -> Dataset:
    return replace(PLAIN, inputs={"input": replace(FEED, augmentations=augmentations, **changes)})


def made(data: Dataset, first: int = 0, dtype: str = "float32", **address: Any) -> list[Any]:
    address = {"seed": SEED, "trial": 0, "taken": 20, **address}
    dealt = Dealt(data, SIZE, shuffle=False, dtype=dtype, seed=address["seed"], trial=address["trial"])
    return list(map(arrays, dealt.batches(0, first, address["taken"] + first)))


def same(one: Sequence[tuple[Array, Array, None]], other: Sequence[tuple[Array, Array, None]]) -> bool:
    return all(np.array_equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x[:2], y[:2], strict=True))


def test_without_augmentation_batches_are_what_take_gives() -> None:
    for batch, rows in zip(made(PLAIN), PARTS, strict=True):
        for got, wanted in zip(batch, arrays(PLAIN.take(rows, "float32")), strict=True):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("first", range(len(PARTS) + 1))
def test_resumed_in_the_middle_of_an_epoch(first: int) -> None:
    data = augmented(Shift(pixels=2), Noise(deviation=9), Mixup())
    assert same(made(data, first), made(data)[first:])


def test_every_part_of_the_address_counts() -> None:
    data = augmented(Shift(pixels=2))
    assert same(made(data), made(data))
    others: list[dict[str, Any]] = [{"seed": 1}, {"trial": 1}, {"taken": 21}]
    for other in others:
        assert not same(made(data), made(data, **other))


def test_every_epoch_and_every_trial_has_an_order_of_its_own() -> None:
    def rows(epoch: int, trial: int = 0, first: int = 0) -> list[int]:
        dealt = Dealt(PLAIN, SIZE, shuffle=True, dtype="float32", seed=SEED, trial=trial)
        return [int(row) for batch in dealt.batches(epoch, first, 0) for row in batch.rows]

    orders = [rows(0), rows(1), rows(0, trial=1)]
    assert all(sorted(order) == list(range(ROWS)) for order in orders)
    assert len(set(map(tuple, orders))) == 3
    assert rows(1) == orders[1]
    assert rows(1, first=2) == orders[1][2 * SIZE :]


def test_take_is_never_augmented() -> None:
    data = augmented(Shift(pixels=2), Flip())
    np.testing.assert_array_equal(arrays(data.take(ORDER, "float32"))[0], arrays(PLAIN.take(ORDER, "float32"))[0])
    assert not np.array_equal(made(data)[0][0], made(PLAIN)[0][0])


def test_the_data_stay_as_they_are() -> None:
    before = X.copy()
    made(augmented(Flip(vertical=True), Brightness(amount=90), Mixup()))
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(TRUTH, np.arange(ROWS) % 3)


def test_bytes_stay_within_their_range_and_other_numbers_do_not() -> None:
    bright = Brightness(amount=200)
    x = np.concatenate([x for x, _, _ in made(augmented(bright))])
    assert (x.min(), x.max()) == (0, 1)
    numbers = np.concatenate([x for x, _, _ in made(augmented(bright, values=X.astype(np.float32)))])
    assert numbers.min() < -0.1
    assert numbers.max() > 1.1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mixed_targets_are_distributions(dtype: str) -> None:
    for x, t, w in made(augmented(Mixup(alpha=1.0)), dtype=dtype):
        assert (x.dtype, t.dtype, w) == (dtype, dtype, None)
        assert t.shape == (len(x), 3)
        np.testing.assert_allclose(t.sum(axis=1), 1, rtol=1e-6)
    (_, hard, _), *_ = made(augmented(Flip()))
    assert hard.tolist() == TRUTH[PARTS[0]].tolist()


def test_ahead_works_on_another_thread_while_one_is_in_use() -> None:
    begun = [threading.Event() for _ in range(4)]
    names = set()

    def work(i: int) -> int:
        names.add(threading.current_thread().name)
        begun[i].set()
        return i

    results = ahead(map(work, range(4)))
    assert next(results) == 0
    assert begun[1].wait(5)
    assert not begun[2].is_set()
    assert list(results) == [1, 2, 3]
    assert threading.current_thread().name not in names


@pytest.mark.parametrize("length", [0, 1, 2, 5])
@pytest.mark.parametrize("stop", [None, 0, 1])
def test_no_thread_outlives_the_batches(length: int, stop: int | None) -> None:
    before = threading.active_count()
    results: Any = ahead(map(str, range(length)))
    for i, text in enumerate(results):
        assert text == str(i)
        if stop == i:
            break
    results.close()
    assert threading.active_count() == before


def test_what_goes_wrong_is_told_where_it_is_used() -> None:
    def work(i: int) -> int:
        if i == 2:
            raise ValueError("no")
        return i

    results = ahead(map(work, range(5)))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="no"):
        next(results)


def test_numpy_is_as_strict_as_in_the_calling_thread() -> None:
    with np.errstate(over="ignore"):
        assert list(ahead(np.float32(x) * np.float32(1e38) for x in [1e38])) == [np.inf]
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        list(ahead(np.float32(x) * np.float32(1e38) for x in [1e38]))
