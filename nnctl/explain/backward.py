"""The backward pass, by the chain rule: every slope is written out as the product it is."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.explain.blocks import (
    Block,
    Equation,
    Equations,
    Heading,
    Paragraph,
    Quantity,
    equation,
    filled,
    first,
    number,
    product,
    total,
)
from nnctl.explain.formulas import constants
from nnctl.explain.naming import Stage
from nnctl.explain.outputs import Outputs


def backward(network: list[Stage], result: Outputs) -> Iterator[Block]:
    """The slopes of the error, from the outputs back to the first weights."""
    yield Heading("Backward pass")
    yield Paragraph(
        "The slope of the error with respect to a weight is the product of the slopes on the way from one to the "
        "other (the chain rule). dnet/dw is what the weight multiplies. No weight changes before all slopes are known."
    )
    for before, stage in reversed(list(pairwise(network))):
        following = None if stage is network[-1] else network[stage.number + 1]
        for j in first(len(stage.units)):
            top = result.slope(j) if following is None else _from_following(stage, following, j)
            lines = [top, *_through(stage, j)]
            if stage.weight.gradient is not None:
                lines += [_weight_slope(before, stage, i, j) for i in first(len(before.units))]
            if stage.bias is not None and stage.bias.gradient is not None:
                lines.append(_bias_slope(stage, j))
            yield Equations(tuple(lines))


def _from_following(stage: Stage, following: Stage, i: int) -> Equation:
    """A hidden unit's share in the error: through every unit it feeds."""
    slope = stage.slope(i, len(stage.after))
    terms = [
        (following.slope(k, 0), Quantity(following.weight_symbol(i, k), float(following.weight.before[i, k])))
        for k in range(len(following.units))
    ]
    return equation(slope.symbol, slope.value, *total(terms))


def _through(stage: Stage, j: int) -> Iterator[Equation]:
    """From the slope behind the layers that follow the net input to that of the net input itself."""
    for k in reversed(range(len(stage.after))):
        slope, outer = stage.slope(j, k), stage.slope(j, k + 1)
        local = _local_slope(stage, j, k)
        if local is None:
            yield equation(slope.symbol, slope.value, f"{stage.after[k].layer.kind} backward")
            continue
        quantity, sides = local
        yield equation(quantity.symbol, quantity.value, *sides)
        yield equation(slope.symbol, slope.value, *product((outer, quantity), " * "))


def _local_slope(stage: Stage, j: int, k: int) -> tuple[Quantity, tuple[str, str]] | None:
    """The derivative of a unit's activation, and its formula; None where it is not one unit's own."""
    layer = stage.after[k]
    formula = layer.layer.formula
    if formula is None:
        return None
    x, y = stage.value(j, k), stage.value(j, k + 1)
    slope = Quantity(f"d{y.symbol}/d{x.symbol}", float(derivative(layer.layer, layer.x)[j]))
    return slope, filled(formula.slope, {"x": x, "y": y, **constants(formula.settings)})


def derivative(layer: Layer, x: Array) -> Array:
    """The slopes of a layer that takes each unit for itself, from its own backward."""
    slot = Slot(x.dtype)
    layer.forward({}, x[None], slot)
    slopes: Array = layer.backward({}, {}, np.ones_like(x[None]), slot)[0]
    return slopes


def _weight_slope(before: Stage, stage: Stage, i: int, j: int) -> Equation:
    """The chain rule for one weight."""
    symbol, net = stage.weight_symbol(i, j), stage.value(j, 0)
    chain = [stage.slope(j, 0)]
    if len(stage.after) == 1 and (local := _local_slope(stage, j, 0)):
        chain = [stage.slope(j, 1), local[0]]
    chain.append(Quantity(f"d{net.symbol}/d{symbol}", before.out(i).value))
    if stage.weight.gradient is None:
        raise TypeError(f"{symbol} is not trained")
    return equation(f"dE/d{symbol}", float(stage.weight.gradient[i, j]), *product(chain, " * "))


def _bias_slope(stage: Stage, j: int) -> Equation:
    if stage.bias is None or stage.bias.gradient is None:
        raise TypeError("the bias is not trained")
    slope = stage.slope(j, 0)
    return equation(f"dE/d{stage.bias_symbol(j)}", float(stage.bias.gradient[j]), slope.symbol, number(slope.value))
