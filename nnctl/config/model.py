"""The `model` section, and the network it describes."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nnctl.activations import AnyActivation, Relu
from nnctl.config.ending import without_contained
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Loss
from nnctl.engine.network import Network
from nnctl.engine.parameters import Shape
from nnctl.errors import ConfigError
from nnctl.initializers import AnyInitializer, GlorotUniform
from nnctl.layers import (
    Activation,
    AnyLayer,
    BatchNormalization,
    Block,
    Dense,
    Dropout,
    Flatten,
    LayerNormalization,
    Reshape,
)
from nnctl.layers.blocks import named_layers
from nnctl.layers.pooling import MaxPool
from nnctl.spec import Listed, Spec

NORMALIZATIONS = {"batch": BatchNormalization(), "layer": LayerNormalization()}


class Model(Spec):
    """The network: a short form for multilayer perceptrons, or a list of layers.

    The output layer follows from target and loss unless `layers` ends in it.

    ```yaml
    {hidden: [64, 32], activation: relu, dropout: 0.2, init: he_normal}
    ```
    """

    hidden: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Listed] = Field(
        (), description="Units of each hidden layer; `[]` is a model without hidden layers."
    )
    activation: AnyActivation = Field(Relu(), description="Activation of the hidden layers.")
    normalization: Literal["batch", "layer"] | None = Field(
        None, description="Normalisation before each hidden activation: batch or layer."
    )
    input_dropout: float = Field(0.0, ge=0, lt=1, description="Share of the inputs dropped in training.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the hidden units dropped in training.")
    init: AnyInitializer | None = Field(None, description="How weights start; left out, what suits the activation.")
    output_init: AnyInitializer | None = Field(
        None, description="How the output layer's weights start; left out, as `init` says, or else glorot_uniform."
    )
    layers: Annotated[tuple[AnyLayer, ...], Listed] | None = Field(
        None,
        description="The long form: every layer in order, instead of the keys above; `- conv: 32` is short for "
        "`- {type: conv2d, filters: 32}`, and `- relu` for an activation.",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.layers is not None:
            short = {key: field.default for key, field in type(self).model_fields.items() if key != "layers"}
            also = [key for key, default in short.items() if getattr(self, key) != default]
            if also:
                raise ValueError(
                    f"`layers` spells the network out, and `{also[0]}` belongs to the short form; use one of them"
                )
        return self

    def written_layers(self) -> tuple[Layer, ...]:
        """The layers as the file says, the short form spelled out; without the output layer."""
        if self.layers is not None:
            return self.layers
        layers: list[Layer] = [Dropout(rate=self.input_dropout)] if self.input_dropout else []
        for units in self.hidden:
            init = self.init or self.activation.initializer
            layers.append(Dense(units=units, init=init, bias=self.normalization != "batch"))
            if self.normalization:
                layers.append(NORMALIZATIONS[self.normalization])
            layers.append(Activation(function=self.activation))
            if self.dropout:
                layers.append(Dropout(rate=self.dropout))
        return tuple(layers)

    def network(self, input_shape: Shape, outputs: int, loss: Loss) -> Network:
        """The network for inputs of a shape and a number of outputs.

        Raises:
            ConfigError: where layers do not fit their inputs, or the last one the target.
        """
        layers = pool_first(expand([*self._shaping(input_shape), *self.complete(input_shape, outputs)]))
        return Network(without_contained(layers, loss, "model.layers"), input_shape)

    def complete(self, input_shape: Shape, outputs: int) -> list[Layer]:
        """The layers as written with the output layer, everything inferred filled in.

        Raises:
            ConfigError: where the last layer does not fit the target.
        """
        written = list(self.written_layers())
        if self.layers is not None:
            if written and isinstance(written[-1], Dense) and written[-1].units is None:
                written[-1] = written[-1].model_copy(update={"units": outputs})
            expanded = expand([*self._shaping(input_shape), *written])
            shape = Network(expanded, input_shape).shapes[-1]
            if shape == (outputs,):
                return settle(written)
            _refuse_end(expanded, shape, outputs)
        return settle([*written, Dense(units=outputs, init=self.output_init or self.init or GlorotUniform())])

    def _shaping(self, shape: Shape) -> list[Layer]:
        """What brings the data's inputs into the shape the first layer takes."""
        if self.layers is None:
            return [Flatten()] if len(shape) > 1 else []
        return [Reshape(shape=(*shape, 1))] if _lacks_channels(self.layers, shape) else []


def _refuse_end(layers: list[Layer], shape: Shape, outputs: int) -> None:
    """Raise ConfigError where layers end in something that looks like an output layer of another shape or size."""
    last = next((layer for layer in reversed(layers) if not isinstance(layer, Activation)), None)
    if len(shape) > 1:
        remedy = "end the layers in `- flatten` or `- global_average_pool`"
        if isinstance(last, Dense):
            remedy = "a dense layer acts at each position; put `- flatten` or `- global_average_pool` before it"
        raise ConfigError(
            f"model.layers: the last layer gives {shape} an example, and the target needs {outputs} values; {remedy}"
        )
    if layers and isinstance(layers[-1], Dense):
        raise ConfigError(
            f"model.layers: the last layer has {shape[-1]} units and the target needs {outputs}; "
            f"write `units: {outputs}`, or leave `units` out"
        )


def _lacks_channels(layers: Sequence[Layer], shape: Shape) -> bool:
    """Whether inputs are images (h, w), or signals (n,), and the first layer to look at their axes wants channels."""
    for _, layer in named_layers(layers):
        if isinstance(layer, Flatten | Reshape):
            return False
        if layer.axes is not None:
            return len(shape) == layer.axes
    return False


def settle(layers: Sequence[Layer]) -> list[Layer]:
    """Choose the initialisers left out: what suits the layers that follow."""
    settled: list[Layer] = []
    for i, layer in enumerate(layers):
        suited = next((after.suits for after in layers[i + 1 :] if after.suits), GlorotUniform())
        settled.append(layer.with_chains(settle) if isinstance(layer, Block) else layer.settled(suited))
    return settled


def expand(layers: Sequence[Layer]) -> list[Layer]:
    """Make a layer of its own of every weighted layer's activation, and choose initialisers left out."""
    expanded: list[Layer] = []
    for layer in settle(layers):
        expanded += [layer.with_chains(expand)] if isinstance(layer, Block) else layer.parts()
    return expanded


def pool_first(layers: Sequence[Layer]) -> list[Layer]:
    """Put maximum pooling before a rectifier that it follows.

    max_k relu(x_k) = relu(max_k x_k), and so are the gradients, to the bit: the rectifier then has a quarter of the
    values to work on. A step of a convolutional network is about 4 % shorter.
    """
    ordered: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Block):
            layer = layer.with_chains(pool_first)
        rectified = ordered and isinstance(ordered[-1], Activation) and isinstance(ordered[-1].function, Relu)
        ordered.insert(len(ordered) - (1 if rectified and isinstance(layer, MaxPool) else 0), layer)
    return ordered
