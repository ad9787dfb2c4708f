"""`nnctl train`: train a network into a run directory."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnctl.cli._console import aligned, console
from nnctl.errors import ConfigError
from nnctl.stopping import StopRequest

if TYPE_CHECKING:
    from nnctl.cli._display import Display
    from nnctl.runs.facts import RunFacts
    from nnctl.runs.record import Recorder
    from nnctl.training.history import EpochRow


def train(
    config: Annotated[
        str | None, typer.Argument(metavar="CONFIG", help="The experiment file; - for standard input.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Continue this run instead.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the file; repeatable.")
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where run directories are made.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of the path.")] = False,
) -> None:
    """Train a network; print the path of the run.

    Ctrl-C or SIGTERM finishes the step, saves a checkpoint and exits 130 or 143; --resume RUN then goes on
    as if nothing had happened. A finished run is trained further with --set training.epochs=MORE.
    """
    with stopping() as stop:
        from nnctl.config.experiment import Experiment
        from nnctl.config.loading import load_experiment
        from nnctl.runs import session
        from nnctl.runs.directory import RunDirectory
        from nnctl.runs.record import Recorder
        from nnctl.runs.summary import health, rows, undecided
        from nnctl.training.assemble import job_of

        if (config is None) == (resume is None):
            raise ConfigError("name an experiment file to train, or a run to continue with --resume: one of them")
        job = job_of(load_experiment(config, overrides or (), Experiment)) if config else None
        stop.check()  # before there is anything to save
        run = session.begin(job, runs) if job else RunDirectory.open(resume or Path())
        with run.locked():
            job = job or session.resume(run, overrides or ())
            for message in session.warnings(job):
                console.warn(message)
            with console.progress(run.path.name) as display:
                summary = show(Recorder(run, job, stop), display)
    if not console.quiet:
        summarise(summary)
        for message in [*undecided(summary), *health(rows(run))]:
            console.warn(message)
    if as_json:
        console.json({"run": str(run.path), **summary})
    else:
        console.result(str(run.path))


@contextmanager
def stopping() -> Iterator[StopRequest]:
    """Let Ctrl-C and SIGTERM ask for a stop after the batch; a second one ends the process at once."""
    stop = StopRequest()

    def ask(number: int, _frame: object) -> None:
        stop.signal = number
        console.note("stopping after this batch; once more to quit at once")
        signal.signal(number, signal.SIG_DFL)

    # A terminal that closes is like SIGTERM, but for who runs on after it, as under nohup.
    closing_too = [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, *closing_too)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def show(recorder: "Recorder", display: "Display") -> "RunFacts":
    """Train, show what happens and return the summary."""
    from nnctl.runs.record import BatchDone, Impaired, Recorded

    epochs = recorder.job.experiment.training.epochs
    best: EpochRow | None = None
    with closing(recorder.train()) as events:
        for event in events:
            match event:
                case Impaired():
                    console.warn(event.message)
                case BatchDone():
                    display.batch(event.epoch, epochs, event.batch, event.batches, event.loss, event.rate, event.speed)
                case Recorded():
                    return event.summary
                case _:
                    row = event.row
                    best = row if event.best else best_so_far(recorder, best, row)
                    display.batch(
                        row.epoch, epochs, event.batches, event.batches,
                        row.figures["train.loss"] or 0.0, row.learning_rate, row.examples_per_second,
                    )  # fmt: skip
                    display.epoch(row, best)
    raise RuntimeError("training ended without a summary")


def best_so_far(recorder: "Recorder", known: "EpochRow | None", row: "EpochRow") -> "EpochRow | None":
    """The line of the best epoch of the trial that `row` is from; it may be one of before a resume."""
    from nnctl.runs.summary import rows

    epoch, trial = recorder.trials.state.best_epoch, row.restart
    if not epoch or (known and (known.epoch, known.restart) == (epoch, trial)):
        return known
    return next(each for each in rows(recorder.run) if (each.epoch, each.restart) == (epoch, trial))


def summarise(summary: "RunFacts") -> None:
    """Say on standard error how it went: each split's figures, beside what the baseline gets on the last split."""
    splits = summary["evaluation"]
    last = list(splits)[-1]
    rows = [["", *splits, "baseline"]]
    for key in splits[last]:
        figures = [splits[split][key] for split in splits] + [summary["baseline"][last].get(key)]
        rows.append([key, *("-" if value is None else f"{value:.4g}" for value in figures)])
    console.note(aligned(rows, [False] + [True] * (len(splits) + 1)))
    if len(summary["restarts"]) > 1:
        console.note(
            f"{len(summary['restarts'])} restarts: {summary['monitor']} {summary['best_value']:.4g} kept, "
            f"mean {summary['restart_mean']:.4g}, standard deviation {summary['restart_spread']:.4g}"
        )
    console.note(f"{summary['stop_reason']}; kept epoch {summary['best_epoch']}; {summary['seconds']:.1f} s")
