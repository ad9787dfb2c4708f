"""A batch of examples: named inputs, named targets, and what each example counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnctl.engine.parameters import Array

#: What the one input and the one output are called where the experiment file names none.
INPUT, OUTPUT = "input", "output"


def _no_rows() -> Array:
    return np.empty(0, np.intp)


@dataclass(frozen=True)
class Batch:
    """Some examples as the objective takes them.

    Attributes:
        inputs: by name, an array (batch, ...), `Sequences`, or anything else that has a length and gives
            one of these for a slice of its rows.
        targets: by output, as its loss takes them, (batch, ...).
        weights: by output, what each example counts, (batch,): its sample weight, and 0 where its target
            is not known. None where all are 1.
        rows: which examples of their data set they are, (batch,); empty where nobody asks.
        number: of batches before it since training began, the address of its random numbers.
    """

    inputs: Mapping[str, Any]
    targets: Mapping[str, Array]
    weights: Mapping[str, Array | None]
    rows: Array = field(default_factory=_no_rows)
    number: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def first(self, rows: int) -> "Batch":
        """The first examples, all of them where there are fewer."""
        return Batch(
            {name: x[:rows] for name, x in self.inputs.items()},
            {output: t[:rows] for output, t in self.targets.items()},
            {output: None if w is None else w[:rows] for output, w in self.weights.items()},
            self.rows[:rows],
            self.number,
        )


def single(x: Any, t: Array, w: Array | None = None) -> Batch:
    """The batch of a network with one input and one output."""
    return Batch({INPUT: x}, {OUTPUT: t}, {OUTPUT: w})
