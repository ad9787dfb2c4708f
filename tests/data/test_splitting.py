"""Parts of rows: exact sizes, proportional classes, nothing lost."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.splitting import by_rarest, class_sizes, split
from nnctl.engine.parameters import Array
from nnctl.errors import DataError

SHARES = st.sampled_from([0.0, 0.1, 0.15, 0.2, 1 / 3, 0.4])


@given(st.integers(4, 300), SHARES, SHARES, st.integers(0, 5))
def test_every_row_goes_to_one_part(rows: int, validation: float, test: float, seed: int) -> None:
    parts = split(rows, validation, test, seed)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(together) == list(range(rows))
    assert abs(len(parts.validation) - validation * rows) < 1
    assert abs(len(parts.test) - test * rows) < 1
    assert all((np.diff(part) > 0).all() for part in (parts.train, parts.validation, parts.test))


@given(st.lists(st.integers(0, 3), min_size=8, max_size=200), SHARES, SHARES)
def test_stratified_parts_have_classes_in_proportion(labels: Sequence[int], validation: float, test: float) -> None:
    classes = np.unique(labels, return_inverse=True)[1]
    plain, parts = split(len(classes), validation, test, 0), split(len(classes), validation, test, 0, classes[:, None])
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [
        len(plain.train),
        len(plain.validation),
        len(plain.test),
    ]
    counts = np.bincount(classes)
    if len(parts.train) >= len(counts):
        assert set(classes) == set(classes[parts.train])
    for part in (parts.validation, parts.test):
        share = len(part) / len(classes)
        enough = counts > 2 / max(share, 0.01)  # small classes keep a row for training instead
        own = np.bincount(classes[part], minlength=len(counts))
        if enough.all():
            assert np.all(np.abs(own - counts * share) <= 1)


def spread(classes: Array, *parts: Array) -> float:
    """How far the number of rows of a class in a part is from its share, at most, over all outputs."""
    far = 0.0
    for column in classes.T:
        counts = np.bincount(column)
        own = [np.bincount(column[part], minlength=len(counts)) - counts * len(part) / len(column) for part in parts]
        far = max(far, float(np.abs(own).max()))
    return far


@given(st.integers(2, 3), st.integers(40, 200), st.integers(0, 3))
def test_several_outputs_with_classes_are_all_in_proportion(outputs: int, rows: int, seed: int) -> None:
    """Frequent combinations and rare ones together; a deal at random is off by about two standard deviations more."""
    random = np.random.default_rng(seed)
    classes = random.choice(4, p=[0.6, 0.3, 0.07, 0.03], size=(rows, outputs))
    parts, plain = split(rows, 0.15, 0.2, seed, classes), split(rows, 0.15, 0.2, seed)
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [
        len(plain.train),
        len(plain.validation),
        len(plain.test),
    ]
    assert sorted(np.concatenate([parts.train, parts.validation, parts.test])) == list(range(rows))
    assert spread(classes, parts.validation, parts.test) < 4


def test_where_every_combination_is_rare_each_class_is_still_in_proportion() -> None:
    """Three outputs of ten classes with twenty rows each: three of each class in validation, give or take two."""
    random = np.random.default_rng(0)
    classes = np.stack([random.permutation(np.repeat(np.arange(10), 20)) for _ in range(3)], axis=1)
    parts = split(200, 0.15, 0.15, 0, classes)
    assert spread(classes, parts.validation, parts.test) <= 2
    dealt = split(200, 0.15, 0.15, 0)
    assert spread(classes, dealt.validation, dealt.test) > 2


def test_the_rarest_class_is_dealt_out_first() -> None:
    """Eight rows; class 1 of the second output has two, one for each part."""
    classes = np.array([[i % 2, int(i in (2, 5))] for i in range(8)])
    order = by_rarest(classes, np.array([4, 4]))
    assert len({int(np.flatnonzero(order == row)[0]) // 4 for row in (2, 5)}) == 2
    for part in (order[:4], order[4:]):
        assert classes[part, 0].sum() == 2


def test_largest_remainders_by_hand() -> None:
    """Quotas of 3 rows: 1.5, 0.9, 0.6: one each by remainder."""
    assert class_sizes(np.array([10, 6, 4]), (3, 0)).tolist() == [[1, 1, 1], [0, 0, 0]]
    assert class_sizes(np.array([50, 50, 50]), (23, 22)).tolist() == [[8, 8, 7], [7, 7, 8]]
    assert class_sizes(np.array([27, 19, 15, 25]), (37, 5))[1].tolist() == [1, 2, 1, 1]  # of 1.57 1.10 0.87 1.45
    assert class_sizes(np.array([97, 1, 1, 1]), (15, 15))[:, 1:].sum() == 0  # singletons are for training


def test_shares_that_floats_miss() -> None:
    parts = split(20, 0.15, 0.15, 0)
    assert (len(parts.validation), len(parts.test)) == (3, 3)


def test_the_seed_decides_and_it_is_not_the_last_rows() -> None:
    first, again, other = (split(100, 0.15, 0.15, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.test, again.test)
    assert first.test.tolist() != other.test.tolist()
    assert first.test.min() < 50


def test_too_few_rows() -> None:
    with pytest.raises(DataError, match="2 rows are too few"):
        split(2, 0.4, 0.4, 0)
