"""A network: a graph of layers, compiled once, and a pass through it forwards and backwards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.graph import Graph, Node, Signal
from nnctl.engine.parameters import Array, Layout, Shape
from nnctl.engine.sequences import Sequences
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError

if TYPE_CHECKING:
    from nnctl.engine.layer import Layer


class Network:
    """A graph with named inputs and outputs, and the place of every parameter in the flat vector.

    Attributes:
        inputs: what each input gives, by name.
        nodes: the layers in order, by name; a node's name is the prefix of its parameters.
        outputs: the node (or input) that each output reads, by the output's name.
        signals: what every input and every node gives.
        layout: where every parameter lies in the flat vector.
    """

    def __init__(self, graph: Graph, outputs: Mapping[str, str]) -> None:
        """Compile a graph.

        Raises:
            ConfigError: for an input or a layer that no output depends on.
        """
        self.inputs = dict(graph.inputs)
        self.nodes = dict(graph.nodes)
        self.signals = dict(graph.signals)
        self.outputs = dict(outputs)
        self._refuse_unread()
        self.layout = Layout(
            {n.name: n.layer.parameters(self.given(n).shape) for n in self.nodes.values() if n.owner == n.name}
        )

    def given(self, node: Node) -> Signal:
        """What a node reads; the first of them where it joins several."""
        return self.signals[node.inputs[0]]

    @cached_property
    def couples_examples(self) -> bool:
        """Whether some layer looks at the whole batch, so that it cannot be cut into shards."""
        return any(node.layer.couples_examples for node in self.nodes.values())

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one example's forward pass."""
        return sum(
            self.given(node).repeats * node.layer.multiply_adds(self.given(node).shape) for node in self.nodes.values()
        )

    @property
    def trained(self) -> frozenset[str]:
        """The nodes whose output depends on a trained parameter: backpropagation goes through these and no others."""
        trained: set[str] = set()
        for name, node in self.nodes.items():
            own = self.layout.declarations[node.owner]
            if any(p.trainable for p in own.values()) or trained.intersection(node.inputs):
                trained.add(name)
        return frozenset(trained)

    def shape_of(self, output: str) -> Shape:
        """The shape of one example's output."""
        return self.signals[self.outputs[output]].shape

    def ancestors(self, output: str) -> frozenset[str]:
        """The nodes and inputs that an output depends on, the one it reads included."""
        needed = {self.outputs[output]}
        for name in reversed(self.nodes):
            if name in needed:
                needed.update(self.nodes[name].inputs)
        return frozenset(needed)

    def without(self, dropped: "Callable[[Layer], bool]") -> "Network":
        """The same network with some layers, which change no shape, left out."""
        graph, place = Graph(self.inputs), {name: name for name in self.inputs}
        for name, node in self.nodes.items():
            inputs = [place[n] for n in node.inputs]
            place[name] = inputs[0] if dropped(node.layer) else name
            if place[name] == name:
                graph.add(name, node.layer, *inputs, owner=None if node.owner == name else node.owner)
        return Network(graph, {output: place[end] for output, end in self.outputs.items()})

    def _refuse_unread(self) -> None:
        read = frozenset().union(*map(self.ancestors, self.outputs))
        for name in self.signals:
            if name not in read:
                kind = "the input" if name in self.inputs else "layer"
                raise ConfigError(f"model: {kind} {name} is read by no output; leave it out, or join it to the others")


def chain(layers: "Sequence[Layer]", shape: Shape | Signal) -> Network:
    """Layers that read one another, from one input to one output."""
    graph = Graph({INPUT: shape if isinstance(shape, Signal) else Signal(tuple(shape))})
    return Network(graph, {OUTPUT: graph.chain(layers, INPUT)})


@dataclass(frozen=True)
class _Step:
    """A node bound to its views and its slot; `g` are its gradients, or where to put those of a shared layer."""

    name: str
    inputs: tuple[str, ...]
    layer: "Layer"
    p: Any
    g: Any
    slot: Slot

    @property
    def joins(self) -> bool:
        return self.layer.joins


