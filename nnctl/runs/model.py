"""The model file: weights, with architecture and preprocessing in the header."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.config.architecture import Wanted, build
from nnctl.config.experiment import Experiment
from nnctl.data.encoder import Encoder, from_json
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.graph import Signal
from nnctl.engine.loss import Head, Loss
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.metrics import Metric
from nnctl.runs.tensors import read_tensors, write_tensors

FORMAT = 1


@dataclass(frozen=True)
class Model:
    """A trained model: all that prediction and evaluation need, without the run's directory."""

    experiment: Experiment
    encoder: Encoder
    network: Network
    heads: Mapping[str, Head]
    theta: Array
    facts: dict[str, Any]

    @property
    def loss(self) -> Loss:
        """The loss of its one output."""
        return self.heads[OUTPUT].loss

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return self.experiment.metrics or ()


def save_model(path: Path, model: Model) -> None:
    """Write a model file: one tensor a parameter, named as in reports (`dense1.weight`)."""
    layout = model.network.layout
    arrays = {name: layout.view(model.theta, name) for name in layout.parameters}
    write_tensors(
        path,
        arrays,
        {
            "format": FORMAT,
            "experiment": model.experiment.model_dump(mode="json"),
            "encoder": model.encoder.to_json(),
            "input_shape": list(model.network.inputs[INPUT].shape),
            "outputs": model.network.shape_of(OUTPUT)[-1],
            **model.facts,
        },
    )


def load_model(path: Path) -> Model:
    """Read a model file.

    Raises:
        DataError: where the file is missing, damaged, or of a later format.
    """
    arrays, values = read_tensors(path)
    if values.pop("format", None) != FORMAT:
        raise DataError(f"{path}: not a model file this version of nnctl reads (format {FORMAT})")
    experiment = Experiment.model_validate(values.pop("experiment"))
    encoder = from_json(values.pop("encoder"))
    if experiment.loss is None:
        raise DataError(f"{path}: the header names no loss")
    shape, outputs = tuple(values.pop("input_shape")), values.pop("outputs")
    network = build(experiment.model, {INPUT: Signal(shape)}, {OUTPUT: Wanted(outputs, experiment.loss)})
    theta = np.empty(network.layout.size, experiment.runtime.dtype)
    for name, parameter in network.layout.parameters.items():
        if name not in arrays or arrays[name].shape != parameter.shape:
            raise DataError(f"{path}: the tensor {name} of shape {parameter.shape} is missing")
        network.layout.view(theta, name)[...] = arrays[name]
    return Model(experiment, encoder, network, {OUTPUT: Head(experiment.loss)}, theta, values)
