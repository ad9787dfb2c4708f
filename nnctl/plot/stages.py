"""The outputs of a network's layers, one stage at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnctl.engine.batch import INPUT
from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array


@dataclass(frozen=True)
class Stage:
    """What some layers make of a batch: `name` names them, `ends` is the last, `values` are (batch, ...)."""

    name: str
    values: Array
    ends: str = ""


def stages(network: Network, theta: Array, x: Array) -> list[Stage]:
    """The outputs for inputs x, as in evaluation: after every layer and what follows it and changes them in place.

    Those of the layers inside a block come before the block's own.
    """
    forward = Pass(network, theta)
    forward.begin(training=False, address=(0, "plot"))
    forward.forward({INPUT: x})
    found: list[Stage] = []
    for name, node in network.nodes.items():
        layer, values = node.layer, forward.values[name]
        if layer.gives == "same":
            if found and found[-1].ends == node.inputs[0]:
                found[-1] = replace(found[-1], ends=name)
            continue
        chained = found and found[-1].ends == node.inputs[0] and _chain_of(found[-1].ends) == _chain_of(name)
        if layer.gives == "changed" and chained:
            found[-1] = Stage(f"{found[-1].name} + {layer.kind}", values, name)
        else:
            found.append(Stage(name, values, name))
    return found


def _chain_of(name: str) -> str:
    """The chain a layer stands in: what a block begins with belongs to no layer before it."""
    return name.rpartition(".")[0]


def weights(network: Network, theta: Array) -> dict[str, Array]:
    """The weights, not the biases, of every layer that has some."""
    names = (name for name in network.layout.parameters if name.rpartition(".")[2] == "weight")
    return {name.removesuffix(".weight"): network.layout.view(theta, name) for name in names}
