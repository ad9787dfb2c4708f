"""`nnctl plot`: pictures of a run."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nnctl.cli._console import console
from nnctl.errors import ConfigError


def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, or a model.safetensors.")],
    what: Annotated[
        Literal["curves", "confusion", "filters", "features", "weights", "activations"],
        typer.Option(
            help="Learning curves; the confusion matrix; what the first layer looks for; what a convolutional "
            "network makes of one example; how weights or activations are distributed."
        ),
    ] = "curves",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .png or .svg; left out, NAME-WHAT.png in the current directory."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Other examples with their target, instead of the run's own.")
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option(help="Of the run's own data; left out, test, else validation, else train."),
    ] = None,
    example: Annotated[
        int | None,
        typer.Option(min=1, metavar="ROW", help="For features: the row of its source, from 1; left out, the first."),
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For features: a picture file instead of an example.")
    ] = None,
    input_name: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="NAME",
            help="For filters and features: the input, where there are several; left out, the first of pictures.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="For confusion: the output, where there are several; left out, the first."),
    ] = None,
    width: Annotated[float, typer.Option(min=3, max=40, help="In inches.")] = 8.0,
    dpi: Annotated[int, typer.Option(min=40, max=1200, help="Pixels an inch.")] = 150,
) -> None:
    """Draw learning curves, confusion matrix, filters, feature maps.

    Prints the path of the file. Needs Matplotlib: pip install 'nnctl[plot]'.
    """
    from nnctl.plot.canvas import check_output, save, styled
    from nnctl.plot.request import PLOTS, Request

    if data is not None and split is not None:
        raise ConfigError(f"--split {split}: is a part of the run's own data, and --data names others; use one of them")
    if (example is not None or image is not None) and what != "features":
        given = "--example" if example is not None else "--image"
        raise ConfigError(f"{given}: is for `--what features`, which draws one example; {what} has no use for it")
    if input_name is not None and what not in ("filters", "features"):
        raise ConfigError(f"--input {input_name}: is for filters and features; {what} has no use for it")
    if target is not None and what != "confusion":
        raise ConfigError(f"--target {target}: is for confusion; {what} has no use for it")
    request = Request(run, width, data, split, example or 1, image, input_name, target, console.warn)
    if example is not None and image is not None and len(request.model.fitted.inputs) == 1:
        raise ConfigError("--example and --image: both name what to draw; use one of them")
    file = output or Path(f"{request.name}-{what}.png")
    check_output(file)
    with styled():
        save(PLOTS[what](request), file, dpi, console.warn)
    console.result(str(file))
