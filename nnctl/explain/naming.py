"""The textbook's names: i1, h1, o1 for units, net and out for what they compute, w1, w2, ... for weights.

Units of several hidden layers are h1.1, h1.2, ..., h2.1, ...; input columns keep their own names where these can
stand in a formula. The weights of a small network are numbered unit by unit, layer after layer; in a larger one
W2[3,1] leads from unit 3 into unit 1 of the second layer of weights.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.explain.blocks import Quantity
from nnctl.explain.trace import LayerTrace, ParameterTrace

#: A column of this form has its own name in formulas; one that looks like a unit or weight has not.
PLAIN_NAME = re.compile(r"(?![hobwW]\d)[A-Za-z_]\w*")


@dataclass(frozen=True, eq=False)
class Stage:
    """Units, where they come from, and what follows and changes them one by one.

    They are inputs, or the features that layers which are not written out make of them; the sums of a dense layer,
    or of a join; or the units of other stages, side by side, which go by their own names until something changes them.

    Attributes:
        name: of the input, or of the first layer.
        units: what the units are called.
        number: among the stages that have units of their own, from 1; 0 for inputs and features.
        start: the nets, or the inputs or features, or what the other stages pass on.
        head: the layer that makes the nets of what the other stages pass on.
        sources: these other stages; for all but a join there is one.
        after: the layers that follow and change something.
        weights: the stage that has the weights: this one, but for a layer that is used a second time.
        first_weight: weights in the stages before; None where weights have no numbers.
    """

    name: str
    units: tuple[str, ...]
    number: int
    start: Array
    head: LayerTrace | None = None
    sources: "tuple[Stage, ...]" = ()
    after: tuple[LayerTrace, ...] = ()
    weights: "Stage | None" = None
    first_weight: int | None = None

    @property
    def passes_on(self) -> bool:
        """Whether its units are those of other stages until something changes them."""
        return self.head is None and bool(self.sources)

    @property
    def gives(self) -> str:
        """What the nets are to what the other stages pass on."""
        return "same" if self.head is None else self.head.layer.gives

    def source(self, i: int) -> "tuple[Stage, int]":
        """The stage that unit i of what comes in is of, and its number there."""
        ends = list(accumulate(len(source.units) for source in self.sources))
        at = next(n for n, end in enumerate(ends) if i < end)
        return self.sources[at], i - (ends[at - 1] if at else 0)

    def coming_in(self, i: int) -> Quantity:
        """Unit i of what comes in."""
        source, j = self.source(i)
        return source.out(j)

    @property
    def coming(self) -> tuple[str, ...]:
        """What comes in is called."""
        return tuple(unit for source in self.sources for unit in source.units)

    def symbol(self, unit: int, layers: int) -> str:
        """What unit `unit` is called after `layers` of the layers in `after`."""
        name = self.units[unit]
        if layers == 0:
            return self.coming_in(unit).symbol if self.passes_on else f"net_{name}" if self.head else name
        if layers == len(self.after):
            return f"out_{name}"
        return f"{self.after[layers - 1].name}_{name}"

    def value(self, unit: int, layers: int) -> Quantity:
        """The same with its number."""
        return Quantity(self.symbol(unit, layers), float(self.values(layers)[unit]))

    def out(self, unit: int) -> Quantity:
        """What a unit passes on."""
        return self.value(unit, len(self.after))

    def slope(self, unit: int, layers: int) -> Quantity:
        """The derivative of the error with respect to it."""
        slopes = self.after[layers - 1].dy if layers else self._head.dy
        return Quantity(f"dE/d{self.symbol(unit, layers)}", float(slopes[unit]))

    def values(self, layers: int) -> Array:
        """The numbers of all units after `layers` of the layers in `after`."""
        return self.after[layers - 1].y if layers else self.start

    @property
    def weight(self) -> ParameterTrace:
        """The dense layer's weights (inputs, units)."""
        return self._head.parameters["weight"]

    @property
    def bias(self) -> ParameterTrace | None:
        """The dense layer's biases (units,)."""
        return self._head.parameters.get("bias")

    @property
    def shared_bias(self) -> bool:
        """Whether the units have one fixed bias in common, as the textbook's have."""
        return self.bias is not None and self.bias.gradient is None and len(np.unique(self.bias.before)) == 1

    def weight_symbol(self, i: int, j: int) -> str:
        """The weight from unit i of what comes in into unit j."""
        if self.weights is not None:
            return self.weights.weight_symbol(i, j)
        if self.first_weight is None:
            return f"W{self.number}[{i + 1},{j + 1}]"
        return f"w{self.first_weight + j * len(self.weight.before) + i + 1}"

    def bias_symbol(self, j: int) -> str:
        """The bias of unit j."""
        if self.weights is not None:
            return self.weights.bias_symbol(j)
        return f"b{self.number}" if self.shared_bias else f"b_{self.units[j]}"

    @property
    def _head(self) -> LayerTrace:
        if self.head is None:
            raise TypeError(f"{self.name} has no layer that makes its units")
        return self.head


def input_names(count: int, columns: Sequence[str] | None) -> tuple[str, ...]:
    """The columns' names where all can stand in a formula, else i1, i2, ..."""
    fit = columns is not None and len(columns) == count == len(set(columns))
    if columns is not None and fit and all(PLAIN_NAME.fullmatch(name) for name in columns):
        return tuple(columns)
    return tuple(f"i{i + 1}" for i in range(count))
