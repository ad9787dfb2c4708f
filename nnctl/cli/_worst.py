"""The part of `nnctl eval` that shows and writes the examples a model gets most wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.cli._console import console
from nnctl.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from nnctl.data.dataset import Dataset
    from nnctl.runs.model import Model

DPI = 150
#: What stands below a picture, and the column it is from.
WORDS = (("true", "truth"), ("said", "prediction"))


def check_outputs(model: "Model", count: int | None, files: Sequence[Path]) -> None:
    """Refuse files that could not be written, before anything is computed.

    Raises:
        ConfigError: saying what is allowed.
    """
    from nnctl.plot.canvas import METADATA, styled
    from nnctl.plot.pictures import picture_input
    from nnctl.use.output import SUFFIXES

    if files and count is None:
        raise ConfigError(f"--worst-output {files[0]}: of how many examples? Add --worst N, such as --worst 24")
    pictures = [f".{form}" for form in METADATA]
    for file in files:
        ending = file.suffix.lower()
        if ending not in (*SUFFIXES, *pictures):
            raise ConfigError(
                f"--worst-output {file}: the ending says no format; {', '.join([*SUFFIXES, *pictures])} do"
            )
        if ending in pictures and picture_input(model) is None:
            raise ConfigError(f"--worst-output {file}: the examples are no pictures; write a table, such as .csv")
        if ending in pictures:
            with styled():
                pass  # says so where Matplotlib is not installed


def write(files: Sequence[Path], frame: "pl.DataFrame", model: "Model", examples: "Dataset", title: str) -> None:
    """Write the examples as tables, and as sheets of pictures, by the endings of the files."""
    from nnctl.files import writing
    from nnctl.use.output import SUFFIXES, write_frames

    for file in files:
        if file.suffix.lower() in SUFFIXES:
            with writing(file) as stream:
                write_frames([frame], SUFFIXES[file.suffix.lower()], stream)
        else:
            _write_sheet(file, frame, model, examples, title)
        console.note(f"wrote {file}")


def _write_sheet(file: Path, frame: "pl.DataFrame", model: "Model", examples: "Dataset", title: str) -> None:
    from nnctl.plot import sheet
    from nnctl.plot.canvas import save, styled
    from nnctl.plot.pictures import picture_input, pixels

    name = picture_input(model)
    if name is None:
        raise ConfigError(f"--worst-output {file}: the examples are no pictures; write a table, such as .csv")
    x = examples.take(slice(None), model.theta.dtype).inputs[name]
    outputs = {"": ""} if len(model.heads) == 1 else {f"{output}.": f"{output} " for output in examples.truths}
    files = frame["file"] if "file" in frame.columns else None
    names = [()] * len(frame) if files is None else [(Path(file).name,) for file in files]
    captions = [
        (
            *file_name,
            f"row {row['row']}",
            *(f"{of}{word}: {_short(row[key + column])}" for key, of in outputs.items() for word, column in WORDS),
        )
        for file_name, row in zip(names, frame.to_dicts(), strict=True)
    ]
    with styled():
        save(sheet.draw(pixels(model, name, x), captions, title), file, DPI, console.warn)


def _short(value: object) -> str:
    """What stands below a picture; a question mark for what is not known."""
    return "?" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def show(frame: "pl.DataFrame") -> None:
    """The examples as a table."""
    console.result("")
    console.table(frame.columns, frame.rows())
