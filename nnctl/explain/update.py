"""The step the optimizer takes, and how the error goes on from there."""

from collections.abc import Iterator

import numpy as np

from nnctl.explain.blocks import (
    Block,
    Equation,
    Equations,
    Heading,
    Paragraph,
    Table,
    equation,
    factor,
    first,
    number,
)
from nnctl.explain.drawing import Drawing
from nnctl.explain.naming import Stage
from nnctl.explain.outputs import Outputs
from nnctl.explain.trace import ParameterTrace, Rules, Trace

Entry = tuple[str, ParameterTrace, tuple[int, ...]]


def update(trace: Trace, drawing: Drawing) -> Iterator[Block]:
    """The new weights."""
    yield Heading("Update")
    yield Paragraph(_rule(trace.rules))
    for stage in drawing.dense:
        shown = _entries(stage, first(len(stage.coming)), first(len(stage.units)))
        lines = [line for entry in shown if entry[1].direction is not None for line in _moved(trace.rules, *entry)]
        if lines:
            yield Equations(tuple(lines))
    if drawing.tiny:
        entries = (e for s in drawing.dense for e in _entries(s, range(len(s.coming)), range(len(s.units))))
        yield Table(("weight", "before", "dE/dw", "after"), tuple(_row(*entry) for entry in entries))
    tensors = [
        (f"{layer.name}.{name}", parameter)
        for layer in trace.layers
        for name, parameter in layer.parameters.items()
        if layer.owner == layer.name and not (drawing.tiny and any(layer is stage.head for stage in drawing.dense))
    ]
    if tensors:
        yield Table(("parameters", "shape", "norm of dE/dw", "norm of step"), tuple(_sizes(*t) for t in tensors))


def curve(trace: Trace, outputs: list[Outputs]) -> Iterator[Block]:
    """The error before the first step and after the milestones, and what the outputs mean then."""
    yield Heading("The same example, again and again")
    if len(outputs) == 1:
        symbols, rows = _predicted(trace, outputs[0])
        errors = (number(point.error) for point in trace.curve)
        yield Table(("steps", "E", *symbols), tuple((step, e, *v) for e, (step, *v) in zip(errors, rows, strict=True)))
        return
    lines = [(str(p.step), number(p.error), *(number(p.errors[o.name]) for o in outputs)) for p in trace.curve]
    yield Table(("steps", "E", *(output.error for output in outputs)), tuple(lines))
    for output in outputs:
        symbols, rows = _predicted(trace, output)
        yield Table(("steps", *symbols), tuple(rows))


def _predicted(trace: Trace, output: Outputs) -> tuple[list[str], list[tuple[str, ...]]]:
    """The symbols of what an output means, and the step and their values at each point of the curve."""
    shown = first(len(output))
    means = [(str(point.step), point.predictions[output.name].reshape(-1)) for point in trace.curve]
    return [output.meaning(i) for i in shown], [(step, *(number(float(v[i])) for i in shown)) for step, v in means]


def _formula(rules: Rules) -> str | None:
    """The optimizer's rule on paper, where nothing happens to the weights after it."""
    return rules.optimizer.formula if rules.penalty.max_norm is None else None


def _rule(rules: Rules) -> str:
    if _formula(rules):
        text = "Every weight takes a step against its slope; the learning rate says how long."
    else:
        text = f"How long each weight's step is follows from its slope by the rule of {rules.optimizer.type}."
    if rules.penalty.terms:
        text += " The penalty on weights adds its own slope."
    if any(limit is not None for limit in (rules.clip_norm, rules.clip_norm_each, rules.clip_value)):
        text += " The gradient is clipped."
    return text


def _moved(rules: Rules, symbol: str, parameter: ParameterTrace, at: tuple[int, ...]) -> Iterator[Equation]:
    """One weight's step."""
    if parameter.gradient is None or parameter.direction is None:
        raise TypeError(f"{symbol} is not trained")
    slope, old, new = float(parameter.direction[at]), float(parameter.before[at]), float(parameter.after[at])
    slope_symbol = f"dE/d{symbol}"
    if not np.array_equal(parameter.gradient, parameter.direction):
        yield equation(f"g_{symbol}", slope, f"{slope_symbol}, with penalty and clipping")
        slope_symbol = f"g_{symbol}"
    formula = _formula(rules)
    if formula is not None:
        scale = "" if parameter.scale == 1 else f"{number(parameter.scale)}*"
        symbols = formula.format(w=symbol, g=slope_symbol, rate=f"{scale}learning_rate")
        sides = symbols, formula.format(w=number(old), g=factor(slope), rate=scale + number(rules.rate(0)))
    else:
        sides = f"{symbol} + step", f"{number(old)} + {factor(new - old)}"
    yield equation(f"{symbol}+", new, *sides)


def _entries(stage: Stage, sources: range, units: range) -> Iterator[Entry]:
    """Weights unit by unit, each unit's bias after them; a shared bias once, at the end."""
    for j in units:
        for i in sources:
            yield stage.weight_symbol(i, j), stage.weight, (i, j)
        if stage.bias is not None and not stage.shared_bias:
            yield stage.bias_symbol(j), stage.bias, (j,)
    if stage.bias is not None and stage.shared_bias:
        yield stage.bias_symbol(0), stage.bias, (0,)


def _row(symbol: str, parameter: ParameterTrace, at: tuple[int, ...]) -> tuple[str, ...]:
    before, after = number(float(parameter.before[at])), number(float(parameter.after[at]))
    slope = "not trained" if parameter.gradient is None else number(float(parameter.gradient[at]))
    return symbol, before, slope, after


def _sizes(name: str, parameter: ParameterTrace) -> tuple[str, ...]:
    shape = " x ".join(map(str, parameter.before.shape))
    if parameter.gradient is None:
        return name, shape, "not trained", "0"
    step = parameter.after - parameter.before
    return name, shape, number(float(np.linalg.norm(parameter.gradient))), number(float(np.linalg.norm(step)))
