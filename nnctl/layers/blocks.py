"""Layers made of layers: residual and parallel blocks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from nnctl.engine.layer import Gives, Layer
from nnctl.engine.network import Network, _unique_names
from nnctl.engine.parameters import Array, Declarations, Initializer, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import GlorotUniform
from nnctl.spec import Listed

if TYPE_CHECKING:
    from nnctl.layers import AnyLayer

Chain = Sequence[Layer]


class Block(Layer):
    """Chains of layers that all see the block's input; what they give is put together.

    Parameters, buffers and random streams of a layer inside are found under its chain and its name:
    `residual1.layers.conv2d1.weight`.
    """

    gives: ClassVar[Gives] = "changed"

    @property
    def chains(self) -> Mapping[str, Chain]:
        """The chains by name."""
        raise NotImplementedError

    def with_chains(self, change: Callable[[Chain], Chain]) -> Self:
        """This block with every chain changed."""
        raise NotImplementedError

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        """The block's output shape from its chains'; raises ConfigError where they do not fit together."""
        raise NotImplementedError

    @property
    def couples_examples(self) -> bool:
        return any(layer.couples_examples for chain in self.chains.values() for layer in chain)

    def needs_several(self, shape: Shape) -> bool:
        return any(
            layer.needs_several(inner)
            for network in self.networks(shape).values()
            for layer, inner in zip(network.layers, network.shapes, strict=False)
        )

    @property
    def suits(self) -> Initializer:
        return GlorotUniform()

    def networks(self, shape: Shape) -> dict[str, Network]:
        """The chains, compiled for inputs of a shape."""
        found = {}
        for name, chain in self.chains.items():
            try:
                found[name] = Network(chain, shape)
            except ConfigError as error:
                raise ConfigError(f"{name}: {str(error).removeprefix('model: ')}") from None
        return found

    def output_shape(self, shape: Shape) -> Shape:
        return self.joined_shape([network.shapes[-1] for network in self.networks(shape).values()])

    def parameters(self, shape: Shape) -> Declarations:
        return {name: network.layout.declarations for name, network in self.networks(shape).items()}

    def multiply_adds(self, shape: Shape) -> int:
        return sum(network.multiply_adds for network in self.networks(shape).values())

    def _forward_chains(self, p: Views, x: Array, slot: Slot) -> list[Array]:
        outputs = []
        for name, chain in self.chains.items():
            y, child = x, slot.child(name)
            for inner, layer in zip(p[name], chain, strict=True):
                y = layer.forward(p[name][inner], y, child.child(inner))
            outputs.append(y)
        return outputs

    def _backward_chains(self, p: Views, g: Views, dys: Sequence[Array], slot: Slot) -> Array:
        """The sum of the chains' gradients with respect to the input, where it is wanted."""
        total: Array | None = None
        for (name, chain), dy in zip(self.chains.items(), dys, strict=True):
            steps = list(zip(p[name], chain, strict=True))
            first = 0 if slot.input_gradient else _first_with_parameters(p[name])
            for i in reversed(range(first, len(steps))):
                inner, layer = steps[i]
                memory = slot.child(name).child(inner)
                memory.input_gradient = slot.input_gradient or i > first
                dy = layer.backward(p[name][inner], g[name][inner], dy, memory)
            if total is not None:
                total += dy
            elif slot.input_gradient:
                total = slot.buffer("dx", dy.shape)
                total[...] = dy
        return dys[0] if total is None else total

    def pieces(self, slot: Slot) -> Array | None:
        found = []
        for name, chain in self.chains.items():
            for inner, layer in zip(_unique_names(chain), chain, strict=True):
                pieces = layer.pieces(slot.child(name).child(inner))
                if pieces is not None:
                    found.append(pieces.ravel())
        return np.concatenate(found) if found else None

    def track(self, p: Views, slot: Slot) -> None:
        for name, chain in self.chains.items():
            for inner, layer in zip(p[name], chain, strict=True):
                layer.track(p[name][inner], slot.child(name).child(inner))


