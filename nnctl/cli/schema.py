"""`nnctl schema`: the experiment file as JSON Schema."""

from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli._console import console
from nnctl.files import write


def schema(
    docs: Annotated[
        Path | None, typer.Option(hidden=True, help="Write the schema and the reference pages into this directory.")
    ] = None,
) -> None:
    """Print the JSON Schema of the experiment file.

    Editors complete and check with it: name it in the file's first line,
    `# yaml-language-server: $schema=nnctl.schema.json`.
    """
    from nnctl.config.experiment import Experiment
    from nnctl.config.schema import json_schema

    if docs is None:
        console.json(json_schema(Experiment))
        return
    from nnctl.cli._reference import pages

    for name, text in pages().items():
        target = docs / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target, text.encode())
        console.note(f"wrote {target}")
