"""The backward pass, by the chain rule: every slope is written out as the product it is."""

from collections.abc import Iterator

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
from nnctl.explain.drawing import Drawing
from nnctl.explain.formulas import constants
from nnctl.explain.naming import Stage
from nnctl.explain.outputs import Outputs


def backward(drawing: Drawing, outputs: list[Outputs]) -> Iterator[Block]:
    """The slopes of the error, from the outputs back to the first weights."""
    yield Heading("Backward pass")
    yield Paragraph(
        "The slope of the error with respect to a weight is the product of the slopes on the way from one to the "
        "other (the chain rule). dnet/dw is what the weight multiplies. No weight changes before all slopes are known."
    )
    if not drawing.is_chain:
        yield Paragraph("Where a unit is read in several places, its slope is the sum of what comes back from each.")
    for stage in reversed(drawing.computed):
        if stage.number == 0:  # units of others side by side
            continue
        for j in first(len(stage.units)):
            lines = [*_at_end(drawing, outputs, stage, j), *_through(stage, j)]
            if stage.gives == "sums" and stage.weights is None:
                lines += _of_weights(drawing, stage, j)
            yield Equations(tuple(lines))


def _at_end(drawing: Drawing, outputs: list[Outputs], stage: Stage, i: int) -> Iterator[Equation]:
    """The slope of what a unit passes on: its own error's, and its share in the error through every unit it feeds."""
    read, shares = list(_read(drawing, outputs, stage, i)), list(_shares(drawing, stage, i))
    slope = stage.slope(i, len(stage.after))
    if len(read) == 1 and not shares:
        ((output, k),) = read
        sides = (f"{output.share}({side})" if output.share else side for side in output.slope_sides(k))
        yield equation(slope.symbol, slope.value, *sides)
        return
    for output, k in read:
        own = output.slope(k)
        yield equation(own.symbol, own.value, *output.slope_sides(k))
        shares.append((Quantity(number(output.weight), output.weight), own) if output.share else (own,))
    yield equation(slope.symbol, slope.value, *(total(shares) if shares else ()))


def _readers(drawing: Drawing, stage: Stage, i: int) -> Iterator[tuple[Stage, int, int]]:
    """The stages that read unit i of a stage, which of their sources it is, and its number among all that comes in."""
    for reader in drawing.computed:
        start = 0
        for b, source in enumerate(reader.sources):
            if source is stage:
                yield reader, b, start + i
            start += len(source.units)


def _read(drawing: Drawing, outputs: list[Outputs], stage: Stage, i: int) -> Iterator[tuple[Outputs, int]]:
    """The outputs that unit i of a stage is, alone or side by side with others, and its number there."""
    for output in outputs:
        if output.stage is stage and output.target is not None:
            yield output, i
    for reader, _, at in _readers(drawing, stage, i):
        if reader.number == 0:
            yield from _read(drawing, outputs, reader, at)


def _shares(drawing: Drawing, stage: Stage, i: int) -> Iterator[tuple[Quantity, ...]]:
    """What comes back to unit i of a stage from each unit that reads it, as products."""
    for reader, b, at in _readers(drawing, stage, i):
        if reader.gives == "sums":
            for k in range(len(reader.units)):
                yield reader.slope(k, 0), Quantity(reader.weight_symbol(at, k), float(reader.weight.before[at, k]))
        elif reader.gives == "added":
            yield (reader.slope(i, 0),)
        elif reader.gives == "multiplied":
            yield reader.slope(i, 0), *(other.out(i) for c, other in enumerate(reader.sources) if c != b)
        elif reader.number == 0:  # side by side with others, under its own name
            yield from _shares(drawing, reader, at)
        else:
            yield _through_first(reader, at)


def _through_first(reader: Stage, at: int) -> tuple[Quantity, ...]:
    """What comes back through the first layer of a stage that changes units of others."""
    local = _local_slope(reader, at, 0)
    if local is not None:
        return reader.slope(at, 1), local[0]
    share = reader.after[0].dx[0]
    symbol = f"dE/d{reader.symbol(at, 0)} through {reader.after[0].name}"
    return (Quantity(symbol, 0.0 if share is None else float(share[at])),)


def _through(stage: Stage, j: int) -> Iterator[Equation]:
    """From the slope behind the layers that follow the net input to that of the net input itself."""
    for k in reversed(range(len(stage.after))):
        outer, local = stage.slope(j, k + 1), _local_slope(stage, j, k)
        if local is not None:
            quantity, sides = local
            yield equation(quantity.symbol, quantity.value, *sides)
        if k == 0 and stage.passes_on:
            return  # the slope of another stage's unit, which has its share
        slope = stage.slope(j, k)
        if local is None:
            yield equation(slope.symbol, slope.value, f"{stage.after[k].layer.kind} backward")
        else:
            yield equation(slope.symbol, slope.value, *product((outer, local[0]), " * "))


def _local_slope(stage: Stage, j: int, k: int) -> tuple[Quantity, tuple[str, str]] | None:
    """The derivative of a unit's activation, and its formula; None where it is not one unit's own."""
    layer = stage.after[k]
    formula = layer.layer.formula
    if formula is None:
        return None
    x, y = stage.value(j, k), stage.value(j, k + 1)
    slope = Quantity(f"d{y.symbol}/d{x.symbol}", float(derivative(layer.layer, layer.x[0])[j]))
    return slope, filled(formula.slope, {"x": x, "y": y, **constants(formula.settings)})


def derivative(layer: Layer, x: Array) -> Array:
    """The slopes of a layer that takes each unit for itself, from its own backward."""
    slot = Slot(x.dtype)
    layer.forward({}, x[None], slot)
    slopes: Array = layer.backward({}, {}, np.ones_like(x[None]), slot)[0]
    return slopes


def _of_weights(drawing: Drawing, stage: Stage, j: int) -> Iterator[Equation]:
    """The slopes of a unit's weights and of its bias: of a layer that is used twice, the sum over both places."""
    places = [stage, *(other for other in drawing.stages if other.weights is stage)]
    if stage.weight.gradient is not None:
        for i in first(len(stage.coming)):
            value = float(stage.weight.gradient[i, j])
            yield equation(f"dE/d{stage.weight_symbol(i, j)}", value, *_weight_sides(places, i, j))
    if stage.bias is not None and stage.bias.gradient is not None:
        sides = total([(place.slope(j, 0),) for place in places])
        yield equation(f"dE/d{stage.bias_symbol(j)}", float(stage.bias.gradient[j]), *sides)


def _weight_sides(places: list[Stage], i: int, j: int) -> tuple[str, str]:
    """The chain rule for one weight, with symbols and with numbers."""
    stage, *others = places
    chain: tuple[Quantity, ...] = (stage.slope(j, 0),)
    if len(stage.after) == 1 and not others and (local := _local_slope(stage, j, 0)):
        chain = (stage.slope(j, 1), local[0])
    terms = [(*chain, _by_weight(stage, i, j)), *((place.slope(j, 0), _by_weight(place, i, j)) for place in others)]
    return total(terms) if others else product(terms[0], " * ")


def _by_weight(stage: Stage, i: int, j: int) -> Quantity:
    """The derivative of a net with respect to a weight: what the weight multiplies."""
    return Quantity(f"d{stage.value(j, 0).symbol}/d{stage.weight_symbol(i, j)}", stage.coming_in(i).value)
