"""The outputs of a network's layers, one stage at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.engine.sequences import Sequences


@dataclass(frozen=True)
class Stage:
    """What some layers make of a batch, or what an input is.

    Attributes:
        name: of the layers, or of the input.
        values: (batch, ...).
        ends: the last of the layers.
        quantity: what the values are.
    """

    name: str
    values: Array
    ends: str = ""
    quantity: Literal["activation", "value"] = "activation"


def stages(network: Network, theta: Array, inputs: Mapping[str, Array | Sequences]) -> list[Stage]:
    """The outputs for inputs by name, as in evaluation: after every layer and what follows and changes them in place.

    Those of the layers inside a block come before the block's own.
    """
    forward = Pass(network, theta)
    forward.begin(training=False, address=(0, "plot"))
    forward.forward(inputs)
    drawn: list[Stage] = []
    same: dict[str, str] = {}  # a layer that only passes its input on, and whose output that is
    for name, node in network.nodes.items():
        if node.layer.gives == "same" and not node.layer.joins:
            same[name] = same.get(node.inputs[0], node.inputs[0])
    shown = {name: node for name, node in network.nodes.items() if name not in same}
    uses = Counter(same.get(read, read) for node in shown.values() for read in node.inputs)
    for name, node in shown.items():
        read, values = same.get(node.inputs[0], node.inputs[0]), forward.values[name]
        if node.layer.gives == "changed" and uses[read] == 1 and drawn and drawn[-1].ends == read:
            drawn[-1] = Stage(f"{drawn[-1].name} + {node.layer.kind}", values, name)
        else:
            drawn.append(Stage(name, values, name))
    return drawn


def readers(network: Network, name: str) -> frozenset[str]:
    """The layers whose outputs depend on an input."""
    reached = {name}
    for node in network.nodes.values():
        if reached.intersection(node.inputs):
            reached.add(node.name)
    return frozenset(reached - {name})


def weights(network: Network, theta: Array) -> dict[str, Array]:
    """The weights, not biases or gains, of every layer that has some."""
    layout = network.layout
    names = (name for name, parameter in layout.parameters.items() if parameter.role == "weight")
    return {name.removesuffix(".weight"): layout.view(theta, name) for name in names}
