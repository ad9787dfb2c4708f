"""A network: layers in sequence, compiled once for one shape of input."""

from collections.abc import Callable, Sequence
from typing import Any

from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array, Layout, Shape, flatten
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError


class Network:
    """Layers in sequence for inputs of one shape.

    Attributes:
        layers: the layers, in order.
        names: one unique name a layer (`dense1`, `dropout1`, ...), the prefix of its parameters.
        shapes: the shape of one example before the first layer and after each layer.
        layout: where every parameter lies in the flat vector.
    """

    def __init__(self, layers: Sequence[Layer], input_shape: Shape) -> None:
        self.layers = tuple(layers)
        self.names = _unique_names(self.layers)
        self.shapes = [tuple(input_shape)]
        for name, layer in zip(self.names, self.layers, strict=True):
            try:
                self.shapes.append(layer.output_shape(self.shapes[-1]))
            except ConfigError as error:
                raise ConfigError(f"model: layer {name}: {error}") from None
        self.layout = Layout(
            {n: layer.parameters(s) for n, layer, s in zip(self.names, self.layers, self.shapes, strict=False)}
        )

    @property
    def couples_examples(self) -> bool:
        """Whether some layer looks at the whole batch, so that it cannot be cut into shards."""
        return any(layer.couples_examples for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one example's forward pass."""
        return sum(layer.multiply_adds(s) for layer, s in zip(self.layers, self.shapes, strict=False))

    @property
    def first_trained(self) -> int:
        """Index of the first layer with trained parameters: backpropagation may stop there."""
        for i, (layer, shape) in enumerate(zip(self.layers, self.shapes, strict=False)):
            if any(p.trainable for _, p in flatten(layer.parameters(shape))):
                return i
        return len(self.layers)


class Pass:
    """A network bound to one parameter vector, with the memory of one shard.

    The layers' forward and backward functions are bound to their views and slots once, so that a
    training step is a loop over calls and nothing else.

    Attributes:
        gradient: the flat gradient with respect to the parameters, overwritten by `backward`.
            Layers fill the entries of frozen parameters too; nothing reads them.
        slots: one a layer.
    """

    def __init__(
        self, network: Network, theta: Array, gradient: Array | None = None, *, to_input: bool = False
    ) -> None:
        self.network = network
        self.gradient = theta[:0] if gradient is None else gradient
        p = network.layout.views(theta)
        self.slots = [Slot(theta.dtype, name) for name in network.names]
        self.calls: list[tuple[Callable[..., Array], Any, Slot]] = [
            (layer.forward, p[name], slot)
            for layer, name, slot in zip(network.layers, network.names, self.slots, strict=True)
        ]
        self._backward: list[tuple[Callable[..., Array], Any, Any, Slot]] = []
        if gradient is not None:
            g = network.layout.views(gradient)
            first = 0 if to_input else network.first_trained
            self._backward = [
                (layer.backward, p[name], g[name], slot)
                for layer, name, slot in zip(network.layers, network.names, self.slots, strict=True)
            ][first:][::-1]
            if self._backward and not to_input:
                self._backward[-1][-1].input_gradient = False

    def begin(self, *, training: bool, address: tuple[Any, ...]) -> None:
        """Set the mode and the address of the random streams of the next forward pass."""
        for slot in self.slots:
            slot.training, slot.address = training, address

    def forward(self, x: Array) -> Array:
        """The network's output for a batch."""
        for function, p, slot in self.calls:
            x = function(p, x, slot)
        return x

    def backward(self, dy: Array) -> Array:
        """Fill `gradient` from the gradient with respect to the output; return that to the input."""
        for function, p, g, slot in self._backward:
            dy = function(p, g, dy, slot)
        return dy

    def track(self, theta: Array) -> None:
        """Let the layers update their running statistics in `theta` after a training step."""
        p = self.network.layout.views(theta)
        for layer, name, slot in zip(self.network.layers, self.network.names, self.slots, strict=True):
            layer.track(p[name], slot)


def _unique_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    taken = {layer.name for layer in layers if layer.name}
    counts: dict[str, int] = {}
    names: list[str] = []
    for layer in layers:
        name = layer.name
        while name is None or (layer.name is None and name in taken):
            counts[layer.kind] = counts.get(layer.kind, 0) + 1
            name = f"{layer.kind}{counts[layer.kind]}"
        if name in names:
            raise ConfigError(f"model: two layers are named {name!r}; give each its own name")
        names.append(name)
    return tuple(names)
