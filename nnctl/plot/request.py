"""What can be drawn, and from what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.data.dataset import Dataset
from nnctl.engine.network import Pass
from nnctl.errors import ConfigError
from nnctl.names import unknown
from nnctl.plot import confusion, curves, distributions, features, filters
from nnctl.plot.pictures import picture_input, picture_shape, pixels, read_picture
from nnctl.plot.stages import Stage, readers, stages, weights
from nnctl.runs.directory import RunDirectory
from nnctl.runs.model import Model
from nnctl.runs.trained import model_file, open_trained
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
        input: the input to show, where there are several; left out, the first that is a picture, else the first.
        target: the output to show, where there are several.
        warn: told where the data have changed since training.
    """

    run: Path
    width: float = 8.0
    data: str | None = None
    split: Split | None = None
    example: int = 1
    image: Path | None = None
    input: str | None = None
    target: str | None = None
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

    @property
    def chosen_input(self) -> str:
        """The input to show."""
        inputs = self.model.network.inputs
        if self.input is not None:
            return chosen("--input", self.input, inputs)
        return picture_input(self.model) or next(iter(inputs))

    def title(self, what: str) -> str:
        return f"{self.name}: {what}"


def chosen(option: str, name: str, there: Collection[str]) -> str:
    """A name that was asked for, if there is such an input or output.

    Raises:
        ConfigError: naming those there are.
    """
    if name not in there:
        raise ConfigError(f"{option}: this model has {unknown(option.removeprefix('--'), name, there)}")
    return name


def draw_curves(request: Request) -> Figure:
    """Loss and metrics by epoch."""
    measured = curves.curves_of(RunDirectory.open(request.run.parent if request.run.is_file() else request.run))
    return curves.draw(measured, request.title("learning curves"), request.width)


def draw_confusion(request: Request) -> Figure:
    """What was taken for what."""
    name, data = request.examples
    measured = measure(request.model, data).outputs
    wanted = [chosen("--target", request.target, measured)] if request.target else list(measured)
    matrices = ((output, measured[output].predictions.confusion()) for output in wanted)
    shown, matrix = next(((output, matrix) for output, matrix in matrices if matrix is not None), (None, None))
    if shown is None or matrix is None:
        what = f"{request.target} is numbers" if request.target else "this model predicts numbers"
        raise ConfigError(f"confusion: is for classes and labels, and {what}; `nnctl eval` shows its errors")
    drawn = measured[shown]
    right = matrix.diagonal(axis1=-2, axis2=-1).sum() / max(matrix.sum(), 1)
    of = f" of {shown}" if len(measured) > 1 else ""
    title = request.title(f"confusion{of}, {name} (n = {len(drawn.losses):,}), {right:.1%} right")
    return confusion.draw(drawn.predictions.names, matrix, title, request.width)


def draw_filters(request: Request) -> Figure:
    """What the first layer looks for."""
    first = filters.filters_of(request.model, request.chosen_input)
    return filters.draw(first, request.title("first layer"), request.width)


def draw_features(request: Request) -> Figure:
    """What a convolutional network makes of one example."""
    model, name = request.model, request.chosen_input
    network, reached = model.network, readers(model.network, name)
    features.with_maps([Stage(layer, np.empty((0, *network.signals[layer].shape))) for layer in reached])  # early
    inputs, example_name, truths = _example(request, name)
    drawn = features.with_maps([s for s in stages(network, model.theta, inputs) if s.ends in reached])
    forward = Pass(network, model.theta)
    forward.begin(training=False, address=(0, "plot"))
    said = []
    for output, y in forward.forward(inputs).items():
        target = model.fitted.outputs[output]
        answer = target.answer_text(target.decode(model.losses[output].predict(y))[0])
        true = f", true {truths[output]}" if output in truths else ""
        said.append((f"{output}: " if len(model.heads) > 1 else "") + f"predicted {answer}{true}")
    x = inputs[name]
    picture = pixels(model, name, x)[0] if picture_shape(model, name) is not None else None
    if picture is None and x.ndim > 2:  # a signal, or more channels than colours: drawn as maps are
        drawn = [Stage(name, x, name, "value"), *drawn]
    title = request.title(f"feature maps of {example_name}")
    return features.draw(picture, "; ".join(said), drawn, title, request.width)


def _example(request: Request, name: str) -> tuple[dict[str, Any], str, dict[str, str]]:
    """The inputs of the example asked for, what it is called, and what is true of it, by output, where that is known.

    A picture takes the place of the input of this name; what other inputs there are come from the example.
    """
    model, inputs = request.model, dict[str, Any]()
    picture = None if request.image is None else read_picture(request.image, model, name)
    if request.image is not None and len(model.fitted.inputs) == 1:
        return {name: picture}, request.image.name, {}
    if request.data is not None:
        rows = file_data(model, request.data, request.warn)
    else:
        split, _ = own_data(model, request.folder, request.split, request.warn)
        rows = rows_of_source(model, request.folder, split)
    one = example(rows, request.example)
    inputs |= one.take(slice(None), model.theta.dtype).inputs
    if request.image is not None:
        return {**inputs, name: picture}, f"{request.image.name} in row {request.example}", {}
    known = {output: truth for output, truth in one.truths.items() if truth.has(slice(None))[0]}
    truths = {output: model.fitted.outputs[output].truth_text(truth.values[0]) for output, truth in known.items()}
    return inputs, f"row {request.example}", truths


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
