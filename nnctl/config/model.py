"""The `model` section."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nnctl.activations import AnyActivation, Relu
from nnctl.engine.layer import Layer
from nnctl.initializers import AnyInitializer
from nnctl.layers import (
    Activation,
    AnyJoin,
    AnyLayer,
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    LayerNormalization,
)
from nnctl.spec import Listed, Reticent

NORMALIZATIONS = {"batch": BatchNormalization(), "layer": LayerNormalization()}
Layers = Annotated[tuple[AnyLayer, ...], Listed]


class Model(Reticent):
    """The network: a short form for multilayer perceptrons, or a list of layers.

    The output layer follows from target and loss unless `layers` ends in it. Where the data name several inputs,
    each may pass layers of its own before they are joined, and each of several outputs may have some after `layers`.

    ```yaml
    {hidden: [64, 32], activation: relu, dropout: 0.2, init: he_normal}
    ```
    """

    #: What networks of several inputs or outputs have besides.
    unsaid: ClassVar[tuple[str, ...]] = ("inputs", "join", "outputs")

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
    layers: Layers | None = Field(
        None,
        description="The long form: every layer in order, instead of the keys above; `- conv: 32` is short for "
        "`- {type: conv2d, filters: 32}`, and `- relu` for an activation.",
    )
    inputs: dict[str, Layers] = Field(
        {},
        description="Layers that an input of `data.inputs` passes before the join; one not named goes straight there.",
    )
    join: AnyJoin = Field(Concatenate(), description="How several inputs are put together.")
    outputs: dict[str, Layers] = Field(
        {}, description="Layers between `layers` and an output of `data.outputs`; the output layer follows by itself."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.layers is not None:
            both = ("layers", *self.unsaid)
            short = {key: field.default for key, field in type(self).model_fields.items() if key not in both}
            also = [key for key, default in short.items() if getattr(self, key) != default]
            if also:
                raise ValueError(
                    f"`layers` spells the network out, and `{also[0]}` belongs to the short form; use one of them"
                )
        return self

    def written_layers(self) -> tuple[Layer, ...]:
        """The layers between join and heads as the file says, the short form spelled out; without output layers."""
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
