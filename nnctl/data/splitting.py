"""Cutting rows into training, validation and test parts."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from nnctl.errors import DataError


@dataclass(frozen=True)
class Parts:
    """The rows of each part, in the order of the file."""

    train: Array
    validation: Array
    test: Array


def split(rows: int, validation: float, test: float, seed: int, classes: Array | None = None) -> Parts:
    """Deal rows out at random, by the seed.

    The sizes are the shares rounded by largest remainder. With `classes` (rows,), the number of each
    row's class, every part gets the classes in proportion, each to within one row.

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
    labels = np.zeros(rows, int) if classes is None else classes
    counts = np.bincount(labels)
    quotas = class_sizes(counts, sizes)  # (parts, classes)
    order = stream(seed, "split").permutation(rows)
    by_class = order[np.argsort(labels[order], kind="stable")]
    parts: list[list[Array]] = [[], [], []]
    start = 0
    for c, count in enumerate(counts):
        edges = [0, *np.cumsum(quotas[:, c]), count]
        for part, (a, b) in enumerate(pairwise(edges)):
            parts[part].append(by_class[start + a : start + b])
        start += count
    held_out, tested, trained = (np.sort(np.concatenate(part)) for part in parts)
    return Parts(trained, held_out, tested)


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
