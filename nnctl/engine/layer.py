"""The contract every layer keeps."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from nnctl.engine.formulas import UnitFormula
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.parameters import Array, Declarations, Initializer, Shape, Views, flatten
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.spec import Spec

#: What a layer's outputs are, outside training: the `same` values as the inputs, in another shape or side by side at
#: most; inputs `changed` where they stand; weighted `sums` of all inputs, by the parameters `weight` (inputs, outputs)
#: and `bias`; the values of several inputs `added` or `multiplied`; or something `new`.
Gives = Literal["same", "changed", "sums", "added", "multiplied", "new"]
RateScale = Annotated[float, Field(gt=0, description="What the learning rate is multiplied by for this layer.")]


class Layer(Spec):
    """An immutable value: a layer's settings and its mathematics, no arrays.

    Shapes never include the batch: `output_shape((784,))` is `(64,)` where the arrays are
    (batch, 784) and (batch, 64). `forward` and `backward` never change `x`, `dy` or `p`; results are
    written into buffers of the slot, which stay valid until the layer's next pass in that slot.
    """

    #: The key that a short form's value goes to: `- dropout: 0.2` is `{type: dropout, rate: 0.2}`; None: no such form.
    principal: ClassVar[str | None] = None
    #: A shorter name of the type in short forms.
    alias: ClassVar[str | None] = None
    #: How many axes of positions an input has before its channels; None where any number will do.
    axes: ClassVar[int | None] = None
    #: Whether it changes values at random in training; memorising a batch does without such layers.
    disturbs: ClassVar[bool] = False

    type: str
    name: str | None = Field(
        None, pattern=r"^[A-Za-z_]\w*$", description="Name of the layer in reports and parameter names."
    )

    #: What the outputs are to the inputs.
    gives: ClassVar[Gives] = "new"
    #: What a reader of one example's pass must know: how evaluation differs from training.
    in_evaluation: ClassVar[str | None] = None
    #: Whether it takes sequences: each step as an example of its own, or looking along time by `slot.lengths`.
    takes_sequences: ClassVar[bool] = False
    #: Whether it takes whole numbers that stand for something, as an embedding does.
    takes_tokens: ClassVar[bool] = False
    #: Whether it reads several values; see `Join`.
    joins: ClassVar[bool] = False

    @property
    def formula(self) -> UnitFormula | None:
        """What happens to each value on paper; None where values depend on each other, or it takes no formula."""
        return None

    @property
    def couples_examples(self) -> bool:
        """Whether an example's output depends on the others of its batch; that makes the plan one shard."""
        return False

    def needs_several(self, shape: Shape) -> bool:
        """Whether one example is too small a batch to train on."""
        return False

    @property
    def suits(self) -> Initializer | None:
        """The initialiser for weights before this layer; None where it depends on what comes after it."""
        return None

    def settled(self, suited: Initializer) -> Self:
        """This layer with the initialiser it leaves out filled in; `suited` is that for what comes after it."""
        return self

    def parts(self) -> "tuple[Layer, ...]":
        """What stands for it in the network: itself, or itself and its activation."""
        return (self,)

    def may_precede(self, neighbour: "Layer") -> bool:
        """Whether it gives the same before a layer that stands before it, and is cheaper there."""
        return False

    @property
    def kind(self) -> str:
        """What the layer is called when it has no name of its own; a number is added."""
        return self.type

    def grow(self, graph: Graph, name: str, source: str) -> str:
        """Add what this layer stands for to a graph, reading `source`; returns the name of what has its output."""
        return graph.add(name, self, source)

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        """What comes out of the node of this name; raises ConfigError for inputs it cannot take."""
        (one,) = given
        if one.tokens and not self.takes_tokens:
            raise ConfigError("takes numbers, and finds tokens; put an embedding before it (`- embedding: 32`)")
        if one.steps and not self.takes_sequences:
            raise ConfigError(
                f"takes arrays, and finds sequences of shape {one}; make one value a unit of all steps before it "
                "(`- global_average_pool`, `- global_max_pool`)"
            )
        return replace(one, shape=self.output_shape(one.shape))

    def lengths(self, n: Array) -> Array:
        """The lengths (batch,) of the sequences it makes of sequences with lengths n."""
        return n

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one example's output; raises ConfigError for an input it cannot take."""
        return shape

    def parameters(self, shape: Shape) -> Declarations:
        """The parameter tensors for inputs of this shape, by name."""
        return {}

    def multiply_adds(self, shape: Shape) -> int:
        """Multiply-adds of one example's forward pass, from which the shards are planned."""
        return sum(prod(p.shape) for _, p in flatten(self.parameters(shape)))

    def forward(self, p: Views, x: Any, slot: Slot) -> Array:
        """The layer's output; saves in the slot what `backward` needs."""
        raise NotImplementedError

    def backward(self, p: Views, g: Views, dy: Array, slot: Slot) -> Any:
        """The gradient with respect to the input, from `dy`, that with respect to the output.

        Overwrites the views in `g` with the gradients with respect to the parameters. Where
        `slot.input_gradient` is False the result is not used and need not be computed.
        """
        raise NotImplementedError

    def pieces(self, slot: Slot) -> Array | None:
        """Which smooth piece of the function each value of the last forward pass lies on.

        None for a smooth layer. Integers otherwise: which side of ReLU's kink, which input won a
        maximum. When they differ between two forward passes, a kink lies between the two points
        and a difference quotient is not a derivative; the gradient check uses this.
        """
        return None

    def track(self, p: Views, slot: Slot) -> None:
        """Update statistics kept among the frozen parameters from what the slot saw.

        Called once after each training step, never by a gradient check.
        """


class Join(Layer):
    """A layer that reads several values and gives one; `forward` takes a tuple, `backward` gives one back."""

    joins: ClassVar[bool] = True
    #: Whether the last axes of the values may differ.
    any_width: ClassVar[bool] = False

    def signal(self, name: str, given: Sequence[Signal]) -> Signal:
        if any(signal.tokens for signal in given):
            raise ConfigError("joins numbers, not tokens")
        sequences = [signal for signal in given if signal.steps]
        if sequences and (len(sequences) < len(given) or len({signal.clock for signal in sequences}) > 1):
            raise ConfigError(
                "joins sequences step by step, which must be all or none of what it reads, and come from one input"
            )
        return replace(given[0], shape=self.joined_shape([signal.shape for signal in given]))

    def joined_shape(self, shapes: Sequence[Shape]) -> Shape:
        """The shape of one example's output; raises ConfigError for shapes that do not fit together."""
        raise NotImplementedError

    def multiply_adds(self, shape: Shape) -> int:
        return 0
