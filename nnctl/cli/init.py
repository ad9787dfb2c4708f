"""`nnctl init`: an experiment file for a table of data, arrays or images."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from nnctl.cli._console import console
from nnctl.errors import ConfigError
from nnctl.files import write

STDOUT = "-"


def init(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="The file of examples: csv, tsv, parquet, jsonl, npy, npz, idx; or a folder with a folder of images "
            "for each class.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What to predict, by name or by number from 1 (-1 is the last); repeatable. Several of numbers, or of "
            "0 and 1, are one output; columns of different kinds are outputs with a loss each.",
        ),
    ] = None,
    task: Annotated[
        Literal["classification", "regression", "multilabel"] | None,
        typer.Option(help="What the target is, if not what it looks like."),
    ] = None,
    output: Annotated[str, typer.Option(metavar="FILE", help="Where to write; - is standard output.")] = STDOUT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if there is one.")] = False,
) -> None:
    """Write an experiment file for data: a table, arrays or images.

    Looks at the data, chooses, and gives the reason in a comment beside each choice. The file trains as it stands;
    its paths are relative to its folder, or to the current one on standard output. A column of paths of images,
    and one of free text, is an input beside the other columns; a table of paths and targets alone is a list of images.
    """
    file = Path(output)
    if output != STDOUT and file.exists() and not force:
        raise ConfigError(f"{output}: is there already; --force overwrites it")
    if output != STDOUT and not file.parent.is_dir():
        raise ConfigError(f"{output}: there is no folder {file.parent}")
    from nnctl.suggest.experiment import suggest

    folder = Path.cwd() if output == STDOUT else file.parent.absolute()
    named = [part for name in target or () for part in ("--target", name)]
    asked = ["--task", task] if task else []
    made = suggest(data, target or (), folder, task, shlex.join(["nnctl", "init", data, *named, *asked]))
    for problem in made.report.problems:
        console.warn(problem.message)
    if output == STDOUT:
        console.result(made.text.rstrip("\n"))
    else:
        write(file, made.text.encode())
        console.result(output)
