"""A trained model's figures on examples it has not seen, beside those of the baseline."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from nnctl.data.dataset import Dataset
from nnctl.data.loading import load_for_evaluation
from nnctl.data.sources import Idx, Npy, Npz, source_of
from nnctl.data.sources.files import STDIN
from nnctl.data.targets import Target
from nnctl.engine.loss import Loss
from nnctl.engine.means import counted
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError, DataError
from nnctl.metrics import Metric, Predictions, evaluate
from nnctl.names import unknown
from nnctl.runs.directory import RunDirectory
from nnctl.runs.model import Model
from nnctl.suggest.files import targets_beside
from nnctl.training.assemble import assemble
from nnctl.training.evaluate import Evaluator
from nnctl.training.tally import named

Split = Literal["train", "validation", "test"]
#: The split that is measured where none is named: the first there is.
PREFERRED: tuple[Split, ...] = ("test", "validation", "train")
#: Outputs of the baseline that are laid out at a time.
VALUES = 1 << 20


@dataclass(frozen=True)
class Evaluation:
    """All there is to say of one output on the examples that have its target.

    Attributes:
        target: what was predicted.
        figures: the loss and the metrics by name.
        baseline: the same of the trivial answer, but for a loss of scores, which has none.
        answer: that answer in words.
        predictions: outputs beside the truth.
        losses: of each example, without its weight; (n,).
        metrics: those of the figures, in their order.
    """

    target: Target
    figures: dict[str, float]
    baseline: dict[str, float]
    answer: str
    predictions: Predictions
    losses: Array
    metrics: tuple[Metric, ...] = ()

    def targets(self) -> dict[str, dict[str, float]]:
        """The usual metrics of every column of a numeric target; none for classes."""
        return self.target.by_column(self.predictions)


@dataclass(frozen=True)
class Measured:
    """All there is to say of a model on some examples.

    Attributes:
        loss: the weighted sum of the outputs' losses.
        outputs: by name; those that the examples have the target of.
        losses: of each example, the same sum without its weight; (n,). An output whose target is not known adds 0.
        several: whether the model has several outputs, whose figures begin with their names.
    """

    loss: float
    outputs: dict[str, Evaluation]
    losses: Array
    several: bool = False

    @property
    def figures(self) -> dict[str, float]:
        """The loss and the figures of all outputs by one name each, as in metrics.jsonl."""
        figures = {name: each.figures for name, each in self.outputs.items()}
        return {"loss": self.loss, **named(figures, several=self.several)}


def measure(model: Model, data: Dataset, metrics: Mapping[str, Sequence[Metric]] | None = None) -> Measured:
    """Loss and metrics of a model on encoded examples, and of the answer that looks at no feature.

    `metrics` are those of each output; left out, none. Outputs whose target the examples lack are left out.
    """
    heads = {name: head for name, head in model.heads.items() if name in data.truths}
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"), Workers(os.cpu_count() or 1) as workers:
        tally, ys, losses = Evaluator(model.network, heads, model.theta, workers)(data)
        means, total, outputs = tally.means(), np.zeros(len(data)), {}
        for name, head in heads.items():
            truth, target, each = data.truths[name], model.fitted.outputs[name], losses[name]
            total += head.weight * (each if truth.known is None else np.where(truth.known, each, 0.0))
            trivial, own = np.array(model.facts.baseline[name]), tuple((metrics or {}).get(name, ()))
            p, loss = data.predictions(name, ys[name]), _loss_of(trivial, data, name, head.loss)
            outputs[name] = Evaluation(
                target,
                {"loss": means[name], **evaluate(own, p)},
                ({} if loss is None else {"loss": loss}) | evaluate(own, data.answered(name, trivial)),
                target.trivial_text(trivial),
                p,
                truth.of_present(each),
                own,
            )
        return Measured(tally.loss, outputs, total, several=len(model.heads) > 1)


def _loss_of(answer: Array, data: Dataset, output: str, loss: Loss) -> float | None:
    """The mean loss of the outputs that say no more of any example than this answer (columns,); None if none do."""
    truth, weights = data.truths[output], data.weights(slice(None))[output]
    y = loss.constant(truth.target.as_mean(answer, loss))
    if y is None:
        return None
    total = mass = 0.0
    rows = max(1, VALUES // len(y))
    for start in range(0, len(data), rows):
        part = slice(start, start + rows)
        t = truth.target.encode(truth.values[part], loss, y.dtype)
        each = loss.forward(np.broadcast_to(y, (len(t), len(y))), t, Slot(y.dtype))
        w, masses = loss.weighting(t, None if weights is None else weights[part])
        total, mass = total + float(counted(each, w) @ w), mass + masses
    return total / mass if mass else nan


def file_data(model: Model, path: str, warn: Callable[[str], None] | None = None) -> Dataset:
    """The examples of any file that has the target beside the features.

    Targets of arrays are taken from the file beside it that is named for them, as t10k-labels-idx1-ubyte goes with
    t10k-images-idx3-ubyte, unless the model was trained on arrays that have them in their last column.

    What is malformed is left out where the model was trained with `data.malformed: skip` and there is a `warn` to tell
    how much that is; else it is refused.

    Raises:
        DataError: where it cannot be read, or is not what the model was trained on.
    """
    trained_on = model.experiment.data.source or model.experiment.data.train
    source = source_of(path, trained_on)
    in_last_column = isinstance(trained_on, Npy | Npz | Idx) and trained_on.labels is None
    if isinstance(source, Npy | Idx) and not in_last_column:
        source = source.model_copy(update={"labels": targets_beside(path, Path())})
    skip = model.experiment.data.malformed == "skip"
    dtype = model.experiment.runtime.dtype
    return load_for_evaluation(model.fitted, source, Path(), dtype, model.losses, warn if skip else None, warn)


def own_data(model: Model, folder: Path, split: Split | None, warn: Callable[[str], None]) -> tuple[Split, Dataset]:
    """A split of the data the model was trained on, made again as training made it.

    Args:
        model: whose experiment says where the data are and how they were split.
        folder: of the model file, from which the experiment's paths start.
        split: which one; left out, the test split, else the validation split, else the training split.
        warn: told where the data have changed since.

    Raises:
        DataError: where the data are gone, or changed so much that this is not the split any more.
        ConfigError: where there is no such split.
    """
    spec = model.experiment.data
    sources = [source for source in (spec.source, spec.train, spec.validation, spec.test) if source is not None]
    if any(STDIN in source.files() for source in sources):
        raise DataError("the data of this run came from standard input and are gone; name a file with --data")
    try:
        job = assemble(model.experiment, folder)
    except (ConfigError, DataError) as error:  # such as a column that is not there any more
        raise DataError(f"{error}; this is the run's own data, --data FILE takes others") from None
    known = _known_hashes(folder)
    files = {os.path.relpath(folder / name, folder): digest for name, digest in job.data.report.files.items()}
    changed = [name for name, digest in files.items() if known.get(name, digest) != digest]
    if not job.data.fitted.transforms_as(model.fitted) and (changed or not known):
        raise DataError(
            f"{', '.join(changed or files)}: not the data the model was trained on any more, so its splits cannot be "
            "made again; measure on a file of its own with --data"
        )
    if changed:
        warn(f"{', '.join(changed)}: has changed since training")
    there = dict(job.splits())
    chosen = split or next(name for name in PREFERRED if name in there)
    if chosen not in there:
        raise ConfigError(f"--split: this run has {unknown('split', str(chosen), there)}")
    return chosen, there[chosen]


def _known_hashes(folder: Path) -> dict[str, Any]:
    """The hashes of the data in run.json; none where the model file lies on its own."""
    run = RunDirectory(folder)
    known = run.info().get("data", {}) if run.run_json.exists() else {}
    return known if isinstance(known, dict) else {}
