"""The outputs of a network's layers, one stage at a time."""

from __future__ import annotations

from dataclasses import dataclass

from nnctl.engine.network import Pass
from nnctl.engine.parameters import Array
from nnctl.layers.activation import Activation, PRelu
from nnctl.layers.noise import Dropout, GaussianNoise
from nnctl.layers.normalization import BatchNormalization, GroupNormalization, LayerNormalization
from nnctl.layers.shape import Flatten
from nnctl.runs.model import Model

#: What changes each value where it stands: drawn together with the layer before it.
IN_PLACE = (Activation, PRelu, BatchNormalization, LayerNormalization, GroupNormalization)
#: What changes no value outside training.
UNSEEN = (Dropout, GaussianNoise, Flatten)


@dataclass(frozen=True)
class Stage:
    """What some layers make of a batch: `name` names them, `values` are (batch, ...)."""

    name: str
    values: Array


def stages(model: Model, x: Array) -> list[Stage]:
    """The outputs for inputs x, as in evaluation: after every layer and the activation that belongs to it."""
    forward = Pass(model.network, model.theta)
    forward.begin(training=False, address=(0, "plot"))
    found: list[Stage] = []
    for name, layer, (function, p, slot) in zip(model.network.names, model.network.layers, forward.calls, strict=True):
        x = function(p, x, slot)
        if isinstance(layer, UNSEEN):
            continue
        if isinstance(layer, IN_PLACE):
            shown = layer.function.type if isinstance(layer, Activation) else layer.type
            if found:
                found[-1] = Stage(f"{found[-1].name} + {shown}", x)
                continue
        found.append(Stage(name, x))
    return found


def weights(model: Model) -> dict[str, Array]:
    """The weights, not the biases, of every layer that has some."""
    names = (name for name in model.network.layout.parameters if name.rpartition(".")[2] == "weight")
    return {name.removesuffix(".weight"): model.network.layout.view(model.theta, name) for name in names}
