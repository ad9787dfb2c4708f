"""Which source a file is, and which files beside it belong to it."""

import os
import re
import zipfile
from pathlib import Path, PurePath
from typing import Any

from nnctl.data.sources import Csv, Idx, Npy, Npz, Source, Tsv, source_of
from nnctl.data.sources.files import STDIN, resolve
from nnctl.errors import ConfigError, DataError
from nnctl.suggest.commented import Because
from nnctl.suggest.text import UTF16_MARKS, delimited_source

#: Names of inputs, and of targets that go with them, as files and arrays are called.
PAIRS = (
    ("images", "labels"), ("inputs", "targets"), ("inputs", "labels"), ("features", "labels"),
    ("features", "targets"), ("data", "labels"), ("data", "target"), ("x", "y"), ("X", "y"), ("X", "Y"),
)  # fmt: skip
#: The same for what is trained on and what it is tested on.
TESTS = (("train", "test"), ("train", "t10k"))


def sources(path: str, folder: Path, target: str | None = None) -> dict[str, Any]:
    """The `source` of the data section, and a `test` where a test set lies beside it.

    Args:
        path: of the data, relative to the current directory.
        folder: where the experiment file will be, from which its paths start.
        target: for arrays, the one that holds the targets.

    Raises:
        ConfigError: for standard input, which can be read only once.
        DataError: where the file is missing, or its format cannot be told.
    """
    if path == STDIN:
        raise ConfigError("standard input is gone when training starts; write the data to a file and name that")
    file = resolve(path, Path.cwd())
    here = os.path.relpath(file, folder)
    form = _form(file)
    if issubclass(form, Csv | Tsv):
        return {"source": {"type": _type(form), "path": here, **delimited_source(here, folder, form)}}
    if issubclass(form, Npz):
        return _archive(here, file, target)
    if issubclass(form, Npy | Idx):
        return _pair(here, folder, form)
    return {"source": {"type": _type(form), "path": here}}


def _form(file: Path) -> type[Source]:
    """The format by the ending; text with an ending that says nothing is CSV."""
    try:
        return type(source_of(str(file)))
    except DataError:
        with file.open("rb") as stream:
            start = stream.read(1 << 12)
        if b"\0" in start and start[:2] not in UTF16_MARKS:
            raise
        return Csv


def _type(form: type[Source]) -> str:
    return str(form.model_fields["type"].default)


def _pair(path: str, folder: Path, form: type[Npy | Idx]) -> dict[str, Any]:
    """Files of inputs and targets; MNIST and its relatives have a test set beside them."""
    source = _with_labels(path, folder, form)
    found: dict[str, Any] = {"source": source}
    for name in _renamed(path, TESTS):
        other = _with_labels(name, folder, form)
        if (folder / name).is_file() and ("labels" in other) == ("labels" in source):
            found["test"] = Because(other, "the test set beside it")
            break
    return found


def _with_labels(path: str, folder: Path, form: type[Npy | Idx]) -> dict[str, Any]:
    source: dict[str, Any] = {"type": _type(form), "path": path}
    labels = targets_beside(path, folder)
    if labels is not None:
        source["labels"] = Because(labels, "the targets, in the file beside it")
    return source


def targets_beside(path: str, folder: Path) -> str | None:
    """The file of targets that lies beside one of inputs, told by its name; None where there is none."""
    return next((name for name in _renamed(path, PAIRS) if (folder / name).is_file()), None)


def _renamed(path: str, pairs: tuple[tuple[str, str], ...]) -> list[str]:
    """What a file that belongs to this one may be called; IDX files name their dimensions, too."""
    pure = PurePath(path)
    names = []
    for old, new in pairs:
        renamed = re.sub(rf"(?<![A-Za-z]){old}(?![a-z])", new, pure.name)
        if renamed != pure.name:
            one_axis = re.sub(r"idx\d", "idx1", renamed) if new == "labels" else renamed
            names += [n for name in (one_axis, renamed) for n in (name, name.removesuffix(".gz"), f"{name}.gz")]
    return [str(pure.with_name(name)) for name in dict.fromkeys(names)]


def _archive(path: str, file: Path, target: str | None) -> dict[str, Any]:
    """The arrays of an .npz file that look like inputs and targets."""
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: cannot be read as .npz ({error})") from None
    pairs = [(x, y) for x in sizes for y in _partners(x) if y in sizes]
    if target is not None:
        pairs = [pair for pair in pairs if pair[1] == target] or [(x, target) for x in sizes if x != target]
    if not pairs or (target or pairs[0][1]) not in sizes:
        raise ConfigError(f"{path}: which array is the target? it has {', '.join(sizes)}; write --target NAME")
    # The larger of several is the training set; the inputs are larger than what else there is.
    x, y = max(pairs, key=lambda pair: sizes[pair[0]])
    source: dict[str, Any] = {"type": "npz", "path": path, "inputs": x, "labels": y}
    for lengths in sizes.keys() & {"length", "lengths"}:
        sequence = f"inputs: {{signal: {{type: sequence, array: {x}, lengths: {lengths}}}}}"
        reason = (
            f"with all the steps there are; as sequences of the lengths in {lengths!r}, write "
            f"`inputs: [{x}, {lengths}]` here, and `{sequence}` in `data`"
        )
        source["inputs"] = Because(x, reason)
    found: dict[str, Any] = {"source": source}
    test_x, test_y = (re.sub("train", "test", name) for name in (x, y))
    if test_x != x and test_x in sizes and test_y in sizes:
        test = {"type": "npz", "path": path, "inputs": test_x, "labels": test_y}
        found["test"] = Because(test, "the test set beside it")
    return found


def _partners(name: str) -> list[str]:
    """What the array of targets may be called that belongs to an array of inputs."""
    names = (re.sub(rf"(?<![A-Za-z]){old}(?![a-z])", new, name) for old, new in PAIRS)
    return [new for new in dict.fromkeys(names) if new != name]
