"""Layers made of layers, which expand into nodes: residual and parallel blocks, and a layer used again."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field

from nnctl.engine.graph import Graph
from nnctl.engine.layer import Join, Layer
from nnctl.engine.parameters import Initializer
from nnctl.errors import ConfigError
from nnctl.initializers import GlorotUniform
from nnctl.layers.joins import Add, Concatenate, joined
from nnctl.spec import Listed

if TYPE_CHECKING:
    from nnctl.layers import AnyLayer

Chain = Sequence[Layer]


class Block(Layer):
    """Chains of layers that all read the block's input, and a node that joins what they give.

    The block's own name is that of the joining node; a layer inside goes by its chain and its name:
    `residual1.layers.conv2d1`.
    """

    def key(self, chain: str) -> str:
        """Where the file has a chain, below the block."""
        return chain

    @property
    def chains(self) -> Mapping[str, Chain]:
        """The chains by name."""
        raise NotImplementedError

    @property
    def join(self) -> Join:
        """What puts together what the chains give."""
        raise NotImplementedError

    def rewritten(self, change: Callable[[Chain], Chain]) -> Self:
        raise NotImplementedError

    @property
    def suits(self) -> Initializer:
        return GlorotUniform()  # what is before it feeds a sum, or weights

    def grow(self, graph: Graph, name: str, source: str) -> str:
        ends = {}
        for chain, layers in self.chains.items():
            key = self.key(chain)
            try:
                ends[key] = graph.chain(layers, source, f"{name}.{chain}.")
            except ConfigError as error:
                raise error.under(key) from None
        return self.closed(graph, name, ends)

    def closed(self, graph: Graph, name: str, ends: Mapping[str, str]) -> str:
        """Add the node that joins the chains, which end in these nodes; returns its name."""
        return joined(graph, name, self.join, ends)


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

    @property
    def join(self) -> Join:
        return _Sum()

    def closed(self, graph: Graph, name: str, ends: Mapping[str, str]) -> str:
        return graph.add(name, self.join, *ends.values())  # which says itself what to do

    def rewritten(self, change: Callable[[Chain], Chain]) -> Self:
        return self.model_copy(update={"layers": tuple(change(self.layers)), "shortcut": tuple(change(self.shortcut))})


class _Sum(Add):
    """The sum at the end of a residual block, which knows what to do about shapes that differ."""

    def joined_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        if shapes[0] != shapes[1]:
            units = shapes[0][-1]
            layer = f"{{dense: {units}}}" if len(shapes[0]) == 1 else f"{{type: conv2d, filters: {units}, kernel: 1}}"
            raise ConfigError(
                f"`layers` gives {shapes[0]} and the shortcut {shapes[1]}, which cannot be added; write a `shortcut` "
                f"that ends in {shapes[0]}, such as `shortcut: [{layer}]`",
                "shortcut",
            )
        return shapes[0]


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

    def key(self, chain: str) -> str:
        return f"branches.{list(self.chains).index(chain)}"

    @property
    def join(self) -> Join:
        return Add() if self.merge == "add" else Concatenate()

    def rewritten(self, change: Callable[[Chain], Chain]) -> Self:
        return self.model_copy(update={"branches": tuple(tuple(change(branch)) for branch in self.branches)})

    def grow(self, graph: Graph, name: str, source: str) -> str:
        if not self.branches:
            raise ConfigError(f"layer {name}: has no branches; give it at least one, if only `[]`", "branches")
        return super().grow(graph, name, source)


class Use(Layer):
    """Use a layer, or a block, that stands earlier in the network once more, with the same weights.

        dJ/dW = the sum of what both places give

    Inputs must have the shape that the first place has. Siamese networks compare two inputs this way.
    Source: Bromley, Guyon, LeCun, Saeckinger and Shah, "Signature verification using a siamese time delay
    neural network", NIPS 1993.

    ```yaml
    {type: use, layer: dense1}
    ```
    """

    type: Literal["use"] = "use"
    principal: ClassVar[str | None] = "layer"
    layer: str = Field(description="The name of the layer, as `nnctl check` shows it.")

    def grow(self, graph: Graph, name: str, source: str) -> str:
        return graph.again(name, self.layer, source)