class Pass:
    """A network bound to one parameter vector, with the memory of one shard.

    The layers' forward and backward functions are bound to their views and slots once, so that a
    training step is a loop over calls and nothing else.

    Attributes:
        gradient: the flat gradient with respect to the parameters, overwritten by `backward`.
            Layers fill the entries of frozen parameters too; nothing reads them.
        slots: the memory of every node, by name.
        values: what every input and every node gave in the last forward pass; of sequences, all their steps.
        gradients: dJ/dv of the values that the last backward pass went through.
    """

    def __init__(
        self, network: Network, theta: Array, gradient: Array | None = None, *, to_input: bool = False
    ) -> None:
        self.network = network
        self.gradient = theta[:0] if gradient is None else gradient
        self.slots = {name: Slot(theta.dtype, name) for name in network.nodes}
        self.values: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        self._sums = Slot(theta.dtype)
        p = network.layout.views(theta)
        g = p if gradient is None else network.layout.views(gradient)
        shared = {n.name: n.owner for n in network.nodes.values() if n.owner != n.name}
        apart = {name: {k: np.empty_like(v) for k, v in g[owner].items()} for name, owner in shared.items()}
        steps = [
            _Step(node.name, node.inputs, node.layer, p[node.owner], apart.get(node.name, g[node.owner]), slot)
            for node, slot in zip(network.nodes.values(), self.slots.values(), strict=True)
        ]
        self._forward: list[tuple[str, Callable[..., Array], Any, Slot, Any]] = [
            (s.name, s.layer.forward, s.p, s.slot, s.inputs if s.joins else s.inputs[0]) for s in steps
        ]
        self._clocks = [name for name, signal in network.signals.items() if signal.steps]
        wanted = frozenset(network.signals) if to_input else network.trained
        self._backward: list[tuple[str, Callable[..., Any], Any, Any, Slot, Any]] = []
        self._added = [(apart[name], g[owner]) for name, owner in shared.items()]
        for s in reversed(steps if gradient is not None else []):
            if s.name in wanted:
                targets = tuple(n if n in wanted else None for n in s.inputs)
                s.slot.input_gradient = any(targets)
                self._backward.append((s.name, s.layer.backward, s.p, s.g, s.slot, targets if s.joins else targets[0]))

    def begin(self, *, training: bool, address: tuple[Any, ...]) -> None:
        """Set the mode and the address of the random streams of the next forward pass."""
        for slot in self.slots.values():
            slot.training, slot.address = training, address

    def forward(self, inputs: Mapping[str, Array | Sequences]) -> dict[str, Array]:
        """The network's outputs for a batch, by name."""
        values: dict[str, Any] = dict(inputs)
        self.values = values
        if self._clocks:
            self._set_lengths(inputs, values)
        for name, function, p, slot, read in self._forward:
            x = values[read] if isinstance(read, str) else tuple([values[n] for n in read])
            values[name] = function(p, x, slot)
        return {output: values[node] for output, node in self.network.outputs.items()}

    def backward(self, dys: Mapping[str, Array]) -> dict[str, Array]:
        """Fill `gradient` from the gradients with respect to the outputs; return those with respect to the inputs.

        Where a value is read in several places, its gradient is the sum of what comes back from each:

            dJ/dv = sum over its readers r of dJ/dv through r
        """
        gradients = self.gradients = {}
        for output, dy in dys.items():
            self._give(self.network.outputs[output], dy)
        for name, function, p, g, slot, targets in self._backward:
            if name not in gradients:  # no output whose gradient was given depends on it
                for view in g.values():
                    view[...] = 0
                continue
            dx = function(p, g, gradients[name], slot)
            if isinstance(targets, tuple):
                for target, part in zip(targets, dx, strict=True):
                    if target is not None:
                        self._give(target, part)
            elif targets is not None and dx is not None:  # whole numbers, such as tokens, have no gradient
                self._give(targets, dx)
        for extra, own in self._added:
            for key, view in own.items():
                view += extra[key]
        return {name: gradients[name] for name in self.network.inputs if name in gradients}

    def track(self, theta: Array) -> None:
        """Let the layers update their running statistics in `theta` after a training step."""
        p = self.network.layout.views(theta)
        for node in self.network.nodes.values():
            node.layer.track(p[node.owner], self.slots[node.name])

    def _give(self, name: str, part: Array) -> None:
        """Add what one reader gives back; the arrays belong to layers and are never changed."""
        held = self.gradients.get(name)
        self.gradients[name] = part if held is None else np.add(held, part, out=self._sums.buffer(name, part.shape))

    def _set_lengths(self, inputs: Mapping[str, Any], values: dict[str, Any]) -> None:
        """Tell every layer that reads sequences their lengths, and take the steps for the values."""
        lengths: dict[str, Any] = {}
        for name, given in inputs.items():
            if isinstance(given, Sequences):
                values[name], lengths[name] = given.values, given.lengths
        for name, node in self.network.nodes.items():
            known = lengths.get(node.inputs[0])
            self.slots[name].lengths = known
            if known is not None and self.network.signals[name].steps:
                lengths[name] = node.layer.lengths(known)
