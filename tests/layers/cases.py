"""One table of layer cases; every layer of the union must stand in it."""

from dataclasses import dataclass

from nnctl.activations import LeakyRelu, Relu, Softmax, Tanh
from nnctl.engine.layer import Layer
from nnctl.initializers import Normal
from nnctl.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    LayerNormalization,
    PRelu,
)

SPREAD = Normal(deviation=0.7)


@dataclass(frozen=True)
class Case:
    """A layer, the shape of one example it is fed, and the shape it must give."""

    layer: Layer
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.layer.kind}{list(self.input_shape)}"


CASES = [
    Case(Dense(units=3, init=SPREAD, bias_init=SPREAD), (5,), (3,)),
    Case(Dense(units=1, bias=False), (4,), (1,)),
    Case(Dense(units=2, init=SPREAD, bias_init=SPREAD), (3, 4), (3, 2)),
    Case(Activation(function=Tanh()), (6,), (6,)),
    Case(Activation(function=Relu()), (6,), (6,)),
    Case(Activation(function=LeakyRelu(slope=0.2)), (2, 3), (2, 3)),
    Case(Activation(function=Softmax(temperature=0.5)), (5,), (5,)),
    Case(PRelu(slope=0.25), (4,), (4,)),
    Case(PRelu(slope=0.1), (3, 4), (3, 4)),
    Case(Dropout(rate=0.4), (7,), (7,)),
    Case(Dropout(rate=0.0), (7,), (7,)),
    Case(GaussianNoise(deviation=0.3), (5,), (5,)),
    Case(BatchNormalization(momentum=0.3), (5,), (5,)),
    Case(BatchNormalization(affine=False, epsilon=1e-2), (2, 3), (2, 3)),
    Case(LayerNormalization(), (5,), (5,)),
    Case(LayerNormalization(affine=False), (2, 4), (2, 4)),
    Case(Flatten(), (2, 3, 4), (24,)),
]
