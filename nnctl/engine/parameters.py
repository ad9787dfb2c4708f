"""All parameters of a network as one flat vector (the textbook's unrolled theta) with named views.

The vector is ordered so that whole groups are slices:

    theta = [ weights | biases, gains | frozen ]
              decayed
             `------- trained -------'

Regularization and weight decay act on `theta[layout.decayed]`, the optimizer and clipping on
`theta[layout.trained]`; frozen entries (pinned weights, running statistics) come last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnctl.engine.randomness import stream

Array = NDArray[Any]
Shape = tuple[int, ...]
#: Arrays by parameter name; a layer that contains layers nests one mapping a child.
Views = Mapping[str, Any]


class Initializer(Protocol):
    """Draws the starting value of one parameter tensor."""

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array: ...


@dataclass(frozen=True)
class Parameter:
    """The declaration of one parameter tensor of a layer.

    `fan_in` and `fan_out` are the number of inputs that feed one unit and the number of units one
    input feeds. `decays` says whether regularization applies (weights yes, biases and gains no).
    `trainable` is False for pinned weights and for running statistics.
    """

    shape: Shape
    init: Initializer
    fan_in: int = 1
    fan_out: int = 1
    decays: bool = True
    trainable: bool = True


Declarations = Mapping[str, Any]  # name -> Parameter | Declarations


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a nested mapping with their dotted names, in order."""
    for name, node in tree.items():
        if isinstance(node, Mapping):
            yield from flatten(node, f"{prefix}{name}.")
        else:
            yield prefix + name, node


class Layout:
    """Where each parameter tensor lies in the flat vector."""

    def __init__(self, declarations: Declarations) -> None:
        """Lay out a nested mapping {layer: {name: Parameter}}."""
        self.declarations = declarations
        self.parameters: dict[str, Parameter] = dict(flatten(declarations))
        self.slices: dict[str, slice] = {}
        start = 0
        boundaries = []
        for group in (
            [n for n, p in self.parameters.items() if p.trainable and p.decays],
            [n for n, p in self.parameters.items() if p.trainable and not p.decays],
            [n for n, p in self.parameters.items() if not p.trainable],
        ):
            for name in group:
                stop = start + prod(self.parameters[name].shape)
                self.slices[name] = slice(start, stop)
                start = stop
            boundaries.append(start)
        self.decayed = slice(0, boundaries[0])
        self.trained = slice(0, boundaries[1])
        self.size = start

    def view(self, vector: Array, name: str) -> Array:
        """One tensor of the vector, as a view with its shape."""
        return vector[self.slices[name]].reshape(self.parameters[name].shape)

    def views(self, vector: Array) -> dict[str, Any]:
        """Every tensor of the vector as a view, nested as the layers declare them."""

        def build(tree: Declarations, prefix: str) -> dict[str, Any]:
            return {
                name: build(node, f"{prefix}{name}.") if isinstance(node, Mapping) else self.view(vector, prefix + name)
                for name, node in tree.items()
            }

        return build(self.declarations, "")

    def initial(self, seed: int, restart: int = 0, dtype: DTypeLike = np.float32) -> Array:
        """A freshly initialised vector.

        Each tensor has a random stream of its own, named after it, drawn in float64: adding a layer
        changes no other layer's start, and float32 and float64 start from the same numbers.
        """
        vector = np.empty(self.size, dtype)
        for name, parameter in self.parameters.items():
            random = stream(seed, "init", restart, name)
            value = parameter.init.sample(parameter.shape, parameter.fan_in, parameter.fan_out, random)
            self.view(vector, name)[...] = value
        return vector
