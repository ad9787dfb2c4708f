"""The textbook's names: i1, h1, o1 for units, net and out for what they compute, w1, w2, ... for weights.

Units of several hidden layers are h1.1, h1.2, ..., h2.1, ...; input columns keep their own names where these can
stand in a formula. The weights of a small network are numbered unit by unit, layer after layer; in a larger one
W2[3,1] leads from unit 3 into unit 1 of the second layer of weights.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.explain.blocks import Quantity
from nnctl.explain.trace import LayerTrace, ParameterTrace, Trace

#: Up to so many weights have a number each.
TINY = 20
#: A column of this form has its own name in formulas; one that looks like a unit or weight has not.
PLAIN_NAME = re.compile(r"(?![hobwW]\d)[A-Za-z_]\w*")


@dataclass(frozen=True)
class Stage:
    """A dense layer and what follows it up to the next; the first stage has no dense layer.

    It is the inputs, or else the features f1, f2, ... that layers which are not written out make of them.

    Attributes:
        units: what the units are called.
        number: of the dense layer, from 1; 0 for the first stage.
        start: the nets of the dense layer, or the inputs or features.
        dense: the dense layer.
        after: the layers that follow it and change something.
        first_weight: weights in the stages before; None where weights have no numbers.
    """

    units: tuple[str, ...]
    number: int
    start: Array
    dense: LayerTrace | None
    after: tuple[LayerTrace, ...]
    first_weight: int | None

    def symbol(self, unit: int, layers: int) -> str:
        """What unit `unit` is called after `layers` of the layers in `after`."""
        name = self.units[unit]
        if layers == 0:
            return f"net_{name}" if self.dense else name
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
        slopes = self.after[layers - 1].dy if layers else self._dense.dy
        return Quantity(f"dE/d{self.symbol(unit, layers)}", float(slopes[unit]))

    def values(self, layers: int) -> Array:
        """The numbers of all units after `layers` of the layers in `after`."""
        return self.after[layers - 1].y if layers else self.start

    @property
    def weight(self) -> ParameterTrace:
        """The dense layer's weights (inputs, units)."""
        return self._dense.parameters["weight"]

    @property
    def bias(self) -> ParameterTrace | None:
        """The dense layer's biases (units,)."""
        return self._dense.parameters.get("bias")

    @property
    def shared_bias(self) -> bool:
        """Whether the units have one fixed bias in common, as the textbook's have."""
        return self.bias is not None and self.bias.gradient is None and len(np.unique(self.bias.before)) == 1

    def weight_symbol(self, i: int, j: int) -> str:
        """The weight from unit i of the stage before into unit j."""
        if self.first_weight is None:
            return f"W{self.number}[{i + 1},{j + 1}]"
        return f"w{self.first_weight + j * len(self.weight.before) + i + 1}"

    def bias_symbol(self, j: int) -> str:
        """The bias of unit j."""
        return f"b{self.number}" if self.shared_bias else f"b_{self.units[j]}"

    @property
    def _dense(self) -> LayerTrace:
        if self.dense is None:
            raise TypeError("the inputs have no weights")
        return self.dense


def unwritten(trace: Trace) -> list[LayerTrace]:
    """The layers up to the last one that gives other units than it takes, and is no dense layer: convolution, pooling.

    Formulas begin with what they make of the inputs.
    """
    last = 0
    for position, layer in enumerate(trace.layers, start=1):
        gives = layer.layer.gives
        if gives == "new" or (gives == "changed" and layer.x.size != layer.y.size):
            last = position
    return trace.layers[:last]


def stages(trace: Trace, columns: Sequence[str] | None = None) -> list[Stage]:
    """The network as the textbook draws it, the inputs first; where layers are `unwritten`, what they make of them.

    Raises:
        ConfigError: where a dense layer takes more than a flat vector, or nothing is left to write out.
    """
    before = unwritten(trace)
    groups: list[list[LayerTrace]] = [[]]
    for layer in trace.layers[len(before) :]:
        if layer.layer.gives == "sums":
            if layer.x.size != len(layer.parameters["weight"].before):
                raise ConfigError(
                    f"model.layers: {layer.name} takes inputs with several axes, position by position, which explain "
                    "does not write out; put `flatten` before it"
                )
            groups.append([layer])
        elif layer.layer.gives != "same":
            groups[-1].append(layer)
    if before and len(groups) == 1:
        raise ConfigError(
            f"model.layers: explain writes out the dense layers behind {before[-1].name}, and there is none; "
            "`--json` gives the numbers of all layers"
        )
    tiny = sum(group[0].parameters["weight"].before.size for group in groups[1:]) <= TINY
    start = before[-1].y if before else trace.x
    units = tuple(f"f{i + 1}" for i in range(len(start))) if before else input_names(len(start), columns)
    found = [Stage(units, 0, start, None, tuple(groups[0]), None)]
    weights = 0
    for number, (dense, *after) in enumerate(groups[1:], start=1):
        names = _unit_names(len(dense.y), number, len(groups) - 1)
        found.append(Stage(names, number, dense.y, dense, tuple(after), weights if tiny else None))
        weights += dense.parameters["weight"].before.size
    return found


def input_names(count: int, columns: Sequence[str] | None) -> tuple[str, ...]:
    """The columns' names where all can stand in a formula, else i1, i2, ..."""
    if columns is not None and len(columns) == count and all(PLAIN_NAME.fullmatch(name) for name in columns):
        return tuple(columns)
    return tuple(f"i{i + 1}" for i in range(count))


def _unit_names(units: int, number: int, last: int) -> tuple[str, ...]:
    if number == last:
        return tuple(f"o{i + 1}" for i in range(units))
    prefix = "h" if last == 2 else f"h{number}."
    return tuple(f"{prefix}{i + 1}" for i in range(units))
