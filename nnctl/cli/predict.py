"""`nnctl predict`: predictions for new examples, as a stream."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli._console import console
from nnctl.errors import CheckFailed, ConfigError
from nnctl.files import writing
from nnctl.use.output import Format, format_of, write_frames


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, or a model.safetensors.")],
    data: Annotated[str, typer.Option(metavar="FILE", help="The examples; - for standard input.")],
    output: Annotated[str, typer.Option(metavar="FILE", help="Where to; - for standard output.")] = "-",
    form: Annotated[
        Format | None, typer.Option("--format", help="Left out, what the output's ending says, or csv.")
    ] = None,
    probabilities: Annotated[bool, typer.Option(help="A column for the probability of each class.")] = True,
    keep: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Copy this column of the data; repeatable.")
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write how the data differ from those of training, as JSON; - is stdout."),
    ] = None,
    fail_on_drift: Annotated[
        bool,
        typer.Option("--fail-on-drift", help="Exit 4 where they differ; the predictions are written."),
    ] = False,
    batch: Annotated[
        int | None, typer.Option(metavar="ROWS", min=1, help="Rows held in memory at a time; changes no result.")
    ] = None,
) -> None:
    """Predict with a trained network.

    Writes a row for each row of the data, in the same order. Columns may come in any order; those that training
    did not have are ignored. An output file appears only when it is complete. Where the data are not like those of
    training, standard error says how.
    """
    from threadpoolctl import threadpool_limits

    from nnctl.data.sources import source_of
    from nnctl.engine.workers import Workers
    from nnctl.names import listed
    from nnctl.runs.trained import open_trained
    from nnctl.use.drift import MOST, Drift
    from nnctl.use.prediction import ROWS, Prediction

    form = form or (Format.csv if output == "-" else format_of(Path(output)))
    check_output(output, data, form)
    model = open_trained(run)
    trained_on = model.experiment.data.source or model.experiment.data.train
    drift = Drift(model)
    prediction = Prediction(
        model, source_of(data, trained_on), keep=keep or (), probabilities=probabilities, drift=drift
    )
    prediction.check()
    with writing(output) as file, threadpool_limits(1, "blas"), Workers(os.cpu_count() or 1) as workers:
        write_frames(prediction.frames(batch or ROWS, workers), form, file)
    if prediction.note:
        console.note(prediction.note)
    if prediction.ignored:
        count = len(prediction.ignored)
        console.note(f"{data}: ignored {count} column{'s' * (count > 1)}: {listed(list(prediction.ignored))}")
    findings = drift.findings()
    for finding in findings[:MOST]:
        console.warn(f"{data}: {finding.message}")
    if len(findings) > MOST:
        console.warn(f"{data}: differs in {len(findings) - MOST} more ways; --report FILE writes all of them")
    if report is not None:
        document = {"data": data, "run": str(run), **drift.report()}
        with writing(report) as file:
            file.write((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
    if findings and fail_on_drift:
        raise CheckFailed(f"{data}: differs from the training data in {len(findings)} way{'s' * (len(findings) > 1)}")


def check_output(output: str, data: str, form: Format) -> None:
    """Refuse to write over the data, and to fill a terminal with what is no text."""
    files = Path(data), Path(output)
    if all(file.is_file() for file in files) and files[0].samefile(files[1]):
        raise ConfigError(f"--output {output}: is the file that --data reads; name another one")
    if output == "-" and form == Format.parquet and sys.stdout.isatty():
        raise ConfigError("parquet is no text for a terminal; name a file with --output")
