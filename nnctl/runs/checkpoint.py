"""Checkpoints: the newest and the one before it, so that one is always whole."""

from pathlib import Path
from typing import Any

from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.runs.tensors import read_tensors, write_tensors

#: Raised whenever what a checkpoint holds changes; one of another format is not gone on from.
FORMAT = 2


class Checkpoints:
    """The `checkpoints` folder of a run."""

    def __init__(self, folder: Path) -> None:
        self.last, self.previous = folder / "last.safetensors", folder / "previous.safetensors"

    def save(self, arrays: dict[str, Array], values: dict[str, Any]) -> None:
        """Write the newest checkpoint; the one before stays as `previous` until the next save."""
        self.last.parent.mkdir(exist_ok=True)
        if self.last.exists():
            # A hard link: `last` exists at every moment, and `previous` needs no second copy.
            self.previous.unlink(missing_ok=True)
            self.previous.hardlink_to(self.last)
        write_tensors(self.last, arrays, {**values, "format": FORMAT})

    def load(self) -> tuple[dict[str, Array], dict[str, Any], str | None] | None:
        """The newest whole checkpoint, and a warning where that is not the last one; None if none was written.

        Raises:
            DataError: where checkpoints exist and none can be read, or another version of nnctl wrote them.
        """
        problems: list[str] = []
        for path in (self.last, self.previous):
            if not path.exists():
                continue
            try:
                arrays, values = read_tensors(path)
            except DataError as error:
                problems.append(str(error))
            else:
                if values.pop("format", 1) != FORMAT:
                    raise DataError(
                        f"{path}: written by another version of nnctl, whose trainings this one cannot go on with; "
                        "resume the run with the version in its run.json, or train anew from its config.yaml"
                    )
                if path is self.previous:
                    path.replace(self.last)  # or the next save would keep the damaged one as `previous`
                return arrays, values, "; ".join(problems) or None
        if problems:
            raise DataError("; ".join(problems))
        return None
