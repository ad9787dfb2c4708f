"""The worked example as a document: the network, the forward pass, the error, and then `backward`."""

from collections.abc import Iterator, Sequence

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
    product,
    total,
)
from nnctl.explain.drawing import Columns, Drawing, drawing
from nnctl.explain.formulas import constants, options
from nnctl.explain.naming import Stage
from nnctl.explain.outputs import Outputs
from nnctl.explain.trace import LayerTrace, OutputTrace, Trace
from nnctl.explain.update import curve, update


def document(trace: Trace, inputs: Columns | None = None, outputs: Columns | None = None) -> list[Block]:
    """Everything there is to say about a trace; `inputs` and `outputs` are what the data calls them, by name."""
    drawn = drawing(trace, inputs)
    results = [Outputs(trace, output, stage) for output, stage in drawn.outputs]
    return [
        *_start(trace, drawn, inputs or {}, outputs or {}),
        *_forward(drawn),
        *_error(trace, results),
        *backward(drawn, results),
        *update(trace, drawn),
        *curve(trace, results),
    ]


def _start(trace: Trace, drawn: Drawing, inputs: Columns, outputs: Columns) -> Iterator[Block]:
    yield Heading("The network")
    yield Paragraph(" ".join(_description(trace, drawn)))
    if not drawn.is_chain:
        yield Table(("units", "layers", "read"), tuple(_structure(drawn)))
    if drawn.unwritten:
        read = [name for name in trace.inputs if any(name in layer.reads for layer in drawn.unwritten)]
        count, whose = sum(len(trace.inputs[name]) for name in read), ""
        if len(trace.inputs) > 1:
            whose = f" of {' and '.join(read)}"
        yield Paragraph(
            f"The features f1, f2, ... are the {count} inputs{whose} after {', '.join(_outer(drawn.unwritten))}, "
            "as in evaluation. These layers are not written out; `--json` has all their numbers."
        )
    for stage in drawn.sources:
        if stage.name in trace.inputs:
            what = "Inputs" if len(trace.inputs) == 1 else f"Inputs of {stage.name}"
            yield from _legend(stage.units, inputs.get(stage.name), what)
    for output, stage in drawn.outputs:
        what = "Outputs" if len(trace.outputs) == 1 else f"Outputs of {output.name}"
        yield from _legend(stage.units, outputs.get(output.name), what)
    for remark, layers in _remarks(trace, drawn).items():
        yield Paragraph(f"{', '.join(layers)}: {remark}")
    starts = [cut([equation(u, float(x)) for u, x in zip(s.units, s.start, strict=True)]) for s in drawn.sources]
    targets = [cut(list(_targets(output, stage))) for output, stage in drawn.outputs]
    yield Equations(tuple(line for part in (*starts, *targets) for line in part))
    if drawn.tiny:
        yield Table(("weight", "from", "to", "value"), tuple(_weights(drawn)))


def _targets(output: OutputTrace, stage: Stage) -> Iterator[Equation]:
    for unit, t in zip(stage.units, () if output.target is None else output.target, strict=output.target is not None):
        yield equation(f"target_{unit}", float(t))


def _description(trace: Trace, drawn: Drawing) -> Iterator[str]:
    parts, ends = [], [stage for _, stage in drawn.outputs]
    for stage in drawn.stages:
        if stage.number == 0 and stage.sources:
            continue
        start = "input" if stage.name in trace.inputs else "feature"
        kind = start if stage.number == 0 else "output" if stage in ends else "hidden unit"
        functions = [layer.layer.kind for layer in stage.after]
        count = f"{len(stage.units)} {kind}{'' if len(stage.units) == 1 else 's'}"
        parts.append(count + (f" ({', '.join(functions)})" if functions else ""))
    yield ", ".join(parts) + "."
    for output in trace.outputs:
        of = f" of {output.name}" if len(trace.outputs) > 1 else ""
        weight = f", which counts {number(output.head.weight)} times" if output.head.weight != 1 else ""
        yield f"Loss{of}: {output.head.loss.type}{options(output.head.loss)}{weight}."
    optimizer = trace.rules.optimizer
    rate = number(trace.rules.rate(0))
    yield f"Optimizer: {optimizer.type}, learning rate {rate}{options(optimizer, 'learning_rate')}."
    yield "Inputs and targets stand as the network gets them, after preprocessing."
    yield "All numbers are what the engine computes, in float64, shown rounded."
    if max(len(stage.units) for stage in drawn.stages) > FEW:
        yield f"Of more than {FEW} units, or terms of a sum, the first {SHOWN} are shown."


