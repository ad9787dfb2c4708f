"""Folders of images, and tables that list them: which source they are, and how the images are to be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnctl.data.sources import IMAGE_SUFFIXES, SUFFIXES, ImageFolder, ImageManifest
from nnctl.data.sources.files import located
from nnctl.data.sources.image_folder import images_below, is_image
from nnctl.data.spec import Task
from nnctl.data.tables import Table
from nnctl.errors import ConfigError, DataError
from nnctl.names import listed
from nnctl.suggest.commented import Because, plain
from nnctl.suggest.inputs import names_images, sample
from nnctl.suggest.looks import how

#: Names of folders that hold a part of the examples, not a class of them.
PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
#: What the column of labels is called where several could be.
LABELS = ("label", "labels", "class", "target")

LAYOUT = "put the images of each class into a folder of its own, {path}/CLASS/NAME.png"
OR_LIST = "or list them in a CSV file with a column of paths and one of labels, and name that"


def image_folders(path: str, folder: Path, targets: Sequence[str], task: Task | None) -> tuple[dict[str, Any], int]:
    """The `source` of a folder with a folder of images for each class, the parts beside it, and how many images.

    Args:
        path: of the folder, relative to the current directory.
        folder: where the experiment file will be.
        targets: what was given as `--target`, which must be nothing.
        task: what was given as `--task`.

    Raises:
        ConfigError: where a target is named, as it is the folders' names, or another task than classification.
        DataError: where there are no images in it, or all are of one class.
    """
    if targets:
        raise ConfigError(
            f"--target {targets[0]}: {path} is a folder, and its folders' names are what is predicted; leave "
            "--target out"
        )
    if task not in (None, "classification"):
        raise ConfigError(
            f"--task {task}: {path} is a folder, and its folders are classes; for other targets list the images in a "
            "CSV file with a column of paths and one or more of targets"
        )
    top = located(path, Path()).absolute()
    parts = _parts(top)
    train = parts["train"]
    here = os.path.relpath(train, folder)
    files, _ = ImageFolder(path=here).listing(folder)
    if not files:
        raise DataError(_nothing(path, train))
    classes = {str(file.label) for file in files}
    if len(classes) == 1:
        raise DataError(
            f"{path}: its {len(files)} images are all in one folder, {classes.pop()!r}, so there is nothing to tell "
            f"apart; {LAYOUT.format(path=path)}"
        )
    read = how(files)
    found: dict[str, Any] = {"source": {"type": "image_folder", "path": here} | read}
    for part in ("validation", "test"):
        if part in parts:
            other = {"type": "image_folder", "path": os.path.relpath(parts[part], folder)} | plain(read)
            found[part] = Because(other, f"the {part} set beside it")
    return found, len(files)


def _parts(top: Path) -> dict[str, Path]:
    """The folders of the parts: in the folder given, or beside it where it is the training part itself."""
    inside = _parts_in(top)
    known = {name for names in PARTS.values() for name in names}
    others = (entry for entry in top.iterdir() if entry.is_dir() and entry.name.lower() not in known)
    # A class may be called train, as where vehicles are told apart: then others lie beside it.
    if "train" in inside and (len(inside) > 1 or not any(any(images_below(entry)) for entry in others)):
        return inside
    beside = _parts_in(top.parent) if top.name.lower() in PARTS["train"] else {}
    return beside | {"train": top}


def _parts_in(around: Path) -> dict[str, Path]:
    """The folders that are called as parts are, and have folders of images for classes."""
    entries = {entry.name.lower(): entry for entry in sorted(around.iterdir()) if entry.is_dir()}
    found = {}
    for part, names in PARTS.items():
        called = (entries[name] for name in names if name in entries)
        if entry := next((entry for entry in called if ImageFolder(path=str(entry)).listing(Path())[0]), None):
            found[part] = entry
    return found


def _nothing(path: str, top: Path) -> str:
    entries = sorted(top.iterdir())
    loose = sum(map(is_image, entries))
    if loose:
        return (
            f"{path}: {loose} images lie in it and none in a folder of a class; {LAYOUT.format(path=path)}, {OR_LIST}"
        )
    table = next((entry for entry in entries if Path(entry.name.removesuffix(".gz")).suffix.lower() in SUFFIXES), None)
    hint = f"; for a table of numbers, name the file, such as {table.name}" if table else ""
    kinds = ", ".join(IMAGE_SUFFIXES)
    return f"{path}: holds no images ({kinds}) in folders; {LAYOUT.format(path=path)}{hint}"


def label_column(table: Table, images: str) -> str:
    """The column to predict of a list of images, where none is named: the only other one, or that called `label`.

    Raises:
        ConfigError: where several could be meant.
    """
    others = [name for name in table.columns if name != images]
    known = [name for name in others if name.lower() in LABELS]
    if len(others) != 1 and len(known) != 1:
        raise ConfigError(
            f"which column is to be predicted? {table.name} lists images in {images!r} and has {listed(others)}; "
            "write --target COLUMN"
        )
    return others[0] if len(others) == 1 else known[0]


def refuse_lost_images(table: Table, targets: Sequence[str]) -> None:
    """Check that a table of two columns, one of which is to be predicted of images, names some that are there.

    Raises:
        DataError: where it does not.
    """
    others = [name for name in table.columns if name not in targets]
    lost = next((name for name in others if names_images(table[name])), None)
    if lost is not None and len(table.columns) <= 2:
        raise DataError(
            f"{table.name}: column {lost!r} names images, such as {next(sample(table[lost]))!r:.60}, and none "
            f"of them is in {table.folder}; paths start from the folder of the list"
        )


def manifest(
    table: Table, source: dict[str, Any], images: str, labels: Sequence[str], folder: Path
) -> tuple[dict[str, Any], int]:
    """The `source` of a CSV file that lists images, and how many.

    Args:
        source: that of the table.
        images: the column of paths.
        labels: the columns to predict.

    Raises:
        DataError: where the file is written in a way that lists of images are not, or no image is there.
    """
    source = plain(source)
    wrong = [key for key in ("header", "encoding", "quote") if key in source]
    if wrong == ["header"]:
        raise DataError(
            f"{table.name}: lists images and has no line that names its columns; write one above the first, such as "
            "path,label"
        )
    if wrong:
        raise DataError(
            f'{table.name}: lists images, and a list of images is UTF-8 with quotation marks "; save it as such'
        )
    found = {
        "type": "image_manifest",
        "path": source["path"],
        "images": Because(images, "paths, from the folder of the list"),
        "labels": Because(labels[0] if len(labels) == 1 else list(labels), _unused(table, [images, *labels])),
    }
    separator = source.get("separator", "\t" if source["type"] == "tsv" else ",")
    found |= {} if separator == "," else {"separator": separator}
    files, malformed = ImageManifest.model_validate(plain(found)).listing(folder)
    if not files:
        raise DataError(malformed[0])
    return {"source": found | how(files)}, len(files)


def _unused(table: Table, used: Sequence[str]) -> str:
    others = [name for name in table.columns if name not in used]
    return f"what to predict; only images are learned from, not {listed(others, 4)}" if others else "what to predict"
