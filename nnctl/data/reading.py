"""The first of four steps from the `data` section to examples: reading sources, before anything is dealt out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.data import augmentation
from nnctl.data.columns import kinds_of, typed
from nnctl.data.doubts import code_doubts, column_doubts, target_doubts
from nnctl.data.inputs import Columns, Input
from nnctl.data.inputs.array import ArrayInput
from nnctl.data.outputs import Output
from nnctl.data.preprocess import Kind
from nnctl.data.report import Problem
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.files import STDIN, hashing, resolve, sha256
from nnctl.data.sources.images import MalformedImage
from nnctl.data.spec import DataSpec
from nnctl.data.tables import Table, as_labels
from nnctl.data.targets import AnyTarget, Classes, choose, with_target
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError, several
from nnctl.names import listed, unknown


@dataclass(frozen=True)
class Opened:
    """A source that was read.

    Attributes:
        table: its rows that have a target; for arrays, the targets of all.
        numbers: of these rows in the source, counted from 1; (rows,).
        usable: those of them that have a target and whose every input could be read, as indices.
        values: the raw values of every input, one for each row.
        files: the file of each row of the source, where each has one of its own.
    """

    table: Table
    numbers: Array
    usable: Array
    values: Mapping[str, Any]
    files: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Raw:
    """Everything that was read: it can be dealt out, fitted and encoded as often as one likes.

    Attributes:
        opened: the sources by the split they were given for; `train` is what others are dealt from, too.
        inputs, outputs: what the section names, or the one of each that it means.
        kinds: what each column of the inputs holds.
        targets: the kind of target of each output.
        losses: the loss of each output, where the file names one.
        dropped: rows left out because they have no target.
        malformed: rows that could not be read and were left out, each with its place.
        digests: the hash of what lies at each path.
        doubts: columns that hardly are what they are taken for.
    """

    opened: Mapping[str, Opened]
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    kinds: Mapping[str, Kind]
    targets: Mapping[str, type[AnyTarget]]
    losses: Mapping[str, Loss | None]
    dropped: int
    malformed: tuple[str, ...]
    digests: Mapping[str, str]
    doubts: Sequence[Problem] = ()


def read(spec: DataSpec, base: Path, loss: Loss | None = None) -> Raw:
    """Read the sources of the section.

    Args:
        spec: the `data` section.
        base: the folder that relative paths start from.
        loss: of an output that is not named; decides between kinds of target where a column could be several.

    Raises:
        ConfigError: where the section names columns that are not there, or a loss does not fit its target.
        DataError: where the data cannot be read.
    """
    if loss is not None and spec.outputs:
        raise ConfigError(
            f"loss: is for one output without a name; write data.outputs.{next(iter(spec.outputs))}.loss instead"
        )
    skip = spec.malformed == "skip"
    with hashing() as streamed:
        data = {name: open_source(source, base, skip_malformed=skip) for name, source in sources(spec)}
    if len({isinstance(each, Table) for each in data.values()}) > 1:
        raise ConfigError("data: some splits are tables and some arrays; give all of them in one kind")
    first = data["train"]
    if isinstance(first, Arrays):
        _refuse_columns(spec, first)
        columns = spec.target_columns or tuple(first.target_table().columns)
        data = {name: each.with_labels() for name, each in data.items() if isinstance(each, Arrays)}
        tables = {name: each.target_table(columns) for name, each in data.items() if isinstance(each, Arrays)}
    else:
        _check_names(spec, first)
        columns, tables = spec.targets, {name: each for name, each in data.items() if isinstance(each, Table)}
    inputs: Mapping[str, Input] = spec.inputs or {INPUT: _only_input(spec, first)}
    outputs = spec.outputs or {OUTPUT: Output(target=columns, task=spec.task, order=spec.order)}
    _check_once(inputs, outputs, spec)
    if spec.outputs:
        kept = {name: _with_any_target(table, outputs) for name, table in tables.items()}
    else:
        kept = {name: with_target(table, columns, spec.missing_target) for name, table in tables.items()}
    features = [name for each in inputs.values() for name in each.features]
    for table in kept.values():
        table.require([*features, *([spec.weight] if spec.weight else [])])
    kinds = kinds_of(kept["train"], features, spec.types) if features else {}
    written = kept["train"]
    kept = {name: typed(table, kinds) for name, table in kept.items()} if features else kept
    opened, malformed = {}, [place for each in data.values() for place in each.malformed]
    for name, table in kept.items():
        opened[name] = _opened(data[name], table, inputs, tables[name], malformed if skip else None)
    losses = {name: each.loss or loss for name, each in outputs.items()}
    targets = {name: _kind(spec, name, each, kept["train"], losses[name]) for name, each in outputs.items()}
    source = sources(spec)[0][1]
    doubts = column_doubts(written, source, kinds, spec.types)
    amounts = [
        column
        for name, each in outputs.items()
        if each.task == "auto" and targets[name].task == "regression"
        for column in each.columns
    ]
    doubts += code_doubts(written, kinds, spec.types, amounts)
    for name, each in outputs.items():
        if each.task == "auto" and targets[name] is Classes:
            loss = losses[name]
            doubts += target_doubts(
                written, source, each.columns, may_be_numbers=loss is None or "regression" in loss.tasks
            )
    dropped = sum(len(tables[name]) - len(table) for name, table in kept.items())
    digests = {path: digest for name, s in sources(spec) for path, digest in _digests(s, data[name], base).items()}
    digests |= streamed
    return Raw(opened, inputs, outputs, kinds, targets, losses, dropped, tuple(malformed), digests, doubts)


def sources(spec: DataSpec) -> list[tuple[str, Source]]:
    """What there is to open, the examples to train on first."""
    named = [("train", spec.source or spec.train), ("validation", spec.validation), ("test", spec.test)]
    return [(name, source) for name, source in named if source is not None]


def open_source(source: Source, base: Path, *, skip_malformed: bool) -> Table | Arrays:
    """All examples of a source; a table knows where the paths in it start."""
    try:
        data = source.open(base, skip_malformed=skip_malformed)
    except MalformedImage as error:
        raise DataError(f"{error}; `data.malformed: skip` leaves such images out of training") from None
    return in_folder(data, source, base)


def in_folder(data: Table | Arrays, source: Source, base: Path) -> Table | Arrays:
    """Data of a source that know where the paths in them start."""
    files = [path for path in source.files() if path != STDIN]
    return replace(data, folder=resolve(files[0], base).parent if files else base) if isinstance(data, Table) else data


def _only_input(spec: DataSpec, data: Table | Arrays) -> Input:
    """The one input of a section that names none."""
    if isinstance(data, Arrays):
        return ArrayInput(augment=spec.augment)
    if spec.augment:
        raise ConfigError(
            f"data.augment: changes arrays, such as images, and {data.name} is a table; the layers dropout "
            "and gaussian_noise disturb its columns"
        )
    return Columns(columns=_features(spec, data))


def _with_any_target(table: Table, outputs: Mapping[str, Output]) -> Table:
    """The rows that have the target of some output."""
    table.require([name for output in outputs.values() for name in output.columns])
    some = np.zeros(len(table), bool)
    for name, output in outputs.items():
        known = np.all([as_labels(table[column]).is_not_null().to_numpy() for column in output.columns], axis=0)
        if not known.any():
            raise DataError(f"{table.name}: the target of {name} is missing in every row")
        some |= known
    return table if some.all() else table.take(some)


def _opened(
    data: Table | Arrays, table: Table, inputs: Mapping[str, Input], whole: Table, malformed: list[str] | None
) -> Opened:
    """What every input makes of a source; `table` has those of the `whole` rows that have a target."""
    left_out: dict[int, str] | None = None if malformed is None else {}
    values = {}
    for name, each in inputs.items():
        try:
            values[name] = each.read(table if isinstance(data, Table) else data, left_out)
        except ConfigError as error:
            raise ConfigError(f"data.inputs.{name}: {error}") from None
        key = "data.augment" if name == INPUT else f"data.inputs.{name}.augment"
        if each.augmentations:
            augmentation.check(each.augmentations, values[name].shape[1:], key)
    if malformed is not None:
        malformed += (left_out or {}).values()
    places, files = np.searchsorted(whole.lines, table.lines), None
    usable, numbers = np.arange(len(table)), places + 1
    if isinstance(data, Arrays):  # they stay as they are, as they may lie on disk
        table, usable, numbers, files = whole, places, np.arange(1, len(whole) + 1), data.files
    return Opened(table, numbers, np.setdiff1d(usable, np.fromiter(left_out or (), int)), values, files)


def _digests(source: Source, data: Table | Arrays, base: Path) -> dict[str, str]:
    """The hash of what lies at each path of a source."""
    if isinstance(data, Arrays) and data.digest is not None:
        return dict.fromkeys(source.files(), data.digest)
    files = {path: resolve(path, base) for path in source.files() if path != STDIN}
    return {path: sha256(file) for path, file in files.items() if file.is_file()}  # a pipe is read once


def _refuse_columns(spec: DataSpec, data: Arrays) -> None:
    for key in ("features", "exclude", "weight", "types"):
        if getattr(spec, key):
            raise ConfigError(f"data.{key}: names columns, and {data.name} is an array, which has none")
    if spec.split.column:
        raise ConfigError(f"data.split.column: names a column, and {data.name} is an array, which has none")


def _check_names(spec: DataSpec, table: Table) -> None:
    """Check that the columns the section names are there.

    Raises:
        ConfigError: naming all that are not, where they are named, and the nearest.
    """
    if not spec.target_columns:
        raise ConfigError(f"data.target: name the column to predict; {table.name} has {listed(table.columns)}")
    named: dict[str, Iterable[str]] = {
        "target": spec.targets,
        **{f"outputs.{name}.target": output.columns for name, output in spec.outputs.items()},
        **{
            f"inputs.{name}.{key}": columns for name, each in spec.inputs.items() for key, columns in each.reads.items()
        },
        **{f"{key}.units": getattr(getattr(spec, key), "units", ()) for key in ("source", "train")},
        "weight": [spec.weight] if spec.weight else [],
        "split.column": [spec.split.column] if spec.split.column else [],
        "features": spec.features or (),
        "exclude": spec.exclude,
        "types": spec.types,
        "preprocess.columns": spec.preprocess.columns,
    }
    lacking = {key: [name for name in names if name not in table.columns] for key, names in named.items()}
    if any(lacking.values()):
        raise several(
            [
                f"data.{key}: {table.name} has {unknown('column', names, table.columns)}"
                for key, names in lacking.items()
                if names
            ]
        )


def _check_once(inputs: Mapping[str, Input], outputs: Mapping[str, Output], spec: DataSpec) -> None:
    """Check that no column has two parts to play.

    Raises:
        ConfigError: naming the first that has, and both places.
    """
    places: dict[str, str] = {spec.weight: "data.weight"} if spec.weight else {}
    parts = [(f"data.outputs.{name}.target", output.columns) for name, output in outputs.items()]
    parts += [(f"data.inputs.{n}.{key}", names) for n, each in inputs.items() for key, names in each.reads.items()]
    for key, columns in parts:
        for column in columns:
            if column in places:
                also = "twice" if places[column] == key else f"and by {places[column]}"
                raise ConfigError(f"{key}: {column!r} is named here {also}; a column has one part to play")
            places[column] = key


def _kind(spec: DataSpec, name: str, output: Output, table: Table, loss: Loss | None) -> type[AnyTarget]:
    """What an output predicts; a loss that cannot do it is told at its own key."""
    try:
        return choose(table, output.columns, None if output.task == "auto" else output.task, loss)
    except ConfigError as error:
        key = f"data.outputs.{name}.{error.key.rpartition('.')[2]}" if spec.outputs else error.key
        raise ConfigError(f"{key}: {error}") from None


def _features(spec: DataSpec, table: Table) -> tuple[str, ...]:
    """The columns to learn from, in the order of the table or as written."""
    other = {*spec.target_columns, *spec.exclude, spec.weight}
    if spec.split.by == "group":  # no group of another split is met in training
        other.add(spec.split.column)
    features: Sequence[str] = spec.features or [name for name in table.columns if name not in other]
    if not features:
        raise ConfigError(f"data: {table.name} has no column left to learn from; it has {listed(table.columns)}")
    return tuple(features)
