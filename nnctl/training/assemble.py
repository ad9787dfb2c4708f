"""From an experiment to a job: load the data, infer what the file leaves out, build the network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nnctl.config.architecture import Wanted, build
from nnctl.config.experiment import Experiment
from nnctl.config.loading import Loaded
from nnctl.config.paths import relocated
from nnctl.config.yaml12 import Document
from nnctl.data.loading import LoadedData, load
from nnctl.engine.batch import OUTPUT
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.engine.workers import physical_memory
from nnctl.errors import ConfigError, several
from nnctl.losses import LossSpec
from nnctl.metrics import Metric
from nnctl.names import unknown
from nnctl.training.job import Job
from nnctl.training.tally import named


def job_of(loaded: Loaded[Experiment], dtype: Literal["float32", "float64"] | None = None) -> Job:
    """The job of a loaded file, in another precision if asked; what is wrong is told with its place.

    Messages about an experiment begin with the key path they are about, which has a line in the file.
    """
    runtime = loaded.spec.runtime.model_copy(update={"dtype": dtype or loaded.spec.runtime.dtype})
    try:
        return assemble(loaded.spec.model_copy(update={"runtime": runtime}), loaded.base)
    except ConfigError as error:
        raise ConfigError("\n".join(_placed(line, loaded.document) for line in str(error).split("\n"))) from None


def _placed(line: str, document: Document) -> str:
    """A line of a message, with file and line where it begins with a key path."""
    message = line.lstrip()
    path = tuple(message.partition(":")[0].split("."))
    if path[0] not in Experiment.model_fields:
        return line
    return f"{line.removesuffix(message)}{document.place(path)}: {message}"


def assemble(experiment: Experiment, base: Path) -> Job:
    """Everything training needs; the job's experiment has every inference written down.

    Raises:
        DataError: where the data cannot be used.
        ConfigError: where data, model, loss and metrics do not fit together.
    """
    dtype = experiment.runtime.dtype
    data = load(experiment.data, base, experiment.seed, dtype, experiment.loss)
    losses = {name: _loss(experiment, data, name) for name in data.targets}
    data = data.for_losses(losses)
    # Initialisers read files from wherever the process is, so their paths start there now.
    inputs = {name: fitted.signal for name, fitted in data.inputs.items()}
    wanted = {
        name: Wanted(target.outputs(losses[name]), losses[name], f"{_section(data, name)}loss")
        for name, target in data.targets.items()
    }
    network, model = build(relocated(experiment.model, base, Path()), inputs, wanted)
    metrics = {name: _metrics(experiment, data, name) for name in data.targets}
    _check_batches(experiment, network, len(data.train))
    _check_size(experiment, network)
    _check_trained(experiment, network)
    update: dict[str, Any] = {"data": data.resolved, "model": relocated(model, Path(), base)}
    if data.resolved.outputs:
        outputs = {
            name: output.model_copy(update={"loss": losses[name], "metrics": metrics[name]})
            for name, output in data.resolved.outputs.items()
        }
        update["data"] = data.resolved.model_copy(update={"outputs": outputs})
    else:
        update |= {"loss": losses[OUTPUT], "metrics": metrics[OUTPUT]}
    resolved = experiment.model_copy(update=update)
    _check_monitors(resolved, data, metrics)
    heads = {name: Head(loss, data.outputs[name].weight) for name, loss in losses.items()}
    return Job(resolved, base, data, network, heads, metrics)


def _section(data: LoadedData, output: str) -> str:
    """What stands before the keys of an output in the experiment file."""
    return f"data.outputs.{output}." if data.resolved.outputs else ""


def _loss(experiment: Experiment, data: LoadedData, output: str) -> LossSpec:
    """The loss of an output, with everything inferred from the training data written down."""
    target = data.targets[output]
    loss: LossSpec = data.outputs[output].loss or experiment.loss or target.suited_loss[0]
    try:
        loss.refuse_other_outputs(target.outputs(loss))
        return loss.resolved(target.class_names, class_counts(data, output))
    except ConfigError as error:
        raise ConfigError(f"{_section(data, output)}{error}") from None


def _metrics(experiment: Experiment, data: LoadedData, output: str) -> tuple[Metric, ...]:
    """The metrics of an output."""
    named = bool(data.resolved.outputs)
    if named and experiment.metrics is not None:
        raise ConfigError(f"metrics: is for one output without a name; write data.outputs.{output}.metrics instead")
    target, asked = data.targets[output], data.outputs[output].metrics if named else experiment.metrics
    metrics = target.suited_metrics if asked is None else asked
    for metric in metrics:
        try:
            metric.check(target.no_predictions)
        except ConfigError as error:
            section = _section(data, output)
            wanted = metric.tasks[0]
            remedy = f"; if it is to be {wanted}, write `{section or 'data.'}task: {wanted}`"
            raise ConfigError(f"{section}{error}{'' if target.task in metric.tasks else remedy}") from None
    return metrics


def class_counts(data: LoadedData, output: str = OUTPUT) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Training examples of each class; empty where there are no classes."""
    target = data.targets[output]
    counts = target.counts(data.train.truths[output].present)
    return np.array([counts[name] for name in target.class_names], np.int64)


