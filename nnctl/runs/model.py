"""The model file: weights, with architecture and preprocessing in the header."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.config.architecture import Wanted, build
from nnctl.config.experiment import Experiment
from nnctl.data.fitted import Fitted
from nnctl.data.targets import Target
from nnctl.engine.batch import OUTPUT
from nnctl.engine.loss import Head, Loss
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.metrics import Metric
from nnctl.names import listed
from nnctl.runs.facts import ModelFacts
from nnctl.runs.tensors import read_tensors, write_tensors

#: What is written; files of version 1, which have one input and one output, are read as well.
FORMAT, READ = 2, (1, 2)


@dataclass(frozen=True)
class Model:
    """A trained model: all that prediction and evaluation need, without the run's directory."""

    experiment: Experiment
    fitted: Fitted
    network: Network
    heads: Mapping[str, Head]
    theta: Array
    facts: ModelFacts

    @property
    def loss(self) -> Loss:
        """The loss of its one output."""
        return self.heads[OUTPUT].loss

    @property
    def losses(self) -> dict[str, Loss]:
        """The loss of each output."""
        return {name: head.loss for name, head in self.heads.items()}

    @property
    def target(self) -> Target:
        """What its one output predicts."""
        return self.fitted.outputs[OUTPUT]

    @property
    def metrics(self) -> dict[str, tuple[Metric, ...]]:
        """The metrics of each output."""
        named = self.experiment.data.outputs
        return {name: (named[name].metrics if named else self.experiment.metrics) or () for name in self.fitted.outputs}


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
            "fitted": model.fitted.model_dump(mode="json"),
            **model.facts.model_dump(mode="json"),
        },
    )


def load_model(path: Path) -> Model:
    """Read a model file.

    Raises:
        DataError: where the file is missing, damaged, or of a later format.
    """
    arrays, values = read_tensors(path)
    version = values.pop("format", None)
    if version not in READ:
        raise DataError(f"{path}: not a model file this version of nnctl reads (format {FORMAT})")
    if version == 1:
        values = _of_version_1(values)
    experiment = Experiment.model_validate(values.pop("experiment"))
    fitted = Fitted.model_validate(values.pop("fitted"))
    facts = ModelFacts.model_validate(values)
    for name, target in fitted.outputs.items():
        if len(facts.baseline.get(name, ())) != len(target.names):
            raise DataError(
                f"{path}: the header's baseline of {name} is {facts.baseline.get(name)}, and the target has "
                f"{len(target.names)} of them: {listed(target.names)}"
            )
    heads = {name: _head(path, experiment, name) for name in fitted.outputs}
    for name, head in heads.items():
        if fitted.outputs[name].task not in head.loss.tasks:
            raise DataError(
                f"{path}: the header's loss {head.loss.type} is for {' or '.join(head.loss.tasks)}, and the target "
                f"{name} is {fitted.outputs[name].task}"
            )
    inputs = {name: each.signal for name, each in fitted.inputs.items()}
    wanted = {name: Wanted(each.outputs(heads[name].loss), heads[name].loss) for name, each in fitted.outputs.items()}
    network = build(experiment.model, inputs, wanted).network
    theta = np.empty(network.layout.size, experiment.runtime.dtype)
    for name, parameter in network.layout.parameters.items():
        if name not in arrays or arrays[name].shape != parameter.shape:
            raise DataError(f"{path}: the tensor {name} of shape {parameter.shape} is missing")
        network.layout.view(theta, name)[...] = arrays[name]
    return Model(experiment, fitted, network, heads, theta, facts)


def _of_version_1(values: dict[str, Any]) -> dict[str, Any]:
    """A header of version 1 as it is written now; shapes follow from what was fitted."""
    known = {key: value for key, value in values.items() if key not in ("encoder", "input_shape", "outputs")}
    return {**known, "fitted": json.loads(values["encoder"]), "baseline": {OUTPUT: values["baseline"]}}


def _head(path: Path, experiment: Experiment, output: str) -> Head:
    named = experiment.data.outputs.get(output)
    loss = experiment.loss if named is None else named.loss
    if loss is None:
        raise DataError(f"{path}: the header names no loss")
    return Head(loss, 1.0 if named is None else named.weight)
