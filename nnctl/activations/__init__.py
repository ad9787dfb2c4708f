"""Activation functions; the union of them all."""

from typing import Annotated

from nnctl.activations.base import Activation
from nnctl.activations.exponential import Celu, Elu, Selu
from nnctl.activations.gated import Gelu, Mish, Swish
from nnctl.activations.hard import HardSigmoid, HardSwish, HardTanh
from nnctl.activations.linear import Linear
from nnctl.activations.rectifiers import LeakyRelu, Relu, Relu6
from nnctl.activations.sigmoids import Sigmoid, Softsign, Tanh, Tanhshrink
from nnctl.activations.softmax import LogSoftmax, Softmax
from nnctl.activations.softplus import LogSigmoid, Softplus
from nnctl.activations.step import Step
from nnctl.spec import type_short_form

AnyActivation = Annotated[
    Linear
    | Step
    | Sigmoid
    | Tanh
    | Relu
    | Relu6
    | LeakyRelu
    | Elu
    | Selu
    | Celu
    | Softplus
    | Gelu
    | Swish
    | Mish
    | HardSigmoid
    | HardTanh
    | HardSwish
    | Softsign
    | LogSigmoid
    | Tanhshrink
    | Softmax
    | LogSoftmax,
    type_short_form,
]

__all__ = ["Activation", "AnyActivation"]
