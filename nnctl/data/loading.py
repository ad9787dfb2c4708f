"""From the `data` section to the parts a network is trained and measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data import augmentation
from nnctl.data.columns import fit_column, kinds_of, typed
from nnctl.data.dataset import Dataset
from nnctl.data.encoder import (
    ArrayEncoder,
    Encoder,
    TableEncoder,
    fit_array,
    refuse_non_finite,
    target_table,
)
from nnctl.data.report import (
    Problem,
    Report,
    array_problems,
    column_problems,
    duplicate_problems,
    left_out_problems,
    row_hashes,
    unseen_problems,
)
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.files import STDIN, resolve, sha256
from nnctl.data.sources.images import MalformedImage
from nnctl.data.spec import DataSpec, Kind, PartName, Split, TargetScaling
from nnctl.data.splitting import split
from nnctl.data.tables import Table, listed
from nnctl.data.targets import AnyTarget, Target, choose, with_target
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.metrics.predictions import Predictions
from nnctl.spec import nearest


@dataclass(frozen=True)
class LoadedData:
    """The parts, and what they were made with.

    Attributes:
        resolved: the `data` section with every default and inference written down; loading it again
            gives the same bits.
    """

    train: Dataset
    validation: Dataset | None
    test: Dataset | None
    encoder: Encoder
    report: Report
    resolved: DataSpec

    def for_loss(self, loss: Loss, dtype: DTypeLike) -> LoadedData:
        """The same examples with their targets as the loss takes them.

        Raises:
            ConfigError: where the loss does not take what an augmentation makes of them.
        """
        augmentation.check_loss(self.resolved.augment, loss)
        return replace(
            self,
            train=self.train.for_loss(loss, dtype),
            validation=self.validation and self.validation.for_loss(loss, dtype),
            test=self.test and self.test.for_loss(loss, dtype),
        )

    def predictions(self, loss: Loss, data: Dataset, outputs: Array) -> Predictions:
        """A network's outputs for all examples of a part, beside the truth, for the metrics."""
        return predictions(loss, data, outputs)

    def train_predictions(self, loss: Loss, outputs: Array, order: Array) -> Predictions:
        """The same for outputs that belong to the training examples in the given order."""
        return predictions(loss, self.train, outputs, order)


def predictions(loss: Loss, data: Dataset, outputs: Array, order: Array | slice = slice(None)) -> Predictions:
    """A network's outputs beside the truth, in the target's own terms."""
    target = data.encoder.target
    weights = None if data.w is None else data.w[order]
    return target.predictions(target.decode(loss.predict(outputs)), data.truth[order], weights)


def load(spec: DataSpec, base: Path, seed: int, dtype: DTypeLike, loss: Loss | None = None) -> LoadedData:
    """Read, split and encode.

    Args:
        spec: the `data` section.
        base: the folder that relative paths start from.
        seed: of the experiment; decides the split.
        dtype: of inputs and targets.
        loss: decides between tasks where a target allows several, and how targets are encoded. Without
            it, call `for_loss` on the result before training.

    Raises:
        ConfigError: where the section names columns that are not there, or the loss does not fit the target.
        DataError: where the data cannot be read or encoded.
    """
    opened = {name: _opened(source, base, skip_malformed=spec.malformed == "skip") for name, source in _sources(spec)}
    malformed = tuple(place for data in opened.values() for place in data.malformed)
    tables = {name: data for name, data in opened.items() if isinstance(data, Table)}
    if tables and len(tables) < len(opened):
        raise ConfigError("data: some parts are tables and some arrays; give all of them in one kind")
    arrays = {name: data for name, data in opened.items() if isinstance(data, Arrays)}
    loaded = _load_tables(spec, tables, seed, dtype, loss) if tables else _load_arrays(spec, arrays, seed, loss)
    files = {path: digest for name, s in _sources(spec) for path, digest in _digests(s, opened[name], base).items()}
    problems = (*left_out_problems(malformed, loaded.report.dropped), *loaded.report.problems)
    loaded = replace(loaded, report=replace(loaded.report, malformed=malformed, files=files, problems=problems))
    return loaded if loss is None else loaded.for_loss(loss, dtype)


def _opened(source: Source, base: Path, *, skip_malformed: bool) -> Table | Arrays:
    try:
        return source.open(base, skip_malformed=skip_malformed)
    except MalformedImage as error:
        raise DataError(f"{error}; `data.malformed: skip` leaves such images out of training") from None


def _digests(source: Source, data: Table | Arrays, base: Path) -> dict[str, str]:
    """The hash of what lies at each path of a source."""
    if isinstance(data, Arrays) and data.digest is not None:
        return dict.fromkeys(source.files(), data.digest)
    return {path: sha256(resolve(path, base)) for path in source.files() if path != STDIN}


