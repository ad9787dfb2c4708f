"""Tables of vectors that stand for tokens."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Layer, RateScale
from nnctl.engine.parameters import Array, Declarations, Parameter, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import AnyInitializer, Uniform


class Embedding(Layer):
    """A learned vector for each token: the row of a table that the token's number names.

        Y[i] = E[X[i]]        dJ/dE[v] = sum of dJ/dY[i] over the i with X[i] = v

    It is a dense layer on one-hot inputs without the zeros. X are whole numbers 0 .. size - 1, which have no
    gradient. Shapes: X (batch, ...) or the tokens of sequences, E (size, units), Y (batch, ..., units).
    PyTorch starts E from N(0, 1), Keras as here from U(-0.05, 0.05).

    Sources: Bengio, Ducharme, Vincent and Jauvin, "A neural probabilistic language model", JMLR 3 (2003).

    ```yaml
    {type: embedding, units: 50}
    ```
    """

    type: Literal["embedding"] = "embedding"
    principal: ClassVar[str | None] = "units"
    takes_sequences: ClassVar[bool] = True
    takes_tokens: ClassVar[bool] = True
    units: int = Field(gt=0, description="Length of a vector.")
    size: Annotated[int, Field(gt=0)] | None = Field(
        None, description="Number of different tokens; left out, as many as the input's vocabulary has."
    )
    init: AnyInitializer = Field(Uniform(epsilon=0.05), description="How the vectors start.")
    trainable: bool = Field(True, description="Whether the vectors are trained, or stay as they start.")
    l1: float | None = Field(None, ge=0, description="L1 penalty of the vectors, instead of the global one.")
    l2: float | None = Field(None, ge=0, description="L2 penalty of the vectors, instead of the global one.")
    learning_rate_scale: RateScale = 1.0

    def grow(self, graph: Graph, name: str, source: str) -> str:
        tokens = graph.signals[source].tokens
        return graph.add(name, self if self.size else self.model_copy(update={"size": tokens or None}), source)

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        tokens = given[0].tokens
        if not tokens:
            raise ConfigError("takes tokens, such as an input of type `text` has, and finds numbers")
        if self.size is not None and self.size < tokens:
            raise ConfigError(
                f"has {self.size} vectors for {tokens} different tokens; leave `size` out, or raise it", "size"
            )
        return replace(super().signal(name, given), tokens=0)

    def output_shape(self, shape: Shape) -> Shape:
        return (*shape, self.units)

    def parameters(self, shape: Shape) -> Declarations:
        size = self.size or 1
        table = Parameter(
            (size, self.units), self.init, size, self.units,
            role="table", trainable=self.trainable, l1=self.l1, l2=self.l2, rows=True,
            learning_rate_scale=self.learning_rate_scale,
        )  # fmt: skip
        return {"table": table}

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def forward(self, p: Views, x: Array, slot: Slot) -> Array:
        slot["x"] = x
        return np.take(p["table"], x, axis=0, out=slot.buffer("y", (*x.shape, self.units)))

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> None:
        table = g["table"]
        table[...] = 0
        np.add.at(table, slot["x"].reshape(-1), dy.reshape(-1, self.units))
