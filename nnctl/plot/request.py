"""What can be drawn, and from what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.plot import confusion, curves, distributions, features, filters
from nnctl.plot.pictures import picture_shape, pixels, read_picture
from nnctl.plot.stages import Stage, stages, weights
from nnctl.runs.directory import RunDirectory
from nnctl.runs.model import Model
from nnctl.runs.trained import model_file, open_trained
from nnctl.training.evaluate import outputs
from nnctl.use.evaluation import Split, file_data, measure, own_data
from nnctl.use.rows import example, rows_of_source

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Request:
    """A run or model, and which examples to show it.

    Attributes:
        run: a run directory, or a model file.
        width: of the figure, in inches.
        data: a file of other examples than the run's own.
        split: of the run's own data.
        example: the row of one example.
        image: a picture file, instead of an example.
        warn: told where the data have changed since training.
    """

    run: Path
    width: float = 8.0
    data: str | None = None
    split: Split | None = None
    example: int = 1
    image: Path | None = None
    warn: Callable[[str], None] = lambda _: None

    @property
    def name(self) -> str:
        """Of the run; of a model file on its own, the file's."""
        folder = self.run if self.run.is_dir() else self.run.parent
        is_run = self.run.is_dir() or (folder / "run.json").exists()
        return folder.resolve().name if is_run else self.run.stem

    @cached_property
    def model(self) -> Model:
        return open_trained(self.run)

    @cached_property
    def folder(self) -> Path:
        return model_file(self.run).parent

    @cached_property
    def examples(self) -> tuple[str, Dataset]:
        """What the examples are called, and the examples."""
        if self.data is not None:
            return self.data, file_data(self.model, self.data, self.warn)
        split, data = own_data(self.model, self.folder, self.split, self.warn)
        return f"{split} split", data

    def title(self, what: str) -> str:
        return f"{self.name}: {what}"


def draw_curves(request: Request) -> Figure:
    """Loss and metrics by epoch."""
    found = curves.curves_of(RunDirectory.open(request.run.parent if request.run.is_file() else request.run))
    return curves.draw(found, request.title("learning curves"), request.width)


def draw_confusion(request: Request) -> Figure:
    """What was taken for what."""
    name, data = request.examples
    outputs = measure(request.model, data).outputs.values()
    found, matrix = next(((each, m) for each in outputs if (m := each.confusion()) is not None), (None, None))
    if found is None or matrix is None:
        raise ConfigError(
            "confusion: is for classes and labels, and this model predicts numbers; `nnctl eval` shows its errors"
        )
    right = matrix.diagonal(axis1=-2, axis2=-1).sum() / max(matrix.sum(), 1)
    title = request.title(f"confusion, {name} (n = {len(data):,}), {right:.1%} right")
    return confusion.draw(found.predictions.names, matrix, title, request.width)


def draw_filters(request: Request) -> Figure:
    """What the first layer looks for."""
    return filters.draw(filters.filters_of(request.model), request.title("first layer"), request.width)


def draw_features(request: Request) -> Figure:
    """What a convolutional network makes of one example."""
    model = request.model
    blank = {INPUT: np.zeros((1, *model.network.inputs[INPUT].shape), model.theta.dtype)}
    features.with_maps(stages(model.network, model.theta, blank))  # say no early
    x, name, truth = _example(request)
    found = features.with_maps(stages(model.network, model.theta, {INPUT: x}))
    y = outputs(model.network, model.theta, {INPUT: x})[OUTPUT]
    decoded = model.target.decode(model.loss.predict(y))[0]
    caption = f"predicted {model.target.answer_text(decoded)}" + (f", true {truth}" if truth else "")
    shape = picture_shape(model)
    picture = None if shape is None else pixels(model, x, shape)[0]
    if picture is None and x.ndim > 2:  # a signal, or more channels than colours: drawn as maps are
        found = [Stage(features.INPUT, x, INPUT), *found]
    return features.draw(picture, caption, found, request.title(f"feature maps of {name}"), request.width)


def _example(request: Request) -> tuple[Array, str, str | None]:
    """The inputs (1, ...) of the example asked for, what it is called, and what is true of it."""
    model = request.model
    if request.image is not None:
        return read_picture(request.image, model), request.image.name, None
    if request.data is not None:
        rows = file_data(model, request.data, request.warn)
    else:
        split, _ = own_data(model, request.folder, request.split, request.warn)
        rows = rows_of_source(model, request.folder, split)
    one = example(rows, request.example)
    (x,) = one.take(slice(None), model.theta.dtype).inputs.values()
    return x, f"row {request.example}", model.target.truth_text(one.truths[OUTPUT].values[0])


def draw_weights(request: Request) -> Figure:
    """How the weights of each layer are distributed."""
    return distributions.draw(
        weights(request.model.network, request.model.theta), "weight", request.title("weights"), request.width
    )


def draw_activations(request: Request) -> Figure:
    """How the outputs of each layer are distributed, over some examples."""
    name, data = request.examples
    batch = data.take(slice(0, distributions.EXAMPLES), request.model.theta.dtype)
    layers = {stage.name: stage.values for stage in stages(request.model.network, request.model.theta, batch.inputs)}
    title = request.title(f"activations, {name}, {len(batch)} examples")
    return distributions.draw(layers, "activation", title, request.width)


#: Everything that can be drawn, by name.
PLOTS: Mapping[str, Callable[[Request], Figure]] = {
    "curves": draw_curves,
    "confusion": draw_confusion,
    "filters": draw_filters,
    "features": draw_features,
    "weights": draw_weights,
    "activations": draw_activations,
}
