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
from itertools import groupby
from math import prod
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnctl.engine.randomness import stream

Array = NDArray[Any]
Shape = tuple[int, ...]
#: Arrays by parameter name; a layer that contains layers nests one mapping a child.
Views = Mapping[str, Any]


class Initializer(Protocol):
    """Draws the starting value of one parameter tensor; `symmetric` if it starts all units of a layer equal."""

    symmetric: ClassVar[bool]

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array: ...


#: What a tensor is: weights between units, a bias or a gain of each unit, a table of vectors, a running statistic.
Role = Literal["weight", "bias", "gain", "table", "statistic"]


@dataclass(frozen=True)
class Parameter:
    """The declaration of one parameter tensor of a layer, and of what is done to it in training.

    Attributes:
        fan_in, fan_out: the number of inputs that feed one unit, and of units one input feeds.
        role: what it is to its layer.
        decays: whether regularization and weight decay apply (to weights yes, to biases and gains no).
        trainable: False for pinned weights and for running statistics.
        l1, l2: penalties of its own instead of the global ones, which it has then even if it does not decay.
        rows: whether its gradient comes by rows, as that of a table does.
        learning_rate_scale: its learning rate is the optimizer's times this.
    """

    shape: Shape
    init: Initializer
    fan_in: int = 1
    fan_out: int = 1
    role: Role = "weight"
    decays: bool = True
    trainable: bool = True
    l1: float | None = None
    l2: float | None = None
    rows: bool = False
    learning_rate_scale: float = 1.0


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

    @property
    def spans(self) -> list[slice]:
        """Where each trained tensor lies."""
        return [span for name, span in self.slices.items() if self.parameters[name].trainable]

    def rates(self) -> Iterator[tuple[slice, float]]:
        """The trained part, cut where the scale of the learning rate changes, with each piece's scale."""
        trained = [name for name in self.slices if self.parameters[name].trainable]
        for scale, names in groupby(trained, key=lambda name: self.parameters[name].learning_rate_scale):
            spans = [self.slices[name] for name in names]
            yield slice(spans[0].start, spans[-1].stop), scale

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
