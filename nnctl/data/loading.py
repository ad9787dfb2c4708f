"""From the `data` section to the splits a network is trained and measured on: read, deal out, fit, encode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data import augmentation
from nnctl.data.dataset import Dataset
from nnctl.data.dealing import cut, spans
from nnctl.data.fitted import Fitted
from nnctl.data.inputs import FittedInput
from nnctl.data.outputs import Output
from nnctl.data.preprocess import LOGARITHMIC, TargetScaling
from nnctl.data.reading import Opened, Raw, in_folder, read
from nnctl.data.report import Problem, Report, duplicate_problems, left_out_problems
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.delimited import Delimited
from nnctl.data.spec import DataSpec, PartName, Split
from nnctl.data.tables import Table
from nnctl.data.targets import Numbers, Target, Truth, in_order
from nnctl.engine.batch import OUTPUT
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError


class Part(NamedTuple):
    """Where the rows of a split are, and which they are."""

    source: str
    rows: Array


@dataclass(frozen=True)
class LoadedData:
    """The splits, and what they were made with.

    Attributes:
        outputs: what the section says of each output.
        resolved: the `data` section with every default and inference written down; loading it again
            gives the same bits.
    """

    train: Dataset
    validation: Dataset | None
    test: Dataset | None
    fitted: Fitted
    outputs: Mapping[str, Output]
    report: Report
    resolved: DataSpec

    @property
    def inputs(self) -> Mapping[str, FittedInput]:
        """The inputs, by name."""
        return self.fitted.inputs

    @property
    def targets(self) -> Mapping[str, Target]:
        """The targets, by output."""
        return self.fitted.outputs

    def for_losses(self, losses: Mapping[str, Loss]) -> LoadedData:
        """The same examples with their targets as losses take them, by output.

        Raises:
            ConfigError: where a loss does not take what an augmentation makes of its targets.
        """
        for feed in self.train.inputs.values():
            for loss in losses.values():
                augmentation.check_loss(feed.augmentations, loss, "data.augment")
        return replace(
            self,
            train=self.train.for_losses(losses),
            validation=self.validation and self.validation.for_losses(losses),
            test=self.test and self.test.for_losses(losses),
        )


def load(spec: DataSpec, base: Path, seed: int, dtype: DTypeLike, loss: Loss | None = None) -> LoadedData:
    """Read, deal out, fit and encode.

    Args:
        spec: the `data` section.
        base: the folder that relative paths start from.
        seed: of the experiment; decides the split.
        dtype: of inputs and targets.
        loss: of an output that is not named; decides between kinds of target where a column could be several, and
            how targets are encoded. Without it, call `for_losses` on the result before training.

    Raises:
        ConfigError: where the section names columns that are not there, or a loss does not fit its target.
        DataError: where the data cannot be read or encoded.
    """
    raw = read(spec, base, loss)
    parts, problems = deal(raw, spec, seed)
    fitted = fit(raw, spec, parts["train"].rows)
    datasets = {}
    for name, part in parts.items():
        # Which rows of the source came to lie in training is chance: a rare category must not stop it.
        unseen: Literal["other"] | None = "other" if part.source == "train" else None
        datasets[name] = encode(fitted, raw.opened[part.source], part.rows, dtype, unseen)
        for output, truth in datasets[name].truths.items():
            if name == "train" and truth.known is not None and not truth.known.any():
                raise DataError(f"output {output}: no training row has its target; nothing could be learned of it")
    changes = {name: each.augmentations for name, each in raw.inputs.items()}
    train = datasets["train"]
    if train.w is not None and not train.w.any():
        raise DataError(f"every training row has the weight 0 in column {spec.weight!r}; nothing could be learned")
    feeds = {name: replace(feed, augmentations=changes[name]) for name, feed in train.inputs.items()}
    report = _report(raw, spec, parts, fitted, datasets, problems)
    held_out = datasets.get("validation"), datasets.get("test")
    loaded = LoadedData(replace(train, inputs=feeds), *held_out, fitted, raw.outputs, report, _resolved(spec, raw))
    return loaded if loss is None else loaded.for_losses({OUTPUT: loss})


def deal(raw: Raw, spec: DataSpec, seed: int) -> tuple[dict[str, Part], list[Problem]]:
    """Deal the rows out to the splits, at random by the seed, and what is odd about the result.

    Raises:
        ConfigError: where every split should have its share of classes, and there are none.
        DataError: where no row is left to train on.
    """
    shares, rows = (spec.share("validation"), spec.share("test")), raw.opened["train"].usable
    stratified = [name for name, kind in raw.targets.items() if kind.stratified]
    if spec.split.stratify is True and not stratified:
        tasks = " and ".join(dict.fromkeys(kind.task for kind in raw.targets.values()))
        raise ConfigError(f"data.split.stratify: needs classes, and the task is {tasks}; write auto or false")
    strata = None
    if spec.split.by == "row" and spec.split.stratify and stratified and any(shares):
        table = raw.opened["train"].table
        groups = [raw.targets[name].strata(table, raw.outputs[name].columns) for name in stratified]
        strata = np.stack([group[rows] for group in groups if group is not None], axis=1)
    chosen = cut(raw, spec, seed, strata)
    parts = {"train": Part("train", rows[chosen.train])}
    problems: list[Problem] = []
    held_out: dict[PartName, Array] = {"validation": chosen.validation, "test": chosen.test}
    for name, own in held_out.items():
        if name in raw.opened:
            parts[name] = Part(name, raw.opened[name].usable)
        elif len(own):
            parts[name] = Part("train", rows[own])
        elif spec.share(name):
            message = f"{len(rows)} rows are too few for a {name} split of {spec.share(name):.0%}; there is none"
            problems.append(Problem("split", message))
    return parts, problems


def fit(raw: Raw, spec: DataSpec, rows: Array) -> Fitted:
    """Choose everything that is chosen from training rows, and from no others."""
    opened, prepare = raw.opened["train"], spec.preprocess
    if prepare.target in LOGARITHMIC and Numbers not in raw.targets.values():
        tasks = " and ".join(dict.fromkeys(kind.task for kind in raw.targets.values()))
        raise ConfigError(
            f"data.preprocess.target: is {prepare.target}, and the task is {tasks}; take it out, or write "
            "task: regression if the target is an amount"
        )
    scaling = {name: scaling_for(loss, prepare.target) for name, loss in raw.losses.items()}
    inputs = {name: each.fitted(opened.values[name], rows, prepare, raw.kinds) for name, each in raw.inputs.items()}
    targets = {
        name: in_order(
            kind.fit(opened.table, raw.outputs[name].columns, scaling[name], rows),
            raw.outputs[name].order,
            raw.losses[name],
            f"data.outputs.{name}.order" if spec.outputs else "data.order",
        )
        for name, kind in raw.targets.items()
    }
    return Fitted(inputs=inputs, outputs=targets, weight=spec.weight)


def scaling_for(loss: Loss | None, asked: TargetScaling) -> TargetScaling:
    """How numbers to be predicted are scaled, asked for or as the loss wants them.

    Raises:
        ConfigError: where the loss wants them as they are, and is not to have them so.
    """
    if loss is None or not loss.in_own_units:
        return asked
    if asked not in ("auto", "none"):
        raise ConfigError(
            f"data.preprocess.target: is {asked}, and {loss.type} takes numbers as they are; write none, or leave "
            "it out"
        )
    return "none"


def encode(
    fitted: Fitted, opened: Opened, rows: Array, dtype: DTypeLike, unseen: Literal["other"] | None = None
) -> Dataset:
    """Rows of a source as examples; `unseen` beats what columns say of new categories.

    Raises:
        DataError: with the place of a value that cannot be.
    """
    feeds = {name: each.feed(opened.values[name], rows, dtype, unseen) for name, each in fitted.inputs.items()}
    table = opened.table if len(rows) == len(opened.table) else opened.table.take(rows)
    if list(fitted.outputs) == [OUTPUT]:
        truths = {OUTPUT: Truth(fitted.outputs[OUTPUT], fitted.outputs[OUTPUT].read_all(table))}
    else:
        truths = {name: target.truth(table) for name, target in fitted.outputs.items()}
    return Dataset(feeds, truths, opened.numbers[rows], fitted.weights(table), files=opened.files)


def load_for_evaluation(
    fitted: Fitted,
    source: Source,
    base: Path,
    dtype: DTypeLike,
    losses: Mapping[str, Loss],
    warn: Callable[[str], None] | None = None,
    note: Callable[[str], None] | None = None,
) -> Dataset:
    """New examples with their targets, encoded as the model's training examples were.

    Malformed ones are left out where there is a `warn` to tell of them, and else refused. Of several outputs, those
    are left out of which the source has no target, unless it has none at all.
    """
    source = fitted.suited(source).needing([*fitted.reads, *fitted.target_columns])
    data = in_folder(source.open(base, skip_malformed=warn is not None), source, base)
    if note is not None and isinstance(data, Table) and data.note:
        note(data.note)
    if warn is not None:
        for problem in left_out_problems(data.malformed):
            warn(problem.message)
    table = data if isinstance(data, Table) else data.target_table(fitted.target_columns)
    present = {name: target for name, target in fitted.outputs.items() if {*target.columns} <= {*table.columns}}
    if present:
        fitted = fitted.model_copy(update={"outputs": present})
    values = {name: each.read(data) for name, each in fitted.inputs.items()}
    rows = np.arange(len(data))
    files = data.files if isinstance(data, Arrays) else None
    return encode(fitted, Opened(table, rows + 1, rows, values, files), rows, dtype).for_losses(losses)


def _report(
    raw: Raw,
    spec: DataSpec,
    parts: Mapping[str, Part],
    fitted: Fitted,
    datasets: Mapping[str, Dataset],
    problems: list[Problem],
) -> Report:
    """What a user should know about the data before believing a model."""
    train, several = datasets["train"], len(fitted.outputs) > 1
    found = left_out_problems(raw.malformed, raw.dropped)
    classes: dict[str, dict[str, dict[str, int]]] = {}
    for name, target in fitted.outputs.items():
        counts = {split: target.counts(data.truths[name].present) for split, data in datasets.items()}
        classes |= {name: counts} if counts["train"] else {}
        prefix = f"{name}: " if several else ""
        found += [Problem("classes", prefix + text) for text in target.warnings(train.truths[name].present)]
    found += [*raw.doubts, *problems]
    truths, missing = list(train.truths.values()), dict[str, int]()
    for name, part in parts.items():
        for key, each in fitted.inputs.items():
            found += each.unseen(raw.opened[part.source].values[key], part.rows, name)
    for key, each in fitted.inputs.items():
        found += each.problems(raw.opened["train"].values[key], parts["train"].rows, truths)
        for opened in raw.opened.values():
            for column, count in each.missing(opened.values[key]).items():
                missing[column] = missing.get(column, 0) + count
    whole = {name: _row_hashes(raw, part) for name, part in parts.items()} if fitted.of_table else {}
    found += duplicate_problems(
        {name: _hashes(raw, part, fitted, datasets[name]) for name, part in parts.items()}, whole
    )
    rows = {name: len(data) for name, data in datasets.items()}
    known = {
        name: {split: len(data.truths[name].present) for split, data in datasets.items()}
        for name in fitted.outputs
        if any(data.truths[name].known is not None for data in datasets.values())
    }
    own = {name: part.rows for name, part in parts.items() if part.source == "train"}
    return Report(
        rows, raw.dropped, raw.malformed, missing, classes, tuple(found), known, raw.digests, spans(raw, spec, own)
    )


def _hashes(raw: Raw, part: Part, fitted: Fitted, data: Dataset) -> Array:
    """A number for each row that rows with equal inputs and targets share."""
    import polars as pl

    values = raw.opened[part.source].values
    inputs = [pl.Series(name, each.hashes(values[name], part.rows)) for name, each in fitted.inputs.items()]
    truths = [pl.Series(f" {name}", [t.tobytes() for t in truth.values]) for name, truth in data.truths.items()]
    return pl.DataFrame([*inputs, *truths]).hash_rows().to_numpy()


def _row_hashes(raw: Raw, part: Part) -> Array:
    """A number for each row of a table that rows share which are equal in every column of single values."""
    import polars as pl

    frame = raw.opened[part.source].table.take(part.rows).frame
    single = sorted(name for name, kind in frame.schema.items() if not kind.is_nested())
    return frame.select(pl.col(single).cast(pl.String)).hash_rows().to_numpy()


def _resolved(spec: DataSpec, raw: Raw) -> DataSpec:
    """The section with what was inferred written down; the names of columns that a file has no header for, too."""
    own = {part: spec.train is not None or getattr(spec, part) is not None for part in ("validation", "test")}
    stratified = any(kind.stratified for kind in raw.targets.values())
    cut = Split(
        validation=None if own["validation"] else spec.share("validation"),
        test=None if own["test"] else spec.share("test"),
        stratify=(stratified and spec.split.by == "row") if spec.split.stratify == "auto" else spec.split.stratify,
        by=spec.split.by,
        column=spec.split.column,
    )
    update: dict[str, object] = {"split": cut, "types": dict(raw.kinds)}
    for key, source in (("source", spec.source), ("train", spec.train)):
        if isinstance(source, Delimited) and not source.header and source.columns is None:
            columns = tuple(raw.opened["train"].table.columns)
            update[key] = source.model_copy(update={"columns": columns})
    if spec.split.column in spec.types:  # which need not be a feature
        update["types"] = {spec.split.column: spec.types[spec.split.column], **raw.kinds}
    if spec.outputs:
        tasks = {name: kind.task for name, kind in raw.targets.items()}
        update["outputs"] = {n: each.model_copy(update={"task": tasks[n]}) for n, each in spec.outputs.items()}
    else:
        update["task"] = raw.targets[OUTPUT].task
    if not spec.inputs:
        update["features"] = next(iter(raw.inputs.values())).features or None
    return spec.model_copy(update=update)