def _check_size(experiment: Experiment, network: Network) -> None:
    """What is trained must fit into the memory there is: the parameters, their gradient and the optimizer's vectors."""
    vectors = 2 + len(experiment.optimizer.vectors)
    needed = np.dtype(experiment.runtime.dtype).itemsize * network.layout.size * vectors
    if needed > (there := physical_memory()):
        raise ConfigError(
            f"model: has {network.layout.size:,} parameters, which take {needed / 1e9:,.1f} GB with their gradient and "
            f"the optimizer's vectors, and this machine has {there / 1e9:,.1f} GB; make it smaller"
        )


def _check_batches(experiment: Experiment, network: Network, rows: int) -> None:
    size = experiment.training.batch_size
    if (size == 1 or rows == 1) and any(
        node.layer.needs_several(network.given(node).shape) for node in network.nodes.values()
    ):
        raise ConfigError(
            "training.batch_size: batch normalisation needs at least 2 examples in a batch, as one has no variance; "
            "raise it, or use layer_normalization"
        )


def _check_trained(experiment: Experiment, network: Network) -> None:
    """Every output must depend on something that is trained."""
    idle = [output for output, node in network.outputs.items() if node not in network.trained]
    if idle:
        key = f"model.outputs.{idle[0]}" if experiment.model.outputs else "model.layers"
        where = f"before the output {', '.join(idle)} " if len(network.outputs) > 1 else ""
        raise ConfigError(f"{key}: no layer {where}is trained; leave out `trainable: false` in one")


def _check_monitors(experiment: Experiment, data: LoadedData, metrics: Mapping[str, Sequence[Metric]]) -> None:
    """What is watched must be computed: the split must exist, and the metric be listed."""
    stopping = experiment.training.early_stopping
    figures = {name: {"loss": 0.0, **{metric.key: 0.0 for metric in own}} for name, own in metrics.items()}
    keys = {"loss", *named(figures)}
    messages = []
    for place, monitor in (
        ("training.early_stopping.monitor", stopping.monitor if stopping else None),
        ("schedule.monitor", experiment.schedule.monitored),
    ):
        if monitor is None:
            continue
        split, _, key = monitor.partition(".")
        if split == "validation" and data.validation is None:
            messages.append(f"{place}: is {monitor}, and there is no validation split; set data.split.validation")
        elif split not in ("train", "validation"):
            every = [f"{each}.{key}" for each in ("validation", "train") for key in sorted(keys)]
            messages.append(f"{place}: metrics.jsonl has {unknown('figure', monitor, every)}")
        elif key not in keys:
            figure = unknown("figure", key, sorted(keys))
            messages.append(f"{place}: {split} has {figure}; what `metrics` lists is computed")
    if messages:
        raise several(messages)
