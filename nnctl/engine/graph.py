"""The shape of a network: nodes in an order in which each comes after what it reads.

A chain is the simplest graph. Blocks of layers expand into nodes and one that joins them; named inputs are
sources without a layer, and a layer that is used at a second place is a node that has another one's weights.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from nnctl.engine.parameters import Shape
from nnctl.errors import ConfigError
from nnctl.names import unknown

if TYPE_CHECKING:
    from nnctl.engine.layer import Layer


@dataclass(frozen=True)
class Signal:
    """What flows along an edge.

    Attributes:
        shape: of one example, or of one step where it is a sequence.
        steps: how many steps a sequence has on average, from which work is planned; 0 for what is no sequence.
        tokens: how many different ones there are, where the values are whole numbers that stand for something.
        clock: the node or input that decides the lengths; sequences can be joined step by step where it is the same.
    """

    shape: Shape
    steps: int = 0
    tokens: int = 0
    clock: str = ""

    @property
    def repeats(self) -> int:
        """How many times an example's shape is there."""
        return max(1, self.steps)

    @property
    def per_example(self) -> "tuple[int | str, ...]":
        """The shape of one example, of a sequence with its time."""
        return ("time", *self.shape) if self.steps else self.shape

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.per_example))})" if self.steps else str(self.shape)


@dataclass(frozen=True)
class Node:
    """A layer at its place: its unique name, and the inputs or nodes whose values it reads.

    `owner` is the node whose weights it has: itself, but for a layer that is used a second time.
    """

    name: str
    layer: "Layer"
    inputs: tuple[str, ...]
    owner: str


class Graph:
    """Nodes and the signals between them, grown one layer after another.

    Attributes:
        inputs: the network's inputs, by name.
        nodes: in order, by name.
        signals: what every input and every node gives.
    """

    def __init__(self, inputs: Mapping[str, Signal]) -> None:
        self.inputs = {n: replace(s, clock=n) if s.steps else s for n, s in inputs.items()}
        self.nodes: dict[str, Node] = {}
        self.signals: dict[str, Signal] = dict(self.inputs)

    def add(self, name: str, layer: "Layer", *inputs: str, owner: str | None = None) -> str:
        """Add a node; returns its name.

        Raises:
            ConfigError: where the name is taken, or the layer cannot take what it is given.
        """
        if name in self.signals:
            kind = "an input" if name in self.inputs else "a layer"
            raise ConfigError(f"{name!r} is the name of {kind} already; give each its own name", "name")
        given = [self.signals[n] for n in inputs]
        try:
            signal = layer.signal(name, given)
        except ConfigError as error:
            raise ConfigError(f"layer {name}: {error}", error.key) from None
        if owner is not None:
            self._refuse_other_weights(name, layer, given[0], self.nodes[owner])
        self.nodes[name] = Node(name, layer, inputs, owner or name)
        self.signals[name] = signal
        return name

    def take_away(self, name: str) -> str:
        """Remove the node added last; returns the name of what it read."""
        del self.signals[name]
        return self.nodes.pop(name).inputs[0]

    def chain(self, layers: "Sequence[Layer]", source: str, prefix: str = "") -> str:
        """Add layers that read one another; returns the name of what has the last one's output.

        `prefix` stands before the names of the layers, as in `residual1.layers.dense1`.

        Raises:
            ConfigError: whose key begins with the place in `layers` of the one that is wrong.
        """
        order = as_run(layers)
        taken = [name.removeprefix(prefix) for name in self.nodes if name.startswith(prefix)]
        for name, (place, layer) in zip(unique_names([layer for _, layer in order], taken), order, strict=True):
            try:
                source = layer.grow(self, prefix + name, source)
            except ConfigError as error:
                raise error.under(str(place)) from None
        return source

    def again(self, name: str, original: str, source: str) -> str:
        """Use a layer, or a block of them, at another place with the same weights.

        Raises:
            ConfigError: where there is no such layer before this one.
        """
        first = next((n for n in _from_inside_out(name, original) if n in self.signals), None)
        if first is None:
            raise ConfigError(f"layer {name}: `use` names {unknown('layer', original, self.nodes)}", "layer")
        if first in self.inputs:
            raise ConfigError(f"layer {name}: {original} is an input; only a layer has weights to share", "layer")
        nodes = [node for n, node in self.nodes.items() if n == first or n.startswith(f"{first}.")]
        renamed = {node.name: name + node.name.removeprefix(first) for node in nodes}
        outside = sorted({n for node in nodes for n in node.inputs} - set(renamed))
        if len(outside) > 1:
            raise ConfigError(
                f"layer {name}: {original} puts together {', '.join(outside)}, and here it would read one value; "
                "only a layer of a list can be used again",
                "layer",
            )
        for node in nodes:
            self.add(renamed[node.name], node.layer, *(renamed.get(n, source) for n in node.inputs), owner=node.owner)
        return name

    def _refuse_other_weights(self, name: str, layer: "Layer", given: Signal, owner: Node) -> None:
        there = self.signals[owner.inputs[0]].shape
        wanted, held = ({k: p.shape for k, p in layer.parameters(s).items()} for s in (given.shape, there))
        if wanted != held:
            raise ConfigError(
                f"layer {name}: has the weights of {owner.name}, which reads values of shape {there}, and finds "
                f"{given.shape}; a layer that is used twice must read the same shape in both places"
            )


def _from_inside_out(name: str, wanted: str) -> Iterator[str]:
    """What a name may mean where a layer stands: one of its own chain, then of the chains around it."""
    while name:
        name = name.rpartition(".")[0]
        yield f"{name}.{wanted}".removeprefix(".")


def as_run(layers: "Sequence[Layer]") -> "list[tuple[int, Layer]]":
    """The layers of a chain as they are run, each with its place in it.

    A weighted layer's activation is one of its own, and a layer that does the same before its neighbour, and is
    cheaper there, changes places with it.
    """
    order: list[tuple[int, Layer]] = []
    for place, layer in enumerate(layers):
        for part in layer.parts():
            earlier = bool(order) and part.may_precede(order[-1][1])
            order.insert(len(order) - earlier, (place, part))
    return order


def unique_names(layers: "Sequence[Layer]", taken: Iterable[str] = ()) -> tuple[str, ...]:
    """A name for each layer of a chain: its own, or its kind and a number that is not taken."""
    used = {*taken, *(layer.name for layer in layers if layer.name)}
    numbers: dict[str, Iterator[int]] = {layer.kind: count(1) for layer in layers}
    names: list[str] = []
    for layer in layers:
        name = layer.name
        while name is None or (layer.name is None and name in used):
            name = f"{layer.kind}{next(numbers[layer.kind])}"
        names.append(name)
    return tuple(names)