def _structure(drawn: Drawing) -> Iterator[tuple[str, ...]]:
    """What reads what, where it is not simply the stage before."""
    for stage in drawn.stages:
        after = [layer.name for layer in stage.after if layer.name != stage.name]
        names = [stage.name, *(name.rpartition(".")[2] for name in after)]
        units = "side by side" if stage.sources and stage.number == 0 else _span(stage)
        yield units, ", ".join(names), "; ".join(map(_span, stage.sources))


def _span(stage: Stage) -> str:
    """The units of a stage, by the first and the last; those of others as these have them."""
    if stage.number == 0 and stage.sources:
        return "; ".join(map(_span, stage.sources))
    return stage.units[0] if len(stage.units) == 1 else f"{stage.units[0]} to {stage.units[-1]}"


def _outer(layers: Sequence[LayerTrace]) -> list[str]:
    """The names of layers; a block's stands for those inside it."""
    names = [layer.name for layer in layers]
    return [name for name in names if not any(name.startswith(f"{block}.") for block in names)]


NOT_EXPANDED = "what goes in and comes out is shown, not the steps between"


def _remarks(trace: Trace, drawn: Drawing) -> dict[str, list[str]]:
    """The names of the layers each remark is about, among those that are written out."""
    layers_of: dict[str, list[str]] = {}
    hidden = {layer.name for layer in drawn.unwritten}
    for layer in (layer for layer in trace.layers if layer.name not in hidden):
        expanded = layer.layer.gives != "changed" or layer.layer.formula is not None
        remarks = [remark for remark in (layer.layer.in_evaluation, None if expanded else NOT_EXPANDED) if remark]
        if remarks:
            layers_of.setdefault(f"{'; '.join(remarks)}.", []).append(layer.name)
    return layers_of


def _legend(units: Sequence[str], names: Sequence[str] | None, what: str) -> Iterator[Block]:
    if names is None or len(names) != len(units) or tuple(names) == tuple(units):
        return
    shown = [f"{units[i]} is {names[i]}" for i in first(len(units))]
    yield Paragraph(f"{what}: {', '.join(shown)}{', ...' if len(shown) < len(units) else ''}.")


def _weights(drawn: Drawing) -> Iterator[tuple[str, ...]]:
    for stage in drawn.dense:
        for j, unit in enumerate(stage.units):
            for i, source in enumerate(stage.coming):
                yield stage.weight_symbol(i, j), source, unit, number(stage.weight.before[i, j])
        if stage.shared_bias and stage.bias is not None:
            yield stage.bias_symbol(0), "1", ", ".join(stage.units), number(stage.bias.before[0])
        elif stage.bias is not None:
            for j, unit in enumerate(stage.units):
                yield stage.bias_symbol(j), "1", unit, number(stage.bias.before[j])


def cut(equations: Sequence[Equation]) -> Sequence[Equation]:
    """The first equations where there are many."""
    return [equations[i] for i in first(len(equations))]


def _forward(drawn: Drawing) -> Iterator[Block]:
    yield Heading("Forward pass")
    for stage in drawn.stages:
        for unit in first(len(stage.units)):
            lines = [_net(stage, unit)] if stage.head else []
            lines += [_after(stage, unit, k) for k in range(len(stage.after))]
            if lines:
                yield Equations(tuple(lines))


def _net(stage: Stage, j: int) -> Equation:
    """A unit's net input: the weighted sum of what comes in, or what a join makes of it."""
    net = stage.value(j, 0)
    if stage.gives != "sums":
        parts = [source.out(j) for source in stage.sources]
        joined = total([(part,) for part in parts]) if stage.gives == "added" else product(parts)
        return equation(net.symbol, net.value, *joined)
    terms = [
        (Quantity(stage.weight_symbol(i, j), float(stage.weight.before[i, j])), stage.coming_in(i))
        for i in range(len(stage.coming))
    ]
    bias = [] if stage.bias is None else [Quantity(stage.bias_symbol(j), float(stage.bias.before[j]))]
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


def _error(trace: Trace, outputs: list[Outputs]) -> Iterator[Block]:
    if len(outputs) == 1:
        yield Heading("The error")
        yield Equations(tuple(outputs[0].errors()))
        return
    known = [output for output in outputs if output.target is not None]
    for output in outputs:
        yield Heading(f"The error of {output.name}")
        if output.target is None:
            yield Paragraph("This example does not say what it should be: it has no part in the error.")
        else:
            yield Equations(tuple(output.errors()))
    yield Heading("The error")
    terms = [(*((Quantity(number(o.weight), o.weight),) if o.share else ()), Quantity(o.error, o.value)) for o in known]
    yield Equations((equation("E", trace.curve[0].error, *(total(terms) if terms else ())),))
