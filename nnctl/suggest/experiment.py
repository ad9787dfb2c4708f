"""From a file of examples to an experiment file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from nnctl.config.experiment import Experiment
from nnctl.data.loading import LoadedData, load
from nnctl.data.report import Report
from nnctl.data.sources import Arrays, Source
from nnctl.data.spec import DataSpec, Task
from nnctl.data.tables import Table
from nnctl.suggest.commented import Because, comment, commented, plain
from nnctl.suggest.files import sources
from nnctl.suggest.preparation import SPLIT, no_split, prepare
from nnctl.suggest.recipe import recipe
from nnctl.suggest.targets import chosen_targets, task_reason

#: Fewer rows are all trained on.
FEWEST_TO_SPLIT = 20


class Suggestion(NamedTuple):
    """An experiment file, and what was found while looking at its data."""

    text: str
    report: Report


def suggest(path: str, targets: Sequence[str], folder: Path, task: Task | None = None, command: str = "") -> Suggestion:
    """An experiment file for the data at `path`, to be written into `folder`.

    Args:
        path: of the data, relative to the current directory.
        targets: the columns to predict, by name or by number from 1; for arrays the target's name, or none.
        folder: from which the paths in the file start.
        task: what the target is, where it should not be inferred.
        command: the command line, for the file's first line.

    Raises:
        ConfigError: where the target is not named or not there.
        DataError: where the data cannot be read, or nothing can be learned from them.
    """
    data: dict[str, Any] = sources(path, folder, targets[0] if targets else None)
    opened = _source(data).open(folder, skip_malformed=True)
    if isinstance(opened, Table):
        names = chosen_targets(opened, targets)
        data["target"] = names[0] if len(names) == 1 else names
        data |= prepare(opened, names, data, task)
    else:
        data["preprocess"] = {"numeric": Because("auto", "bytes are divided by 255, other numbers standardized")}
    data["split"] = no_split(len(opened)) if len(opened) < FEWEST_TO_SPLIT else dict(SPLIT)
    if "test" in data:
        data["split"].pop("test")
    if task is not None:
        data["task"] = task
    loaded = load(DataSpec.model_validate(plain(data)), folder, 0, "float32")
    data["task"] = Because(loaded.encoder.target.task, task_reason(loaded, asked=task is not None))
    if loaded.encoder.target.task == "classification" and "validation" in data["split"]:
        data["split"]["stratify"] = Because(True, "every part has the classes in the same proportions")
    in_order = {key: data[key] for key in DataSpec.model_fields if key in data}
    tree = {
        "name": _name(path),
        "seed": Because(0, "another seed is another split and another start"),
        "data": in_order,
    }
    tree |= recipe(loaded)
    Experiment.model_validate(plain(tree))
    return Suggestion("\n".join([*_header(path, opened, loaded, command), commented(tree)]), loaded.report)


def _source(data: dict[str, Any]) -> Source:
    spec = DataSpec.model_validate({"source": plain(data["source"])})
    if spec.source is None:
        raise RuntimeError("a data section was made without a source")
    return spec.source


def _header(path: str, opened: Table | Arrays, loaded: LoadedData, command: str) -> list[str]:
    shape = f"{len(opened.columns)} columns" if isinstance(opened, Table) else f"inputs of shape {opened.shape}"
    parts = ", ".join(f"{rows} {part}" for part, rows in loaded.report.rows.items())
    return [
        *comment(f"Written by `{command}`." if command else ""),
        *comment(f"{PurePath(path).name} has {len(opened)} rows and {shape}; they are dealt out as {parts}."),
        *comment(
            "Train with `nnctl train` and this file's name. Every line may be changed; those left out have defaults."
        ),
    ]


def _name(path: str) -> str:
    """A name for the runs: the file's, without what may not stand in a folder's name."""
    stem = PurePath(path).name.removesuffix(".gz").partition(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "run"