def named_layers(layers: Chain, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Every layer with the name its parameters have, those inside blocks included."""
    for name, layer in zip(_unique_names(layers), layers, strict=True):
        yield prefix + name, layer
        if isinstance(layer, Block):
            for chain, inner in layer.chains.items():
                yield from named_layers(inner, f"{prefix}{name}.{chain}.")


def inner_slot(slots: Mapping[str, Slot], name: str) -> Slot:
    """The slot of a layer that `named_layers` names, from those of the network's own layers."""
    outer, *inner = name.split(".")
    slot = slots[outer]
    for part in inner:
        slot = slot.child(part)
    return slot


def undisturbed(layers: Chain) -> tuple[Layer, ...]:
    """The layers but for those that disturb training on purpose, inside blocks too."""
    kept = (layer for layer in layers if not layer.disturbs)
    return tuple(layer.with_chains(undisturbed) if isinstance(layer, Block) else layer for layer in kept)


def _first_with_parameters(p: Views) -> int:
    """Where backpropagation through a chain may stop."""
    return next((i for i, own in enumerate(p.values()) if own), len(p))


class Residual(Block):
    """Add what some layers make of the input to the input itself.

        Y = F(X) + S(X)        dJ/dX = F'(X)^T dJ/dY + S'(X)^T dJ/dY

    F are the `layers`; S is the identity, so that the gradient passes it unchanged however deep the
    network is, or the `shortcut`, which makes the shapes equal where F changes them. An activation
    after the sum is a layer of its own after the block. Shapes: X (batch, ...), Y as F and S give.

    Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016; with
    normalisation and activation before each convolution: the same, "Identity mappings in deep residual
    networks", ECCV 2016.

    ```yaml
    type: residual
    layers:
      - {type: conv2d, filters: 32, stride: 2, bias: false}
      - batch_normalization
      - relu
      - {type: conv2d, filters: 32, bias: false}
      - batch_normalization
    shortcut:
      - {type: conv2d, filters: 32, kernel: 1, stride: 2}
    ```
    """

    type: Literal["residual"] = "residual"
    principal: ClassVar[str | None] = "layers"
    layers: Annotated[tuple["AnyLayer", ...], Listed] = Field(
        description="The layers whose output is added to the input."
    )
    shortcut: Annotated[tuple["AnyLayer", ...], Listed] = Field(
        (), description="Layers the input passes on its way round, where shapes differ; left out, none."
    )

    @property
    def chains(self) -> Mapping[str, Chain]:
        return {"layers": self.layers, "shortcut": self.shortcut}

    def with_chains(self, change: Callable[[Chain], Chain]) -> Self:
        return self.model_copy(update={"layers": tuple(change(self.layers)), "shortcut": tuple(change(self.shortcut))})

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        if shapes[0] != shapes[1]:
            raise ConfigError(
                f"`layers` gives {shapes[0]} and the shortcut {shapes[1]}, which cannot be added; write a `shortcut` "
                f"that ends in {shapes[0]}, such as `shortcut: [{{type: conv2d, filters: {shapes[0][-1]}, kernel: 1}}]`"
            )
        return shapes[0]

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        a, b = self._forward_chains(p, x, slot)
        return np.add(a, b, out=slot.buffer("y", a.shape))

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        return self._backward_chains(p, g, [dy, dy], slot)


class Parallel(Block):
    """Let several branches see the same input, and add their outputs or set them side by side.

        add:          Y = sum_b F_b(X)                dJ/dX = sum_b F_b'(X)^T dJ/dY
        concatenate:  Y = [F_1(X), F_2(X), ...]       dJ/dX = sum_b F_b'(X)^T dJ/dY_b,  dJ/dY_b its part of dJ/dY

    Outputs are set side by side along their last axis (channels). A branch `[]` is the input itself.
    Shapes: X (batch, ...), Y (batch, ..., channels) as the branches give.

    Source: Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    ```yaml
    type: parallel
    merge: concatenate
    branches:
      - [{type: conv2d, filters: 16, kernel: 1}]
      - [{type: conv2d, filters: 16, kernel: 3}, relu]
    ```
    """

    type: Literal["parallel"] = "parallel"
    principal: ClassVar[str | None] = "branches"
    branches: Annotated[tuple[Annotated[tuple["AnyLayer", ...], Listed], ...], Listed] = Field(
        description="The branches, each a list of layers."
    )
    merge: Literal["add", "concatenate"] = Field("concatenate", description="How their outputs are put together.")

    @property
    def chains(self) -> Mapping[str, Chain]:
        return {f"branch{i}": branch for i, branch in enumerate(self.branches, start=1)}

    def with_chains(self, change: Callable[[Chain], Chain]) -> Self:
        return self.model_copy(update={"branches": tuple(tuple(change(branch)) for branch in self.branches)})

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        if not shapes:
            raise ConfigError("has no branches; give it at least one, if only `[]`")
        if self.merge == "concatenate" and len({shape[:-1] for shape in shapes}) == 1:
            return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
        if self.merge == "add" and len(set(shapes)) == 1:
            return shapes[0]
        alike = "the same shape" if self.merge == "add" else "the same shape but for the last axis"
        raise ConfigError(f"branches give {', '.join(map(str, shapes))}; to {self.merge}, they must give {alike}")

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        outputs = self._forward_chains(p, x, slot)
        slot["sizes"] = [y.shape[-1] for y in outputs]
        y = slot.buffer("y", (*outputs[0].shape[:-1], self.joined_shape([y.shape for y in outputs])[-1]))
        if self.merge == "concatenate":
            return np.concatenate(outputs, axis=-1, out=y)
        y[...] = outputs[0]
        for output in outputs[1:]:
            y += output
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Array:
        if self.merge == "add":
            return self._backward_chains(p, g, [dy] * len(self.branches), slot)
        edges = np.cumsum([0, *slot["sizes"]])
        return self._backward_chains(p, g, [dy[..., a:b] for a, b in pairwise(edges)], slot)
