"""The outputs of a network's layers, one stage at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nnctl.engine.layer import Layer
from nnctl.engine.network import Pass
from nnctl.engine.parameters import Array, Views
from nnctl.engine.slot import Slot
from nnctl.layers.activation import Activation, PRelu
from nnctl.layers.blocks import Block
from nnctl.layers.noise import Dropout, GaussianNoise
from nnctl.layers.normalization import BatchNormalization, GroupNormalization, LayerNormalization
from nnctl.layers.shape import Flatten, Reshape
from nnctl.runs.model import Model

#: What changes each value where it stands: drawn together with the layer before it.
IN_PLACE = (Activation, PRelu, BatchNormalization, LayerNormalization, GroupNormalization)
#: What changes no value outside training.
UNSEEN = (Dropout, GaussianNoise, Flatten, Reshape)


@dataclass(frozen=True)
class Stage:
    """What some layers make of a batch: `name` names them, `values` are (batch, ...)."""

    name: str
    values: Array


def stages(model: Model, x: Array) -> list[Stage]:
    """The outputs for inputs x, as in evaluation: after every layer and the activation that belongs to it.

    Those of the layers inside a block come before the block's own.
    """
    forward = Pass(model.network, model.theta)
    forward.begin(training=False, address=(0, "plot"))
    layers = dict(zip(model.network.names, model.network.layers, strict=True))
    slots = dict(zip(model.network.names, forward.slots, strict=True))
    return _through(layers, model.network.layout.views(model.theta), slots.__getitem__, x)


def _through(
    layers: Mapping[str, Layer], p: Views, slot_of: Callable[[str], Slot], x: Array, prefix: str = ""
) -> list[Stage]:
    """The stages of a chain of layers by name, whose parameters and slots go by the same names."""
    found: list[Stage] = []
    for name, layer in layers.items():
        slot = slot_of(name)
        if isinstance(layer, Block):
            for chain, inside in layer.chains.items():
                own = p[name][chain]
                inner = dict(zip(own, inside, strict=True))
                found += _through(inner, own, slot.child(chain).child, x, f"{prefix}{name}.{chain}.")
        x = layer.forward(p[name], x, slot)
        if isinstance(layer, UNSEEN):
            continue
        if isinstance(layer, IN_PLACE) and found:
            shown = layer.function.type if isinstance(layer, Activation) else layer.type
            found[-1] = Stage(f"{found[-1].name} + {shown}", x)
        else:
            found.append(Stage(prefix + name, x))
    return found


def weights(model: Model) -> dict[str, Array]:
    """The weights, not the biases, of every layer that has some."""
    names = (name for name in model.network.layout.parameters if name.rpartition(".")[2] == "weight")
    return {name.removesuffix(".weight"): model.network.layout.view(model.theta, name) for name in names}
