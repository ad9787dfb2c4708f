"""`nnctl explain`: one training step, with every number."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._console import console
from nnctl.errors import ConfigError
from nnctl.files import STDOUT
from nnctl.files import write as write_file

if TYPE_CHECKING:
    from nnctl.explain.blocks import Block
    from nnctl.explain.drawing import Columns
    from nnctl.explain.trace import Trace
    from nnctl.training.job import Job


def explain(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="The experiment file; - for standard input.")],
    example: Annotated[int, typer.Option(min=1, metavar="N", help="The training example, counted from 1.")] = 1,
    steps: Annotated[
        int, typer.Option(min=1, metavar="K", help="Repeat the step; show E after 1, 10, ..., K steps.")
    ] = 1,
    target: Annotated[
        str | None,
        typer.Option(
            "--markdown",
            metavar="FILE",
            help="Write Markdown to a file, or to - for standard output; in a file that exists, between its lines "
            "<!-- explain --> and <!-- /explain -->.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the file; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all numbers of the step as JSON.")] = False,
) -> None:
    """Show every number of one training step.

    As a textbook's worked example: the forward pass, the error, the backward pass by the chain rule and the
    new weights, with symbols, with numbers, and the results. They are the engine's own, in float64.
    """
    if as_json and target is not None:
        raise ConfigError("--json and --markdown are two forms of the same; ask for one of them")
    from nnctl.explain.document import document

    job = load(config, overrides or [])
    trace = traced(job, example, steps)
    if as_json:
        console.json(numbers(trace))
        return
    blocks = document(trace, *names(job))
    if target is None:
        show(blocks)
    else:
        write(blocks, target)


def load(config: str, overrides: list[str]) -> "Job":
    """The job of an experiment, in float64."""
    from nnctl.config.experiment import Experiment
    from nnctl.config.loading import load_experiment
    from nnctl.training.assemble import job_of

    loaded = load_experiment(config, overrides, Experiment)
    return job_of(loaded, "float64")


def traced(job: "Job", example: int, steps: int) -> "Trace":
    """The trace of one of the job's training examples."""
    from math import ceil

    import numpy as np

    from nnctl.explain.trace import Rules, trace
    from nnctl.schedules import Progress

    e, rows = job.experiment, len(job.data.train)
    if example > rows:
        there = "is 1 training example; leave --example out"
        if rows > 1:
            there = f"are {rows} training examples; choose one from 1 to {rows}"
        raise ConfigError(f"--example {example}: there {there}")
    size = rows if e.training.batch_size == "full" else min(e.training.batch_size, rows)

    def rate(step: int) -> float:
        return e.optimizer.learning_rate * e.schedule.scale(Progress(step, ceil(rows / size), e.training.epochs), {})

    clip = e.training.clip_norm, e.training.clip_norm_each, e.training.clip_value
    rules = Rules(e.optimizer, rate, job.penalty(), *clip)
    batch = job.data.train.take(np.array([example - 1]), np.float64)
    theta = job.network.layout.initial(e.seed, dtype=np.float64)
    return trace(job.network, job.heads, theta, rules, batch, steps)


def names(job: "Job") -> tuple["Columns", "Columns"]:
    """What the data calls the units of every input, where they have names, and of every output."""
    inputs = {name: each.names or None for name, each in job.data.inputs.items()}
    # One output tells two classes: it speaks for the second.
    outputs = {name: target.names[-target.outputs(job.heads[name].loss) :] for name, target in job.data.targets.items()}
    return inputs, outputs


def numbers(trace: "Trace") -> dict[str, Any]:
    """The trace as plain data; inputs and outputs by name where there are several."""
    one = len(trace.inputs) == len(trace.outputs) == 1
    layers = [
        {
            "name": layer.name,
            "type": layer.layer.type,
            **({} if one else {"reads": layer.reads}),
            "input": layer.x if layer.layer.joins else layer.x[0],
            "output": layer.y,
            "output_gradient": layer.dy,
            "input_gradient": layer.dx if layer.layer.joins else layer.dx[0],
            "parameters": {
                name: {"before": p.before, "gradient": p.gradient, "direction": p.direction, "after": p.after}
                for name, p in layer.parameters.items()
            },
        }
        for layer in trace.layers
    ]
    start = trace.curve[0]
    if one:
        ((x,), (output,)) = trace.inputs.values(), trace.outputs
        points = [{"step": p.step, "error": p.error, "prediction": p.predictions[output.name]} for p in trace.curve]
        shown = {"input": x, "target": output.target, "output": output.y, "error": start.error, "errors": output.terms}
        return {**shown, "layers": layers, "steps": points}
    outputs = {
        output.name: {
            "reads": output.reads,
            "target": output.target,
            "output": output.y,
            "weight": output.head.weight,
            "error": start.errors[output.name],
            "errors": output.terms,
        }
        for output in trace.outputs
    }
    points = [vars(point) for point in trace.curve]
    return {"inputs": trace.inputs, "outputs": outputs, "error": start.error, "layers": layers, "steps": points}


def show(blocks: "list[Block]") -> None:
    """The explanation on the terminal."""
    from textwrap import fill

    from nnctl.explain.blocks import WIDTH, Equations, Heading, Table

    for block in blocks:
        if isinstance(block, Table):
            console.table(block.columns, block.rows)
            console.result("")
        elif isinstance(block, Equations):
            console.result("\n".join(block.lines()) + "\n")
        elif isinstance(block, Heading):
            console.result(f"{block.text}\n{'-' * len(block.text)}\n")
        else:
            console.result(fill(block.text, WIDTH) + "\n")


def write(blocks: "list[Block]", target: str) -> None:
    """The explanation as Markdown, into a file or to standard output."""
    from nnctl.explain.markdown import inserted, markdown

    text = markdown(blocks)
    if target == STDOUT:
        console.result(text.rstrip("\n"))
        return
    path = Path(target)
    if path.is_file():
        text = inserted(page(path), text, target)
    write_file(path, text.encode())
    console.result(target)


def page(path: Path) -> str:
    """A page that is there, with the ends of its lines as they are.

    Raises:
        ConfigError: where it is no text.
    """
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: found bytes that are not UTF-8 text; save the file as UTF-8") from None
