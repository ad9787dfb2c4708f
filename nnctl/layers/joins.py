"""Layers that put several values together."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Gives, Join
from nnctl.engine.parameters import Array, Declarations, Parameter, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import GlorotUniform

#: Units of the embedding that is proposed where there is none.
WIDTH = 32


class Add(Join):
    """The sum of values of one shape.

        Y = sum_b X_b        dJ/dX_b = dJ/dY

    The gradient reaches every one of them unchanged, which is what makes residual networks trainable.
    Shapes: X_b, Y (batch, ...). Source: He, Zhang, Ren and Sun, "Deep residual learning for image
    recognition", CVPR 2016.

    ```yaml
    {type: add}
    ```
    """

    type: Literal["add"] = "add"
    gives: ClassVar[Gives] = "added"

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        return equal_shapes(shapes, "adds")

    def forward(self, p: Views, x: tuple[Array, ...], slot: Slot) -> Array:
        slot["count"] = len(x)
        y = slot.buffer("y", x[0].shape)
        if len(x) == 1:
            y[...] = x[0]
            return y
        np.add(x[0], x[1], out=y)
        for other in x[2:]:
            y += other
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> tuple[Array, ...]:
        return (dy,) * int(slot["count"])


class Multiply(Join):
    """The product of values of one shape, value by value: each scales the others.

        Y = prod_b X_b        dJ/dX_b = dJ/dY * prod_{c != b} X_c

    Shapes: X_b, Y (batch, ...). Source: Jayakumar et al., "Multiplicative interactions and where to find
    them", ICLR 2020.

    ```yaml
    {type: multiply}
    ```
    """

    type: Literal["multiply"] = "multiply"
    gives: ClassVar[Gives] = "multiplied"

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        return equal_shapes(shapes, "multiplies")

    def forward(self, p: Views, x: tuple[Array, ...], slot: Slot) -> Array:
        slot["x"] = x
        y = slot.buffer("y", x[0].shape)
        y[...] = x[0]
        for other in x[1:]:
            y *= other
        return y

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> tuple[Array, ...]:
        x = slot["x"]
        dx = []
        for b in range(len(x)):
            d = slot.buffer(f"dx{b}", dy.shape)
            d[...] = dy
            for other in (*x[:b], *x[b + 1 :]):
                d *= other
            dx.append(d)
        return tuple(dx)


class Concatenate(Join):
    """Values side by side, along their last axis.

        Y = [X_1, X_2, ...]        dJ/dX_b = its part of dJ/dY

    Shapes: X_b (batch, ..., units_b), equal but for the last axis, Y (batch, ..., sum of units_b). Source:
    Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    ```yaml
    {type: concatenate}
    ```
    """

    type: Literal["concatenate"] = "concatenate"
    gives: ClassVar[Gives] = "same"
    any_width: ClassVar[bool] = True

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        if len({shape[:-1] for shape in shapes}) > 1 or not all(shapes):
            raise ConfigError("puts values side by side, whose shapes must be equal but for the last axis")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def forward(self, p: Views, x: tuple[Array, ...], slot: Slot) -> Array:
        slot["edges"] = np.cumsum([0, *(part.shape[-1] for part in x)])
        y = slot.buffer("y", (*x[0].shape[:-1], int(slot["edges"][-1])))
        return np.concatenate(x, axis=-1, out=y)

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> tuple[Array, ...]:
        return tuple(dy[..., a:b] for a, b in pairwise(slot["edges"]))


class Attention(Join):
    """A weighted mean of values of equal width, with weights that depend on what they hold.

    With X_b (batch, units) the values, q a learned query and n = units:

        e_b = q . X_b / sqrt(n)        a = softmax(e)        Y = sum_b a_b X_b

    Backward, from dY:

        da_b = dY . X_b                        de_b = a_b (da_b - sum_c a_c da_c)
        dJ/dX_b = a_b dY + de_b q / sqrt(n)    dJ/dq = sum over batch and b of de_b X_b / sqrt(n)

    q starts at random, as with q = 0 the first step is that of a plain mean. Shapes: X_b, Y (batch, ..., units),
    q (units,). Sources: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and
    translate", ICLR 2015; with a learned query: Yang et al., "Hierarchical attention networks for document
    classification", NAACL 2016; the scale: Vaswani et al., "Attention is all you need", NIPS 2017.

    ```yaml
    {type: attention}
    ```
    """

    type: Literal["attention"] = "attention"
    trainable: bool = Field(True, description="Whether the query is trained, or stays as it starts.")

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        return equal_shapes(shapes, "attends to")

    def parameters(self, shape: Shape) -> Declarations:
        return {"query": Parameter(shape[-1:], GlorotUniform(), shape[-1], 1, decays=False, trainable=self.trainable)}

    def forward(self, p: Views, x: tuple[Array, ...], slot: Slot) -> Array:
        scale = x[0].dtype.type(1 / np.sqrt(x[0].shape[-1]))
        values = np.stack(x)  # (inputs, batch, ..., units)
        e = values @ p["query"] * scale  # (inputs, batch, ...)
        a = np.exp(e - e.max(axis=0))
        a /= a.sum(axis=0)
        slot["values"], slot["a"], slot["scale"] = values, a, scale
        return np.asarray((a[..., None] * values).sum(axis=0))

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> tuple[Array, ...]:
        values, a, scale = slot["values"], slot["a"], slot["scale"]
        da = (dy * values).sum(axis=-1)  # (inputs, batch, ...)
        de = a * (da - (a * da).sum(axis=0)) * scale
        np.matmul(de.reshape(-1), values.reshape(-1, values.shape[-1]), out=g["query"])
        return tuple(a[..., None] * dy + de[..., None] * p["query"])


def equal_shapes(shapes: Sequence[Shape], does: str) -> Shape:
    """The one shape of all; raises ConfigError where there are several, or it has no axes."""
    if len(set(shapes)) > 1 or not shapes[0]:
        raise ConfigError(f"{does} values, which must have one shape")
    return shapes[0]


def joined(graph: Graph, name: str, join: Join, ends: Mapping[str, str]) -> str:
    """Add a join of branches to a graph; returns its name.

    `ends` are the nodes that the branches end in, by the branch's place in the experiment file.

    Raises:
        ConfigError: where they do not fit together, with the shape of each and what makes them fit.
    """
    try:
        return graph.add(name, join, *ends.values())
    except ConfigError as error:
        if error.key:  # of the name, not of what is joined
            raise
        given = {branch: graph.signals[end] for branch, end in ends.items()}
        shapes = ", ".join(f"{branch} {signal}" for branch, signal in given.items())
        remedies = [f"{' and '.join(layers)} last in {branch}" for branch, layers in lacking(join, given).items()]
        raise ConfigError(f"{error}, and finds {shapes}; put {', '.join(remedies)}", error.key) from None


def lacking(join: Join, given: Mapping[str, Signal]) -> dict[str, list[str]]:
    """The layers that, put last in its branches, make values fit together, as the experiment file writes them."""
    layers: dict[str, list[str]] = {branch: [] for branch in given}
    shapes = {branch: signal.shape for branch, signal in given.items()}
    in_step = all(signal.steps for signal in given.values()) and len({signal.clock for signal in given.values()}) == 1
    for branch, signal in given.items():
        if signal.tokens:
            layers[branch].append(f"`- {{embedding: {WIDTH}}}`")
            shapes[branch] = (*signal.shape, WIDTH)
        if signal.steps and not in_step:
            layers[branch].append("`- global_average_pool`")
    if len({shape[:-1] for shape in shapes.values()}) > 1:
        for branch, shape in shapes.items():
            if len(shape) > 1:
                layers[branch].append("`- flatten`")
                shapes[branch] = (prod(shape),)
    if not join.any_width:
        settled = [shape[-1] for branch, shape in shapes.items() if not layers[branch]]
        width = min(settled or [shape[-1] for shape in shapes.values()])
        for branch, shape in shapes.items():
            if shape[-1] != width:
                layers[branch].append(f"`- {{dense: {width}}}`")
    return {branch: needed for branch, needed in layers.items() if needed}
