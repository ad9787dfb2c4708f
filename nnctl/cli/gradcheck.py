"""`nnctl gradcheck`: is backpropagation right for this very model?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._console import Cell, console
from nnctl.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    from nnctl.engine.gradcheck import TensorCheck
    from nnctl.engine.parameters import Array
    from nnctl.training.gradients import GradientReport
    from nnctl.training.job import Job

COLUMNS = ("tensor", "error", "at", "analytic", "numeric", "entries", "kinks", "proj.")


def gradcheck(
    target: Annotated[
        str,
        typer.Argument(metavar="CONFIG|RUN", help="An experiment file (- for standard input), or a run's directory."),
    ],
    samples: Annotated[int, typer.Option(min=1, metavar="N", help="Entries to compare in each tensor.")] = 20,
    every: Annotated[bool, typer.Option("--all", help="Compare every entry, whatever --samples says.")] = False,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Training examples to take.")] = 16,
    epsilon: Annotated[float, typer.Option(min=1e-10, max=0.1, help="Step of the difference quotient.")] = 1e-5,
    tolerance: Annotated[float, typer.Option(min=1e-12, max=1.0, help="Largest relative error allowed.")] = 1e-6,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the file; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Compare the gradients of backpropagation with difference quotients, in float64.

    Takes the model as configured, with its loss, penalty and a batch of its data; a run is checked at its
    trained weights. Exits 4 where an error is over the tolerance, naming the tensors, or nothing could be compared.
    """
    from nnctl.engine.gradcheck import Settings
    from nnctl.training.gradients import check_job

    job, theta = opened(target, overrides or [])
    settings = Settings(samples=None if every else samples, epsilon=epsilon, tolerance=tolerance)
    report = check_job(job, theta, batch, settings)
    if as_json:
        console.json(numbers(report))
    else:
        show(report)
    if report.verdict == "failed":
        names = ", ".join(check.name for check in report.failed)
        raise CheckFailed(
            f"the gradient of {names} differs from the difference quotient by more than the tolerance {tolerance:g}"
        )
    if report.verdict == "undecided":
        names = ", ".join(check.name for check in report.undecided)
        raise CheckFailed(f"the gradient of {names} could not be checked; {advice(report)}")


def opened(target: str, overrides: list[str]) -> "tuple[Job, Array | None]":
    """The job of an experiment file, or that of a run with its weights."""
    from nnctl.config.experiment import Experiment
    from nnctl.config.loading import load_experiment
    from nnctl.runs.directory import RunDirectory
    from nnctl.runs.model import load_model
    from nnctl.training.assemble import job_of

    run = RunDirectory.open(Path(target)) if Path(target).is_dir() else None
    loaded = load_experiment(run.config if run else target, overrides, Experiment)
    job = job_of(loaded, "float64")
    if run is None:
        return job, None
    model = load_model(run.model)
    if model.network.layout.slices != job.network.layout.slices:
        raise ConfigError(f"{run.path}: --set changes the shape of the model, so the run's weights do not fit it")
    return job, model.theta


def show(report: "GradientReport") -> None:
    """The table, what is to be said of single tensors, and the verdict."""
    console.table(COLUMNS, [row(check) for check in report.checks])
    console.result("")
    for check in report.checks:
        for note in notes(check):
            console.result(f"{check.name}: {note}")
    if report.aside:
        console.result(
            f"at the first initialisation something lies on a kink, so all was checked beside it: random numbers of "
            f"standard deviation {report.aside:g} were added to the parameters"
        )
    if report.frozen:
        console.result(f"not trained, so not checked: {', '.join(report.frozen)}")
    console.result(verdict(report))


def verdict(report: "GradientReport") -> str:
    """The last line."""
    left = f"; not checked: {', '.join(check.name for check in report.undecided)}" if report.undecided else ""
    worst, tolerance = report.worst, report.settings.tolerance
    return f"{report.verdict}: the largest error is {worst.worst:.1e}, of {worst.name}; tolerance {tolerance:g}{left}"


def advice(report: "GradientReport") -> str:
    """What to do about an undecided check, by what left it undecided."""
    doubtful = report.undecided
    if not all(check.compared for check in doubtful):
        return "all of it lies on a kink: try another init (--set model.init=...), or a trained run"
    if all(check.zero for check in doubtful):
        return "it is 0 for these examples: take more of them (--batch), another --set seed=..., or another init"
    return (
        f"rounding hides it beside a loss of {report.loss:.3g}: scale the inputs and the target (data.preprocess), "
        "check the experiment file instead of a run that has converged, or take a larger --epsilon"
    )


def row(check: "TensorCheck") -> list[Cell]:
    """A line of the table."""
    tried, shape = check.checked + check.kinks, "x".join(map(str, check.shape))
    return [
        check.name,
        f"{check.error:.1e}" if check.index is not None else None,
        ",".join(map(str, check.index)) if check.index is not None else None,
        f"{check.analytic:.2e}" if check.analytic is not None else None,
        f"{check.numeric:.2e}" if check.numeric is not None else None,
        f"{tried} of {shape}" if tried else None,
        check.kinks,
        f"{check.projection_error:.1e}" if check.projection_error is not None else None,
    ]


def notes(check: "TensorCheck") -> list[str]:
    """What the numbers of a tensor do not say by themselves."""
    if not check.compared:
        return ["everything lies on a kink, so nothing could be compared; try another init, or a trained run"]
    remarks = []
    if check.zero:
        remarks.append("its gradient is 0 everywhere: only zeros come in, or what follows is dead or has zero weights")
    elif check.projection_error is not None and not check.resolved:
        remarks.append("rounding hides its derivative along random directions")
    if check.unresolved:
        remarks.append(f"{check.unresolved} of the gradients compared are so small that rounding hides them")
    if check.kinks:
        remarks.append(
            f"{check.kinks} of the entries tried lie on a kink, where there is no derivative to compare with"
        )
    if check.projection_error is None:
        remarks.append("every random direction crosses a kink, so only single entries were compared")
    return remarks


def numbers(report: "GradientReport") -> dict[str, Any]:
    """The report as plain data."""
    return {
        "verdict": report.verdict,
        "passed": report.verdict == "passed",
        "failed": [check.name for check in report.failed],
        "undecided": [check.name for check in report.undecided],
        "error": report.worst.worst,
        "tolerance": report.settings.tolerance,
        "epsilon": report.settings.epsilon,
        "examples": report.examples,
        "loss": report.loss,
        "penalty": report.penalty,
        "aside": report.aside,
        "tensors": [vars(check) for check in report.checks],
        "frozen": report.frozen,
    }