def load_for_evaluation(
    encoder: Encoder,
    source: Source,
    base: Path,
    dtype: DTypeLike,
    loss: Loss,
    warn: Callable[[str], None] | None = None,
) -> Dataset:
    """New examples with their targets, encoded as the model's training examples were.

    Malformed ones are left out where there is a `warn` to tell of them, and else refused.
    """
    suited = source.suited(encoder.shape) if isinstance(encoder, ArrayEncoder) else source
    data = suited.open(base, skip_malformed=warn is not None)
    if warn is not None:
        for problem in left_out_problems(data.malformed):
            warn(problem.message)
    truth = encoder.truth(data)
    if isinstance(encoder, ArrayEncoder):
        x = encoder.raw(data)
        refuse_non_finite(x, data.name)
    else:
        x = encoder.inputs(data, dtype)
    files = data.files if isinstance(data, Arrays) else None
    return Dataset(encoder, x, truth, truth, encoder.weights(data), files=files).for_loss(loss, dtype)


def _sources(spec: DataSpec) -> list[tuple[str, Source]]:
    """What there is to open, the examples to train on first."""
    named = [("train", spec.source or spec.train), ("validation", spec.validation), ("test", spec.test)]
    return [(name, source) for name, source in named if source is not None]


def _load_tables(
    spec: DataSpec, opened: Mapping[str, Table], seed: int, dtype: DTypeLike, loss: Loss | None
) -> LoadedData:
    if spec.augment:
        raise ConfigError(
            f"data.augment: changes arrays, such as images, and {opened['train'].name} is a table; the layers dropout "
            "and gaussian_noise disturb its columns"
        )
    _check_names(spec, opened["train"])
    features = _features(spec, opened["train"])
    tables = {name: with_target(table, spec.targets, spec.missing_target) for name, table in opened.items()}
    dropped = sum(len(opened[name]) - len(table) for name, table in tables.items())
    for table in tables.values():
        table.require([*features, *([spec.weight] if spec.weight else [])])
    kinds = kinds_of(tables["train"], features, spec.types)
    tables = {name: typed(table, kinds) for name, table in tables.items()}

    kind = choose(tables["train"], spec.targets, None if spec.task == "auto" else spec.task, loss)
    parts, problems = _deal(spec, tables, spec.targets, kind, seed)
    train_rows = parts["train"][1]
    train = tables["train"].take(train_rows)
    prepare = spec.preprocess
    encoder = TableEncoder(
        columns=tuple(fit_column(train, f, kinds[f], prepare.options(f), prepare.max_categories) for f in features),
        target=kind.fit(tables["train"], spec.targets, scaling_for(loss, prepare.target), train_rows),
        weight=spec.weight,
    )
    datasets, hashes = {}, {}
    for part, (name, rows) in parts.items():
        table = tables[name].take(rows)
        # Which rows of the source came to lie in training is chance: a rare category must not stop it.
        x = encoder.inputs(table, dtype, unseen="other" if name == "train" else None)
        truth = encoder.truth(table)
        datasets[part] = Dataset(encoder, x, truth, truth, encoder.weights(table))
        hashes[part] = row_hashes(table, np.arange(len(table)), features, truth)
        problems += unseen_problems(table, part, encoder)
    _check_weights(datasets["train"], spec)
    problems += column_problems(train, encoder, datasets["train"].truth) + duplicate_problems(hashes)
    nulls = [table.frame.select(features).null_count().row(0) for table in tables.values()]
    missing = dict(zip(features, map(sum, zip(*nulls, strict=True)), strict=True))
    missing = {f: n for f, n in missing.items() if n}
    return _loaded(datasets, problems, _resolved(spec, encoder.target, kinds), dropped, missing)


def scaling_for(loss: Loss | None, asked: TargetScaling) -> TargetScaling:
    """How numbers to be predicted are scaled, asked for or as the loss wants them.

    Raises:
        ConfigError: where the loss wants them as they are, and is not to have them so.
    """
    if loss is None or not loss.in_own_units:
        return asked
    if asked == "standardize":
        raise ConfigError(
            f"data.preprocess.target: is standardize, and {loss.type} takes numbers as they are; write none, or leave "
            "it out"
        )
    return "none"


def _load_arrays(spec: DataSpec, opened: Mapping[str, Arrays], seed: int, loss: Loss | None) -> LoadedData:
    for key in ("features", "exclude", "weight", "types"):
        if getattr(spec, key):
            raise ConfigError(f"data.{key}: names columns, and {opened['train'].name} is an array, which has none")
    arrays = {name: data.with_labels() for name, data in opened.items()}
    names = spec.targets or tuple(target_table(arrays["train"]).columns)
    labels = {name: with_target(target_table(data, names), names) for name, data in arrays.items()}
    for data in arrays.values():
        refuse_non_finite(data.x, data.name)
    augmentation.check(spec.augment, arrays["train"].shape)

    kind = choose(labels["train"], names, None if spec.task == "auto" else spec.task, loss)
    parts, problems = _deal(spec, labels, names, kind, seed)
    train_rows = parts["train"][1]
    target = kind.fit(labels["train"], names, scaling_for(loss, spec.preprocess.target), train_rows)
    encoder = fit_array(arrays["train"].x, train_rows, spec.preprocess.numeric, target, spec.preprocess.by)
    datasets, hashes = {}, {}
    for part, (name, rows) in parts.items():
        truth = target.read_all(labels[name].take(rows))
        changes = spec.augment if part == "train" else ()
        x, files = encoder.raw(arrays[name]), arrays[name].files
        datasets[part] = Dataset(encoder, x, truth, truth, None, rows, changes, files)
        hashes[part] = row_hashes(arrays[name], rows, [], truth)
    problems += array_problems(arrays["train"], train_rows) + duplicate_problems(hashes)
    return _loaded(datasets, problems, _resolved(spec, target, {}))


