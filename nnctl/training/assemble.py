"""From an experiment to a job: load the data, infer what the file leaves out, build the network."""

from pathlib import Path
from typing import Literal

import numpy as np

from nnctl.config.architecture import Wanted, build, spelled_out
from nnctl.config.experiment import Experiment
from nnctl.config.loading import Loaded
from nnctl.config.paths import relocated
from nnctl.data.loading import LoadedData, load
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.graph import Signal
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.errors import ConfigError
from nnctl.training.job import Job


def job_of(loaded: Loaded[Experiment], dtype: Literal["float32", "float64"] | None = None) -> Job:
    """The job of a loaded file, in another precision if asked; what is wrong is told with its place.

    Messages about an experiment begin with the key path they are about, which has a line in the file.
    """
    runtime = loaded.spec.runtime.model_copy(update={"dtype": dtype or loaded.spec.runtime.dtype})
    try:
        return assemble(loaded.spec.model_copy(update={"runtime": runtime}), loaded.base)
    except ConfigError as error:
        key = str(error).partition(":")[0].split(".")
        if key[0] not in Experiment.model_fields:
            raise
        raise ConfigError(f"{loaded.document.place(tuple(key))}: {error}") from None


def assemble(experiment: Experiment, base: Path) -> Job:
    """Everything training needs; the job's experiment has every inference written down.

    Raises:
        DataError: where the data cannot be used.
        ConfigError: where data, model, loss and metrics do not fit together.
    """
    dtype = experiment.runtime.dtype
    data = load(experiment.data, base, experiment.seed, dtype, experiment.loss)
    target = data.encoder.target
    loss = (experiment.loss or target.suited_loss[0]).resolved(target.class_names, class_counts(data))
    data = data.for_loss(loss, dtype)
    # Initialisers read files from wherever the process is, so their paths start there now.
    inputs, wanted = {INPUT: Signal(data.train.input_shape)}, {OUTPUT: Wanted(target.outputs(loss), loss)}
    network = build(relocated(experiment, base, Path()).model, inputs, wanted)
    metrics = experiment.metrics if experiment.metrics is not None else target.suited_metrics
    for metric in metrics:
        metric.check(target.task, len(target.names))
    _check_batches(experiment, network, len(data.train))
    model = spelled_out(experiment.model, inputs, wanted)
    resolved = experiment.model_copy(update={"data": data.resolved, "model": model, "loss": loss, "metrics": metrics})
    _check_monitors(resolved, data)
    return Job(resolved, base, data, network, {OUTPUT: Head(loss)}, {OUTPUT: metrics})


def class_counts(data: LoadedData) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Training examples of each class; empty where there are no classes."""
    counts = data.encoder.target.counts(data.train.truth)
    return np.array([counts[name] for name in data.encoder.target.class_names], np.int64)


def _check_batches(experiment: Experiment, network: Network, rows: int) -> None:
    size = experiment.training.batch_size
    if (size == 1 or rows == 1) and any(
        node.layer.needs_several(network.given(node).shape) for node in network.nodes.values()
    ):
        raise ConfigError(
            "training.batch_size: batch normalisation needs at least 2 examples in a batch, as one has no variance; "
            "raise it, or use layer_normalization"
        )


def _check_monitors(experiment: Experiment, data: LoadedData) -> None:
    """What is watched must be computed: the split must exist, and the metric be listed."""
    stopping = experiment.training.early_stopping
    keys = {"loss", *(metric.key for metric in experiment.metrics or ())}
    for place, monitor in (
        ("training.early_stopping.monitor", stopping.monitor if stopping else None),
        ("schedule.monitor", experiment.schedule.monitored),
    ):
        if monitor is None:
            continue
        split, _, key = monitor.partition(".")
        if split == "validation" and data.validation is None:
            raise ConfigError(f"{place} is {monitor}, and there is no validation split; set data.split.validation")
        if key not in keys:
            allowed = ", ".join(f"{split}.{k}" for k in sorted(keys))
            raise ConfigError(f"{place} is {monitor}, which is not computed; there are {allowed}; add it to metrics")
