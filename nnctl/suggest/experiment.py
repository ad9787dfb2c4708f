"""From a file of examples to an experiment file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import numpy as np

from nnctl.config.experiment import Experiment
from nnctl.data.loading import LoadedData, load
from nnctl.data.reading import in_folder
from nnctl.data.report import Report
from nnctl.data.sources import Source
from nnctl.data.sources.files import located
from nnctl.data.sources.images import ImageSource
from nnctl.data.sources.written import Written
from nnctl.data.spec import DataSpec, Task
from nnctl.data.tables import Table
from nnctl.data.targets import Numbers
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.suggest.cells import cells
from nnctl.suggest.commented import Because, comment, commented, plain
from nnctl.suggest.convolution import is_image
from nnctl.suggest.files import sources
from nnctl.suggest.hints import logarithm_of_target
from nnctl.suggest.images import image_folders, label_column, manifest, refuse_lost_images
from nnctl.suggest.inputs import picture_columns
from nnctl.suggest.looks import example_augmentation, left_out
from nnctl.suggest.preparation import SPLIT, no_split, prepare
from nnctl.suggest.recipe import goal, recipe
from nnctl.suggest.targets import chosen_targets
from nnctl.training.assemble import assemble
from nnctl.training.checks import shares
from nnctl.training.shares import OVERBEARING

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
    data, rows, of = _examples(path, targets, folder, task)
    images = isinstance(_source(data), ImageSource) or _has_pictures(data)
    by_column = data.pop("split", {})
    data["split"] = no_split(rows) if rows < FEWEST_TO_SPLIT else dict(SPLIT)
    for part in ("validation", "test"):
        if part in data:
            data["split"].pop(part)
    if task is not None:
        data["task"] = task
    skip = {"malformed": "skip"} if images else {}
    loaded = load(DataSpec.model_validate(plain(data) | skip), folder, 0, "float32")
    if images and loaded.report.malformed:
        data["malformed"] = left_out(loaded.report.malformed, sum(loaded.report.rows.values()))
    if not loaded.fitted.of_table:
        data |= _arrays(loaded)
    for name, target in loaded.targets.items():
        reason = target.reason(loaded.train.truths[name].present, asked=task is not None)
        own = data["outputs"][name] if "outputs" in data else data
        own["task"] = Because(target.task, reason)
        if "outputs" in data:
            own |= goal(loaded, name)
    if any(target.stratified for target in loaded.targets.values()) and "validation" in data["split"]:
        data["split"]["stratify"] = Because(True, "every split has the classes in the same proportions")
    if "validation" in data["split"] and rows >= FEWEST_TO_SPLIT:
        data["split"] |= by_column
    if isinstance(loaded.targets.get(OUTPUT), Numbers) and loaded.fitted.of_table and "preprocess" in data:
        data["preprocess"] |= logarithm_of_target(loaded.train.truths[OUTPUT].values[:, 0])
    in_order = {key: data[key] for key in DataSpec.model_fields if key in data}
    tree = {
        "name": _name(path),
        "seed": Because(0, "another seed is another split and another start"),
        "data": in_order,
    }
    tree |= recipe(loaded)
    experiment = Experiment.model_validate(plain(tree))
    if len(loaded.targets) > 1:
        for output, share in shares(assemble(experiment, folder)).items():
            if share > OVERBEARING:
                data["outputs"][output]["weight"] = _lighter(share)
    return Suggestion("\n".join([*_header(path, of, loaded, command), commented(tree)]), loaded.report)


def _examples(path: str, targets: Sequence[str], folder: Path, task: Task | None) -> tuple[dict[str, Any], int, str]:
    """The data section as far as it follows from the examples alone, how many there are, and what they are.

    Images are only counted and looked at, as decoding them takes time.
    """
    if located(path, Path()).is_dir():
        data, rows = image_folders(path, folder, targets, task)
        beside = "test" in data or "validation" in data
        return data, rows, f"{rows} images to train on" if beside else f"{rows} images"
    data = sources(path, folder, targets[0] if targets else None)
    source = _source(data)
    opened = in_folder(source.open(folder, skip_malformed=True), source, folder)
    if not isinstance(opened, Table):
        return data, len(opened), f"{len(opened)} rows and inputs of shape {opened.shape}"
    if isinstance(source, Written):
        settings, opened = cells(opened, source)
        data["source"] |= settings
    pictures = picture_columns(opened, targets)
    if not pictures:
        refuse_lost_images(opened, targets)
    names = chosen_targets(opened, targets or [label_column(opened, name) for name in pictures[:1]])
    found = prepare(opened, names, task)
    # Where nothing is learned from but images, the table is a list of them.
    if source.type in ("csv", "tsv") and list(found.get("inputs", ())) == ["picture"] and "target" in found:
        data, rows = manifest(opened, data["source"], pictures[0], names, folder)
        return data, rows, f"{rows} images"
    return data | found, len(opened), f"{len(opened)} rows and {len(opened.columns)} columns"


def _has_pictures(data: dict[str, Any]) -> bool:
    return any(each.get("type") == "image" for each in plain(data.get("inputs", {})).values())


def _arrays(loaded: LoadedData) -> dict[str, Any]:
    """How arrays are brought to numbers near 1, and for images an example of augmentation."""
    shape = loaded.inputs[INPUT].shape
    if loaded.train.inputs[INPUT].values.dtype == np.uint8:
        preprocess = {"numeric": Because("auto", "bytes are divided by 255")}
    elif is_image(shape):
        by = Because("channel", "all pixels of a channel alike, so that one filter fits everywhere")
        preprocess = {"numeric": Because("standardize", "mean 0 and standard deviation 1"), "by": by}
    else:
        preprocess = {"numeric": Because("auto", "mean 0 and standard deviation 1 for each number")}
    example = is_image(shape) and loaded.targets[OUTPUT].stratified
    return {"preprocess": preprocess} | ({"augment": example_augmentation(shape)} if example else {})


def _lighter(share: float) -> Because:
    """The weight that leaves an output three quarters of the gradient, of which it has this share."""
    return Because(float(f"{3 * (1 - share) / share:.1g}"), f"else it has {share:.0%} of the gradient at the start")


def _source(data: dict[str, Any]) -> Source:
    spec = DataSpec.model_validate({"source": plain(data["source"])})
    if spec.source is None:
        raise RuntimeError("a data section was made without a source")
    return spec.source


def _header(path: str, what: str, loaded: LoadedData, command: str) -> list[str]:
    parts = ", ".join(f"{rows} {part}" for part, rows in loaded.report.rows.items())
    return [
        *comment(f"Written by `{command}`." if command else ""),
        *comment(f"{_called(path)} has {what}; dealt out, there are {parts}."),
        *comment(
            "Train with `nnctl train` and this file's name. Every line may be changed; those left out have defaults."
        ),
    ]


def _called(path: str) -> str:
    """The name of the file or folder, of `.` too."""
    return PurePath(path).name or Path(path).resolve().name


def _name(path: str) -> str:
    """A name for the runs: the file's, without what may not stand in a folder's name."""
    stem = _called(path).removesuffix(".gz").partition(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "run"
