"""Cutting rows into training, validation and test parts."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from nnctl.errors import ConfigError, DataError


@dataclass(frozen=True)
class Parts:
    """The rows of each part, in the order of the file."""

    train: Array
    validation: Array
    test: Array


def split(rows: int, validation: float, test: float, seed: int, classes: Array | None = None) -> Parts:
    """Deal rows out at random, by the seed.

    The sizes are the shares rounded by largest remainder. With `classes` (rows, outputs), the number of each row's
    class for each output, every part gets the combinations of classes in proportion, each to within one row. Rows
    whose combination is too rare for that are dealt out class by class, the rarest first.

    Raises:
        DataError: where no row is left to train on.
    """
    sizes = _sizes(rows, validation, test)
    if rows - sum(sizes) < 1:
        raise DataError(
            f"{rows} rows are too few to split {validation} for validation and {test} for the test; set data.split"
        )
    if not any(sizes):
        return Parts(np.arange(rows), np.zeros(0, int), np.zeros(0, int))
    labels, odd = combined(np.zeros((rows, 1), int) if classes is None else classes, rows / min(filter(None, sizes)))
    counts = np.bincount(labels)
    quotas = class_sizes(counts, sizes)  # (parts, classes)
    order = stream(seed, "split").permutation(rows)
    by_class = order[np.argsort(labels[order], kind="stable")]
    parts: list[list[Array]] = [[], [], []]
    start = 0
    for c, count in enumerate(counts):
        own = by_class[start : start + count]
        if c == odd and classes is not None:
            own = own[by_rarest(classes[own], np.array([*quotas[:, c], count - quotas[:, c].sum()]))]
        edges = [0, *np.cumsum(quotas[:, c]), count]
        for part, (a, b) in enumerate(pairwise(edges)):
            parts[part].append(own[a:b])
        start += count
    held_out, tested, trained = (np.sort(np.concatenate(part)) for part in parts)
    return Parts(trained, held_out, tested)


def combined(classes: Array, least: float) -> tuple[Array, int | None]:
    """A number for each row's combination of classes (rows, outputs), and which number stands for all rare ones.

    Of several outputs, combinations of fewer than `least` rows are rare.
    """
    if classes.shape[1] == 1:
        return classes[:, 0], None
    _, labels, counts = np.unique(classes, axis=0, return_inverse=True, return_counts=True)
    rare = counts < least
    if not rare.any():
        return labels, None
    return np.where(rare[labels], len(counts), labels), len(counts)


def by_rarest(classes: Array, sizes: Array) -> Array:
    """An order of rows in which the first of `sizes` are those of the first part, and so on, with their classes spread.

    The class with the fewest rows left is dealt out first: each of its rows to the part that lacks most of the row's
    classes, as shares of what is due to it.

        lacks[p, c] = (due[p, c] - given[p, c]) / due[p, c]    due[p, c] = n_c |p| / n

    Source: Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011, which takes
    due - given of the one class: that sends all of a rare class to the largest part.

    Args:
        classes: of each row, for each output; (rows, outputs).
        sizes: of the parts, which take every row.
    """
    rows, outputs = classes.shape
    offsets = np.concatenate([[0], np.cumsum(classes.max(axis=0) + 1)])
    classes = classes + offsets[:-1]  # numbered through all outputs
    left = np.bincount(classes.ravel(), minlength=offsets[-1])
    due, room, part_of = np.outer(sizes / rows, left), sizes.copy(), np.full(rows, -1)
    one = 1 / np.maximum(due, 1e-9)  # what a row is of what is due
    lacks = np.ones(due.shape)
    while left.any():
        rarest = int(np.where(left > 0, left, rows * outputs + 1).argmin())
        for row in np.flatnonzero((classes == rarest).any(axis=1) & (part_of < 0)):
            own = classes[row]
            part = int(np.where(room > 0, lacks[:, own].sum(axis=1), -np.inf).argmax())
            part_of[row], room[part] = part, room[part] - 1
            lacks[part, own] -= one[part, own]
            left[own] -= 1
    return np.argsort(part_of, kind="stable")


def split_by_time(times: Array, validation: float, test: float) -> Parts:
    """Cut rows in the order of their times (rows,): the last are the test part, those before them the validation part.

    The borders are the nearest to the sizes that `split` would give between rows of different times.

    Raises:
        ConfigError: where there are fewer different times than parts.
    """
    sizes = _sizes(len(times), validation, test)
    _, places, counts = np.unique(times, return_inverse=True, return_counts=True)
    _refuse_too_few(len(counts), sizes, "times")
    until = np.cumsum(counts)  # rows up to each time, and with it
    first = _nearest(until, len(times) - sum(sizes), 1, len(counts) - sum(map(bool, sizes)))
    second = _nearest(until, len(times) - sizes[1], first + bool(sizes[0]), len(counts) - bool(sizes[1]))
    second = second if sizes[0] else first
    return Parts(
        *(np.flatnonzero(part) for part in (places < first, (first <= places) & (places < second), places >= second))
    )


def _nearest(until: Array, rows: int, least: int, most: int) -> int:
    """How many times, from `least` to `most`, have the number of rows that is nearest."""
    return least + int(np.abs(until[least - 1 : most] - rows).argmin())


def split_by_group(groups: Array, validation: float, test: float, seed: int) -> Parts:
    """Deal groups of rows out at random, by the seed: each to the part that is owed most rows.

    So no part has more rows than `split` would give it by as much as the largest group.

    Args:
        groups: the number of each row's group, (rows,).
        validation: the part's share of the rows.
        test: the part's share of the rows.
        seed: of the experiment.

    Raises:
        ConfigError: where there are fewer groups than parts.
    """
    sizes = _sizes(len(groups), validation, test)
    counts = np.bincount(groups)
    _refuse_too_few(len(counts), sizes, "groups")
    owed = np.array([len(groups) - sum(sizes), *sizes])
    empty, given = np.array([True, *map(bool, sizes)]), np.zeros(len(counts), int)
    for dealt, group in enumerate(stream(seed, "split").permutation(len(counts))):
        last = len(counts) - dealt <= empty.sum()  # what is left is needed so that no part stays empty
        part = int(np.where(empty, owed, owed.min() - 1).argmax() if last else owed.argmax())
        given[group], empty[part] = part, False
        owed[part] -= counts[group]
    return Parts(*(np.flatnonzero(given[groups] == part) for part in range(3)))


def _refuse_too_few(count: int, sizes: tuple[int, int], what: str) -> None:
    parts = 1 + sum(map(bool, sizes))
    if count < parts:
        raise ConfigError(
            f"data.split.column: holds {count} of the {parts} different {what} that {parts} splits need; name "
            "another, or set data.split.validation or data.split.test to 0"
        )


def _sizes(rows: int, validation: float, test: float) -> tuple[int, int]:
    """The sizes of the two parts by largest remainder among all three."""
    quotas = np.array([1 - validation - test, validation, test]) * rows
    sizes = np.floor(quotas).astype(int)
    by_remainder = np.argsort(sizes - quotas, kind="stable")  # ties: training first
    sizes[by_remainder[: rows - sizes.sum()]] += 1
    return int(sizes[1]), int(sizes[2])


def class_sizes(counts: Array, sizes: tuple[int, int]) -> Array:
    """How many rows of each class go to each part, (parts, classes), adding up to `sizes`.

    Each is the class's proportional share, rounded down or up: up where this part and those before it
    are owed most. A class keeps a row for training as long as others can give.
    """
    rows = counts.sum()
    left = counts.copy()
    taken = np.zeros((len(sizes), len(counts)), int)
    owed = np.zeros(len(counts))
    for part, size in enumerate(sizes):
        quota = counts * (size / rows)  # (classes,)
        taken[part] = np.clip(np.floor(quota).astype(int), 0, np.maximum(left - 1, 0))
        while taken[part].sum() < size:
            spare = left - taken[part]
            wishes = [(spare > 1) & (quota > taken[part]), spare > 1, spare > 0]
            chosen = next(wish for wish in wishes if wish.any())
            taken[part, np.where(chosen, owed + quota - taken[part], -np.inf).argmax()] += 1
        owed += quota - taken[part]
        left -= taken[part]
    return taken