def _deal(
    spec: DataSpec, tables: Mapping[str, Table], targets: Sequence[str], kind: type[AnyTarget], seed: int
) -> tuple[dict[str, tuple[str, Array]], list[Problem]]:
    """For each part, where its rows are and which they are."""
    shares = (spec.share("validation"), spec.share("test"))
    strata = kind.strata(tables["train"], targets) if spec.split.stratify and any(shares) else None
    if spec.split.stratify is True and not kind.stratified:
        raise ConfigError(f"data.split.stratify: needs classes, and the task is {kind.task}; write auto or false")
    cut = split(len(tables["train"]), *shares, seed, strata)
    parts: dict[str, tuple[str, Array]] = {"train": ("train", cut.train)}
    problems: list[Problem] = []
    held_out: dict[PartName, Array] = {"validation": cut.validation, "test": cut.test}
    for part, rows in held_out.items():
        if part in tables:
            parts[part] = (part, np.arange(len(tables[part])))
        elif len(rows):
            parts[part] = ("train", rows)
        elif spec.share(part):
            message = (
                f"{len(tables['train'])} rows are too few for a {part} split of {spec.share(part):.0%}; there is none"
            )
            problems.append(Problem("split", message))
    return parts, problems


def _loaded(
    datasets: Mapping[str, Dataset],
    problems: Sequence[Problem],
    resolved: DataSpec,
    dropped: int = 0,
    missing: Mapping[str, int] | None = None,
) -> LoadedData:
    encoder = datasets["train"].encoder
    target, counts = encoder.target, {part: encoder.target.counts(data.truth) for part, data in datasets.items()}
    report = Report(
        rows={part: len(data) for part, data in datasets.items()},
        dropped=dropped,
        missing=missing or {},
        classes=counts if any(counts.values()) else {},
        problems=(*(Problem("classes", text) for text in target.warnings(datasets["train"].truth)), *problems),
    )
    return LoadedData(datasets["train"], datasets.get("validation"), datasets.get("test"), encoder, report, resolved)


def _resolved(spec: DataSpec, target: Target, kinds: Mapping[str, Kind]) -> DataSpec:
    """The section with what was inferred written down."""
    own = {part: spec.train is not None or getattr(spec, part) is not None for part in ("validation", "test")}
    stratify = target.stratified if spec.split.stratify == "auto" else spec.split.stratify
    cut = Split(
        validation=None if own["validation"] else spec.share("validation"),
        test=None if own["test"] else spec.share("test"),
        stratify=stratify,
    )
    return spec.model_copy(
        update={"task": target.task, "split": cut, "features": tuple(kinds) or None, "types": dict(kinds)}
    )


def _check_names(spec: DataSpec, table: Table) -> None:
    """Check that the columns the section names are there.

    Raises:
        ConfigError: naming the first that is not, where it is named, and the nearest.
    """
    if not spec.targets:
        raise ConfigError(f"data.target: name the column to predict; {table.name} has {listed(table.columns)}")
    named: dict[str, Iterable[str]] = {
        "target": spec.targets,
        "weight": [spec.weight] if spec.weight else [],
        "features": spec.features or (),
        "exclude": spec.exclude,
        "types": spec.types,
        "preprocess.columns": spec.preprocess.columns,
    }
    for key, names in named.items():
        for name in names:
            if name not in table.columns:
                near = nearest(name, table.columns)
                hint = f"did you mean {near!r}? " if near else ""
                raise ConfigError(
                    f"data.{key}: {table.name} has no column {name!r}; {hint}its columns are {listed(table.columns)}"
                )


def _features(spec: DataSpec, table: Table) -> list[str]:
    """The columns to learn from, in the order of the table or as written."""
    other = {*spec.targets, *spec.exclude, spec.weight}
    features = list(spec.features or (name for name in table.columns if name not in other))
    if not features:
        raise ConfigError(f"data: {table.name} has no column left to learn from; it has {listed(table.columns)}")
    return features


def _check_weights(train: Dataset, spec: DataSpec) -> None:
    if train.w is not None and not train.w.any():
        raise DataError(f"every training row has the weight 0 in column {spec.weight!r}; nothing could be learned")
