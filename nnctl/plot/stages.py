"""The outputs of a network's layers, one stage at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nnctl.engine.layer import Layer
from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array, Views
from nnctl.engine.slot import Slot
from nnctl.layers.blocks import Block


@dataclass(frozen=True)
class Stage:
    """What some layers make of a batch: `name` names them, `values` are (batch, ...)."""

    name: str
    values: Array


def stages(network: Network, theta: Array, x: Array) -> list[Stage]:
    """The outputs for inputs x, as in evaluation: after every layer and what follows it and changes them in place.

    Those of the layers inside a block come before the block's own.
    """
    forward = Pass(network, theta)
    forward.begin(training=False, address=(0, "plot"))
    layers = dict(zip(network.names, network.layers, strict=True))
    slots = dict(zip(network.names, forward.slots, strict=True))
    return _through(layers, network.layout.views(theta), slots.__getitem__, x)


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
        if layer.gives == "same":
            continue
        if layer.gives == "changed" and found and not isinstance(layer, Block):
            found[-1] = Stage(f"{found[-1].name} + {layer.kind}", x)
        else:
            found.append(Stage(prefix + name, x))
    return found


def weights(network: Network, theta: Array) -> dict[str, Array]:
    """The weights, not the biases, of every layer that has some."""
    names = (name for name in network.layout.parameters if name.rpartition(".")[2] == "weight")
    return {name.removesuffix(".weight"): network.layout.view(theta, name) for name in names}
