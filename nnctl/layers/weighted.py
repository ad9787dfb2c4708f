"""What layers of units that weigh their inputs have in common, whatever they weigh."""

from typing import Any, Self

from pydantic import Field

from nnctl.activations import AnyActivation
from nnctl.engine.layer import Layer, RateScale
from nnctl.engine.parameters import Declarations, Initializer, Parameter, Shape
from nnctl.initializers import AnyInitializer, GlorotUniform, Zeros
from nnctl.layers.activation import Activation


class Weighted(Layer):
    """Units with weights and a bias: how these start, and what is done to them in training."""

    activation: AnyActivation | None = Field(None, description="Applied to the net input; left out, none.")
    init: AnyInitializer | None = Field(None, description="How weights start; left out, what suits the activation.")
    bias: bool = Field(True, description="Whether units have a bias.")
    bias_init: AnyInitializer = Field(Zeros(), description="How biases start.")
    trainable: bool = Field(True, description="Whether the weights are trained, or stay as they start.")
    train_bias: bool = Field(True, description="Whether the biases are trained, or stay as they start.")
    l1: float | None = Field(None, ge=0, description="L1 penalty of this layer's weights, instead of the global one.")
    l2: float | None = Field(None, ge=0, description="L2 penalty of this layer's weights, instead of the global one.")
    learning_rate_scale: RateScale = 1.0

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """List a layer's own keys before these, in config.yaml and on its reference page."""
        for key in Weighted.__annotations__:
            cls.model_fields[key] = cls.model_fields.pop(key)

    @property
    def suits(self) -> Initializer:
        return GlorotUniform()  # what weights before it feed is linear

    def settled(self, suited: Initializer) -> Self:
        if self.init is not None:
            return self
        return self.model_copy(update={"init": self.activation.initializer if self.activation else suited})

    def parts(self) -> tuple[Layer, ...]:
        if self.activation is None:
            return (self,)
        return self.model_copy(update={"activation": None}), Activation(function=self.activation)

    def tensors(self, weight: Shape, fan_in: int, fan_out: int) -> Declarations:
        """The weights, of this shape with units last, and a bias a unit."""
        scale = self.learning_rate_scale
        declared = {
            "weight": Parameter(
                weight, self.init or GlorotUniform(), fan_in, fan_out,
                trainable=self.trainable, l1=self.l1, l2=self.l2, learning_rate_scale=scale,
            )
        }  # fmt: skip
        if self.bias:
            declared["bias"] = Parameter(
                weight[-1:], self.bias_init, fan_in, fan_out,
                role="bias", decays=False, trainable=self.trainable and self.train_bias, learning_rate_scale=scale,
            )  # fmt: skip
        return declared
