"""The worked example as a document: the network, the forward pass, the error, and then `backward`."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from nnctl.explain.backward import backward
from nnctl.explain.blocks import (
    FEW,
    SHOWN,
    Block,
    Equation,
    Equations,
    Heading,
    Paragraph,
    Quantity,
    Table,
    equation,
    filled,
    first,
    number,
    total,
)
from nnctl.explain.formulas import constants, options
from nnctl.explain.naming import Stage, stages, unwritten
from nnctl.explain.outputs import Outputs
from nnctl.explain.trace import LayerTrace, Trace
from nnctl.explain.update import curve, update


def document(trace: Trace, inputs: Sequence[str] | None = None, outputs: Sequence[str] | None = None) -> list[Block]:
    """Everything there is to say about a trace; `inputs` and `outputs` are what the data calls them."""
    network = stages(trace, inputs)
    result = Outputs(trace, network[-1])
    return [
        *_start(trace, network, inputs, outputs),
        *_forward(network),
        *_error(trace, result),
        *backward(network, result),
        *update(trace, network),
        *curve(trace, result),
    ]


def _start(
    trace: Trace, network: list[Stage], inputs: Sequence[str] | None, outputs: Sequence[str] | None
) -> Iterator[Block]:
    yield Heading("The network")
    yield Paragraph(" ".join(_description(trace, network)))
    before = ", ".join(layer.name for layer in unwritten(trace))
    if before:
        yield Paragraph(
            f"The features f1, f2, ... are the {len(trace.x)} inputs after {before}, "
            "as in evaluation. These layers are not written out; `--json` has all their numbers."
        )
    else:
        yield from _legend(network[0].units, inputs, "Inputs")
    yield from _legend(network[-1].units, outputs, "Outputs")
    for remark, layers in _remarks(trace).items():
        yield Paragraph(f"{', '.join(layers)}: {remark}")
    starts = [equation(unit, float(x)) for unit, x in zip(network[0].units, network[0].start, strict=True)]
    targets = [equation(f"target_{unit}", float(t)) for unit, t in zip(network[-1].units, trace.target, strict=True)]
    yield Equations((*cut(starts), *cut(targets)))
    if network[-1].first_weight is not None:
        yield Table(("weight", "from", "to", "value"), tuple(_weights(network)))


def _description(trace: Trace, network: list[Stage]) -> Iterator[str]:
    parts, start = [], "feature" if unwritten(trace) else "input"
    for stage in network:
        kind = start if stage.number == 0 else "output" if stage is network[-1] else "hidden unit"
        functions = [layer.layer.kind for layer in stage.after]
        count = f"{len(stage.units)} {kind}{'' if len(stage.units) == 1 else 's'}"
        parts.append(count + (f" ({', '.join(functions)})" if functions else ""))
    yield ", ".join(parts) + "."
    yield f"Loss: {trace.loss.type}{options(trace.loss)}."
    optimizer = trace.rules.optimizer
    rate = number(trace.rules.rate(0))
    yield f"Optimizer: {optimizer.type}, learning rate {rate}{options(optimizer, 'learning_rate')}."
    yield "Inputs and targets stand as the network gets them, after preprocessing."
    yield "All numbers are what the engine computes, in float64, shown rounded."
    if max(len(stage.units) for stage in network) > FEW:
        yield f"Of more than {FEW} units, or terms of a sum, the first {SHOWN} are shown."


NOT_EXPANDED = "what goes in and comes out is shown, not the steps between"


def _remarks(trace: Trace) -> dict[str, list[str]]:
    """The names of the layers each remark is about, among those that are written out."""
    found: dict[str, list[str]] = {}
    for layer in trace.layers[len(unwritten(trace)) :]:
        expanded = layer.layer.gives in ("same", "sums") or layer.layer.formula is not None
        remarks = [remark for remark in (layer.layer.in_evaluation, None if expanded else NOT_EXPANDED) if remark]
        if remarks:
            found.setdefault(f"{'; '.join(remarks)}.", []).append(layer.name)
    return found


def _legend(units: Sequence[str], names: Sequence[str] | None, what: str) -> Iterator[Block]:
    if names is None or len(names) != len(units) or tuple(names) == tuple(units):
        return
    shown = [f"{units[i]} is {names[i]}" for i in first(len(units))]
    yield Paragraph(f"{what}: {', '.join(shown)}{', ...' if len(shown) < len(units) else ''}.")


def _weights(network: list[Stage]) -> Iterator[tuple[str, ...]]:
    for before, stage in pairwise(network):
        for j, unit in enumerate(stage.units):
            for i, source in enumerate(before.units):
                yield stage.weight_symbol(i, j), source, unit, number(stage.weight.before[i, j])
        if stage.shared_bias and stage.bias is not None:
            yield stage.bias_symbol(0), "1", ", ".join(stage.units), number(stage.bias.before[0])
        elif stage.bias is not None:
            for j, unit in enumerate(stage.units):
                yield stage.bias_symbol(j), "1", unit, number(stage.bias.before[j])


def cut(equations: Sequence[Equation]) -> Sequence[Equation]:
    """The first equations where there are many."""
    return [equations[i] for i in first(len(equations))]


def _forward(network: list[Stage]) -> Iterator[Block]:
    yield Heading("Forward pass")
    for before, stage in zip([None, *network], network, strict=False):
        for unit in first(len(stage.units)):
            lines = [_net(before, stage, unit)] if before else []
            lines += [_after(stage, unit, k) for k in range(len(stage.after))]
            if lines:
                yield Equations(tuple(lines))


def _net(before: Stage, stage: Stage, j: int) -> Equation:
    """A unit's net input: the weighted sum of what comes in."""
    terms = [
        (Quantity(stage.weight_symbol(i, j), float(stage.weight.before[i, j])), before.out(i))
        for i in range(len(before.units))
    ]
    bias = [] if stage.bias is None else [Quantity(stage.bias_symbol(j), float(stage.bias.before[j]))]
    net = stage.value(j, 0)
    return equation(net.symbol, net.value, *total(terms, bias))


def _after(stage: Stage, unit: int, k: int) -> Equation:
    """What one of the layers after the net input makes of a unit."""
    layer, x, y = stage.after[k], stage.value(unit, k), stage.value(unit, k + 1)
    return equation(y.symbol, y.value, *_applied(layer, x, y))


def _applied(layer: LayerTrace, x: Quantity, y: Quantity) -> tuple[str, ...]:
    formula = layer.layer.formula
    if formula is not None:
        return filled(formula.value, {"x": x, "y": y, **constants(formula.settings)})
    return (f"{layer.layer.kind}({x.symbol})",)


def _error(trace: Trace, result: Outputs) -> Iterator[Block]:
    yield Heading("The error")
    formula = result.formula
    lines = list(result.probabilities())
    if trace.terms is not None:
        errors = [Quantity(f"E_{unit}", float(e)) for unit, e in zip(result.stage.units, trace.terms, strict=True)]
        for i in first(len(errors)):
            sides = result.filled(formula.term, i) if formula.term else (result.by_name(i),)
            lines.append(equation(errors[i].symbol, errors[i].value, *sides))
        sides = total([(e,) for e in errors]) if len(errors) > 1 else (errors[0].symbol,)
    elif formula.total is not None:
        sides = result.filled(formula.total, int(trace.target.argmax()))
    else:
        sides = (f"{trace.loss.type}(outputs, targets)",)
    yield Equations((*lines, equation("E", trace.curve[0].error, *sides)))
