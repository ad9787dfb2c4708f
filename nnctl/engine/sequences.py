"""Sequences of different lengths, without padding.

The steps of all sequences of a batch lie one after another, (steps, ...), and their lengths travel with them.
What is done to each step by itself (a dense layer, an activation, a normalisation of its units) takes the steps
for a batch; what looks along time asks for the lengths. There is no padding, so none can change a result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from nnctl.engine.parameters import Array


@dataclass(frozen=True)
class Sequences:
    """The sequences of a batch.

    Attributes:
        values: their steps, one sequence after another, (steps, ...).
        lengths: the number of steps of each, (batch,); they add up to `steps`. A sequence may have none.
    """

    values: Array
    lengths: Array

    @classmethod
    def of(cls, sequences: Sequence[Array]) -> Self:
        """From one array (length, ...) a sequence."""
        return cls(np.concatenate(sequences), np.array([len(s) for s in sequences], np.int64))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, rows: slice | Array) -> "Sequences":
        """Some of the sequences."""
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        if isinstance(rows, slice) and rows.step in (None, 1):
            first, last, _ = rows.indices(len(self))
            return Sequences(self.values[starts[first] : starts[max(first, last)]], self.lengths[rows])
        chosen = np.arange(len(self))[rows]
        lengths = self.lengths[chosen]
        return Sequences(self.values[steps_of(starts[chosen], lengths)], lengths)


def steps_of(starts: Array, lengths: Array) -> Array:
    """The places of all steps of sequences that start somewhere and have lengths, one after another."""
    begin = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64), lengths)
    return np.asarray(begin + np.arange(lengths.sum()))


def segments(values: Array, lengths: Array) -> Array:
    """The sum of each sequence's steps, (batch, ...); 0 for a sequence without steps.

    Each sequence is added up by itself, in the order of its steps, so that no other one changes its bits.
    """
    out = np.zeros((len(lengths), *values.shape[1:]), values.dtype)
    start = 0
    for i, length in enumerate(lengths):
        if length:
            np.add.reduce(values[start : start + length], axis=0, out=out[i])
        start += length
    return out
