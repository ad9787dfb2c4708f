"""Settings that have no effect beside others, or on these data: what is asked for is not done, so it is said."""

from collections.abc import Iterator
from math import ceil

from nnctl.config.model import Model
from nnctl.data.inputs.array import ArrayInput
from nnctl.data.inputs.columns import FittedColumns
from nnctl.data.preprocess import Preprocess
from nnctl.data.sources.npy import Npz
from nnctl.data.spec import DataSpec
from nnctl.engine.shards import plan_shards
from nnctl.metrics.decisions import TopK
from nnctl.spec import Spec
from nnctl.training.job import Job

#: Keys of `data.preprocess` that are about the columns of a table.
OF_COLUMNS = ("categorical", "missing", "unseen", "max_categories", "columns")
#: Keys of the model's short form that are about hidden layers.
OF_HIDDEN = ("activation", "normalization", "dropout")


def idle(job: Job) -> Iterator[str]:
    """Each setting that does nothing, with the reason and what to write instead."""
    yield from _data(job)
    yield from _model(job)
    yield from _training(job)


def _asked(settings: Spec, *keys: str) -> Iterator[tuple[str, object]]:
    """The keys that differ from their defaults, and their values."""
    for key in keys:
        value = getattr(settings, key)
        if value != type(settings).model_fields[key].get_default(call_default_factory=True):
            yield key, value


def _data(job: Job) -> Iterator[str]:
    data, inputs = job.experiment.data, job.data.fitted.inputs
    prepare, columns = data.preprocess, [each for each in inputs.values() if isinstance(each, FittedColumns)]
    if not columns:
        for key, value in _asked(prepare, *OF_COLUMNS):
            shown = f"names {', '.join(prepare.columns)}" if key == "columns" else f"is {value}"
            yield f"data.preprocess.{key}: {shown}, and no input is made of columns; take it out"
    elif len(columns) == len(inputs):
        yield from _of_arrays(prepare)
    if columns:
        yield from _of_columns(data, {name for each in columns for name in each.reads})
    if all(target.task != "regression" for target in job.data.targets.values()):
        for key, value in _asked(prepare, "target"):
            yield f"data.preprocess.{key}: is {value}, and nothing that is predicted is a number; take it out"
    source = data.source or data.train
    if isinstance(source, Npz) and not isinstance(source.inputs, str):
        names = source.inputs
        used = {each.array or names[0] for each in data.inputs.values() if isinstance(each, ArrayInput)} or {names[0]}
        idle_arrays = [name for name in names if name not in used]
        if idle_arrays:
            first = "source" if data.source is not None else "train"
            yield (
                f"data.{first}.inputs: lists {', '.join(idle_arrays)}, which no input is made of; take it out, or "
                f"write data.inputs: {{{idle_arrays[0]}: {{type: array, array: {idle_arrays[0]}}}}}"
            )


def _of_arrays(prepare: Preprocess) -> Iterator[str]:
    if prepare.by == "channel":
        yield "data.preprocess.by: is channel, and every input is made of columns, which have none; take it out"
    if prepare.numeric == "scale":
        yield (
            "data.preprocess.numeric: is scale, which is for arrays of unsigned bytes, and every input is made of "
            "columns; write standardize or min_max"
        )


def _of_columns(data: DataSpec, read: set[str]) -> Iterator[str]:
    """What is said of columns that are not read, or are of another kind."""
    for name, options in data.preprocess.columns.items():
        place = f"data.preprocess.columns.{name}"
        if name not in read:
            yield f"{place}: the column is not learned from; take it out, or learn from the column"
            continue
        kind = data.types.get(name, "numeric")
        for key in ("numeric",) if kind == "categorical" else ("categorical", "unseen"):
            value = getattr(options, key)
            if value is not None:
                other = "numeric" if kind == "categorical" else "categorical"
                yield (
                    f"{place}.{key}: is {value}, and the column is {kind}; take it out, or write data.types: "
                    f"{{{name}: {other}}}"
                )
    if "categorical" not in {data.types.get(name) for name in read}:
        for key, value in _asked(data.preprocess, "categorical", "max_categories"):
            yield f"data.preprocess.{key}: is {value}, and no column is categorical; take it out"


def _model(job: Job) -> Iterator[str]:
    model: Model = job.experiment.model
    if not model.hidden and model.layers is None:
        for key, value in _asked(model, *OF_HIDDEN):
            shown = getattr(value, "type", value)
            yield f"model.{key}: is {shown}, and there is no hidden layer; take it out, or write hidden: [16]"
    if len(job.data.inputs) < 2:
        for key, value in _asked(model, "join"):
            yield f"model.{key}: is {getattr(value, 'type', value)}, and there is one input; take it out"
    for name, metrics in job.metrics.items():
        place = f"data.outputs.{name}.metrics" if job.experiment.data.outputs else "metrics"
        classes = len(job.data.targets[name].class_names)
        for metric in metrics:
            if isinstance(metric, TopK) and metric.k >= classes:
                yield f"{place}: {metric.key} is 1 whatever is predicted of {classes} classes; take a smaller k"


def _training(job: Job) -> Iterator[str]:
    training, runtime = job.experiment.training, job.experiment.runtime
    rows, batches = len(job.data.train), ceil(len(job.data.train) / job.batch_size)
    if training.clip_norm is not None and training.clip_value is not None and training.clip_value >= training.clip_norm:
        yield (
            f"training.clip_value: is {training.clip_value:g}, and no entry is above it once the norm is at most "
            f"clip_norm, {training.clip_norm:g}; take one of the two out"
        )
    if training.batch_size == "full" and not training.shuffle:
        yield "training.shuffle: is false, and a full batch has no order; take it out"
    for key, value in _asked(training, "batch_size"):
        if value != "full" and int(str(value)) > rows:
            yield f"training.{key}: is {value}, and training has {rows} examples; write full"
    if training.accumulate > batches:
        yield (
            f"training.accumulate: is {training.accumulate} batches a step, and an epoch has {batches}; write "
            f"{batches}, or a smaller batch_size"
        )
    shards = len(plan_shards(job.network, job.batch_size, job.most_shards))
    why = f"a batch is cut into {shards}"
    if training.shards != "auto" and training.shards > shards:
        yield f"training.shards: is {training.shards}, and {why}, as its size and the layers allow; write auto"
    if runtime.ranks > shards:
        yield f"runtime.ranks: is {runtime.ranks}, and {why}: other ranks have nothing to do; write {shards}"
    if runtime.ranks > 1 and runtime.threads != "auto":
        yield f"runtime.threads: is {runtime.threads}, and ranks train in place of threads; take one of the two out"
    for name, head in job.heads.items():
        place = f"data.outputs.{name}.loss" if job.experiment.data.outputs else "loss"
        weights = getattr(head.loss, "class_weights", None)
        if weights is None:
            continue
        if job.experiment.data.weight is not None:
            yield (
                f"{place}.class_weights: stand beside data.weight, and an example counts its own weight times that of "
                "its class; take one of the two out unless that is meant"
            )
        if getattr(head.loss, "positive_weight", 1.0) not in (1.0, None):
            yield (
                f"{place}.positive_weight: stands beside class_weights, and the positive class counts both; take one "
                "of the two out"
            )
