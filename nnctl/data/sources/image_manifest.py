"""Images listed in a table."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from nnctl.data.sources.delimited import Csv
from nnctl.data.sources.files import STDIN, located
from nnctl.data.sources.images import NO_FILE, ImageFile, ImageSource, Label
from nnctl.data.tables import Table, as_labels
from nnctl.errors import DataError
from nnctl.names import did_you_mean, listed
from nnctl.spec import Listed


class ImageManifest(ImageSource):
    """Images listed in a CSV file: a column of paths, relative to the file, and one or more of targets.

    Images are read as `image_folder` reads them. Needs `pip install 'nnctl[images]'`.

    ```yaml
    {type: image_manifest, path: labels.csv, images: file, labels: species, size: 64}
    ```
    """

    type: Literal["image_manifest"] = "image_manifest"
    path: str = Field(description="The CSV file, relative to the experiment file.")
    images: str = Field("path", description="The column of paths of images, relative to the CSV file.")
    labels: str | Annotated[tuple[str, ...], Listed] | None = Field(
        "label", description="The column of targets, or several; null: none."
    )
    separator: str = Field(",", min_length=1, max_length=1, description="The character between fields.")

    def targets(self) -> tuple[str, ...]:
        return (self.labels,) if isinstance(self.labels, str) else self.labels or ()

    def listing(self, base: Path) -> tuple[list[ImageFile], list[str]]:
        if self.path == STDIN:
            raise DataError("a list of images is not read from standard input, as paths are relative to its file")
        table = Csv(path=self.path, separator=self.separator).open(base)
        wanted = self.targets()
        lacking = [name for name in (self.images, *wanted) if name not in table.columns]
        if lacking:
            raise DataError(
                f"{self.path}: has no column {lacking[0]!r}; its columns are {listed(table.columns)}; "
                "`images` and `labels` in its source name those to take"
            )
        start = located(self.path, base).parent
        columns = [as_labels(table[name]).to_list() for name in wanted]
        found: list[ImageFile] = []
        malformed: list[str] = []
        for row, name in enumerate(table[self.images].to_list()):
            label = tuple(column[row] for column in columns)
            # Comparing names is slow, and only the first message is shown to people.
            missing = [column for column, value in zip(wanted, label, strict=True) if value is None]
            unnamed = "path" if name is None else missing[0] if missing else ""
            wrong = f"has no {unnamed}" if unnamed else wrong_path(name, start, hint=not malformed)
            if wrong:
                malformed.append(f"{table.place(row)}: {wrong}")
            else:
                found.append(_image(name, start, table, row, label))
        return found, malformed


def _image(name: str, start: Path, table: Table, row: int, label: tuple[str, ...]) -> ImageFile:
    found: Label = label[0] if len(label) == 1 else label or None
    return ImageFile(name, start / name, f"{table.place(row)}, {name}", found)


def wrong_path(name: str, start: Path, *, hint: bool) -> str | None:
    """What is wrong with the path of an image, if anything is; with a hint, also the file that may be meant."""
    file = start / name
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        hint = hint and os.access(file.parent, os.R_OK)
        near = did_you_mean(file.name, sorted(entry.name for entry in file.parent.iterdir())) if hint else ""
        return f"{name}: no such file in {file.parent}{near}"
    except OSError as error:
        return f"{name}: cannot be read: {error.strerror}"
    except ValueError as error:  # a NUL
        return f"{name!r}: is no path: {error}"
    if stat.S_ISREG(mode):
        return None
    return f"{name}: " + ("is a folder and no image" if stat.S_ISDIR(mode) else NO_FILE)
