"""One table of layer cases; every layer of the union must stand in it."""

from dataclasses import dataclass

from nnctl.activations import LeakyRelu, Relu, Softmax, Tanh
from nnctl.engine.layer import Layer
from nnctl.initializers import Normal
from nnctl.layers import (
    Activation,
    AttentionPool,
    AveragePool1d,
    AveragePool2d,
    BatchNormalization,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePool,
    GlobalMaxPool,
    Glu,
    GroupNormalization,
    Gru,
    InstanceNormalization,
    Last,
    LayerNormalization,
    Lstm,
    MaxPool1d,
    MaxPool2d,
    Parallel,
    PRelu,
    Reshape,
    Residual,
    RmsNormalization,
    Rnn,
    SwiGlu,
    Upsample,
    Use,
)

SPREAD = Normal(deviation=0.7)


@dataclass(frozen=True)
class Case:
    """A layer, the shape of one example it is fed, and the shape it must give."""

    layer: Layer
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    tokens: int = 0

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
    Case(Reshape(shape=(2, 3, 1)), (6,), (2, 3, 1)),
    Case(BatchNormalization(), (2, 3, 2), (2, 3, 2)),
    Case(GroupNormalization(groups=2), (4,), (4,)),
    Case(GroupNormalization(groups=3, affine=False), (2, 2, 6), (2, 2, 6)),
    Case(Dropout(rate=0.4, by="channel"), (2, 3, 5), (2, 3, 5)),
    Case(Conv1d(filters=3, kernel=4, init=SPREAD, bias_init=SPREAD), (5, 2), (5, 3)),
    Case(Conv1d(filters=2, kernel=2, stride=2, padding=(0, 1), bias=False, groups=2, init=SPREAD), (5, 4), (3, 2)),
    Case(Conv2d(filters=3, init=SPREAD, bias_init=SPREAD), (4, 3, 2), (4, 3, 3)),
    Case(Conv2d(filters=3, kernel=1, init=SPREAD), (2, 3, 4), (2, 3, 3)),
    Case(Conv2d(filters=2, kernel=(2, 1), padding="valid", dilation=(2, 1), init=SPREAD), (4, 2, 9), (2, 2, 2)),
    Case(Conv2d(filters=4, kernel=(3, 2), stride=2, groups="channels", init=SPREAD), (4, 5, 2), (2, 3, 4)),
    Case(Conv2d(filters=3, groups=3, stride=2, init=SPREAD), (4, 3, 3), (2, 2, 3)),
    Case(ConvTranspose1d(filters=2, kernel=3, init=SPREAD, bias_init=SPREAD), (3, 2), (6, 2)),
    Case(ConvTranspose2d(filters=3, kernel=3, padding=1, output_padding=1, init=SPREAD), (2, 3, 2), (4, 6, 3)),
    Case(
        ConvTranspose2d(filters=4, kernel=2, stride=(1, 2), groups=2, padding="valid", init=SPREAD),
        (2, 2, 2),
        (3, 4, 4),
    ),
    Case(Conv2d(filters=2, padding=(2, 1), padding_mode="reflect", init=SPREAD), (4, 3, 2), (6, 3, 2)),
    Case(Conv1d(filters=3, groups="channels", padding_mode="replicate", init=SPREAD), (4, 3), (4, 3)),
    Case(MaxPool2d(size=(2, 3), stride=2, dilation=2, ceil_mode=True), (6, 8, 2), (3, 3, 2)),
    Case(AveragePool1d(size=3, ceil_mode=True), (7, 2), (3, 2)),
    Case(Glu(), (6,), (3,)),
    Case(Glu(gate=Relu()), (2, 4), (2, 2)),
    Case(SwiGlu(), (2, 6), (2, 3)),
    Case(RmsNormalization(), (5,), (5,)),
    Case(RmsNormalization(affine=False), (2, 4), (2, 4)),
    Case(InstanceNormalization(), (3, 2, 4), (3, 2, 4)),
    Case(InstanceNormalization(affine=False), (5, 2), (5, 2)),
    Case(MaxPool1d(), (7, 2), (3, 2)),
    Case(MaxPool2d(), (4, 6, 2), (2, 3, 2)),
    Case(MaxPool2d(size=3, stride=2, padding=1), (5, 4, 2), (3, 2, 2)),
    Case(MaxPool2d(size=1), (2, 2, 2), (2, 2, 2)),
    Case(AveragePool1d(size=3, stride=1, padding="same"), (5, 2), (5, 2)),
    Case(AveragePool2d(size=(1, 2)), (2, 5, 2), (2, 2, 2)),
    Case(AveragePool2d(size=1), (2, 2, 2), (2, 2, 2)),
    Case(AveragePool2d(size=3, stride=2, padding=1, count_padding=True), (4, 3, 2), (2, 2, 2)),
    Case(GlobalAveragePool(), (2, 3, 4), (4,)),
    Case(GlobalMaxPool(), (5, 3), (3,)),
    Case(Last(), (5, 3), (3,)),
    Case(Last(), (2, 3, 4), (3, 4)),
    Case(AttentionPool(units=4, init=SPREAD), (5, 3), (3,)),
    Case(Upsample(factor=3), (2, 2), (6, 2)),
    Case(Upsample(factor=(2, 1)), (2, 3, 2), (4, 3, 2)),
    Case(Upsample(mode="bilinear"), (2, 3, 2), (4, 6, 2)),
    Case(
        Residual(
            layers=(Conv2d(filters=2, init=SPREAD), Activation(function=Tanh()), Dropout(rate=0.3)),
        ),
        (2, 3, 2),
        (2, 3, 2),
    ),
    Case(Residual(layers=(Dense(units=3, init=SPREAD),), shortcut=(Dense(units=3, bias=False),)), (4,), (3,)),
    Case(Residual(layers=(Dense(units=3, init=SPREAD), BatchNormalization())), (3,), (3,)),
    Case(
        Parallel(branches=((Dense(units=3, init=SPREAD), Activation(function=Relu())), (), (Dense(units=2),))),
        (4,),
        (9,),
    ),
    Case(
        Parallel(merge="add", branches=((Dense(units=4, init=SPREAD, name="twice"),), (Use(layer="branch1.twice"),))),
        (3,),
        (4,),
    ),
    Case(Embedding(units=3, init=SPREAD), (4,), (4, 3), tokens=5),
    Case(Rnn(units=3, init=SPREAD, bias_init=SPREAD), (4, 2), (3,)),
    Case(Rnn(units=3, output="every", activation="relu", init=SPREAD, bias_init=SPREAD), (4, 2), (4, 3)),
    Case(Rnn(units=3, recurrent_dropout=0.5, init=SPREAD, bias_init=SPREAD), (4, 2), (3,)),
    Case(Rnn(units=2, direction="both", merge="add", initial="learned", init=SPREAD), (3, 2), (2,)),
    Case(Lstm(units=3, init=SPREAD, bias_init=SPREAD), (4, 2), (3,)),
    Case(Lstm(units=3, output="every", direction="both", recurrent_dropout=0.4, init=SPREAD), (4, 2), (4, 6)),
    Case(Lstm(units=3, direction="backward", initial="learned", init=SPREAD, bias_init=SPREAD), (1, 2), (3,)),
    Case(Gru(units=3, init=SPREAD, bias_init=SPREAD), (4, 2), (3,)),
    Case(Gru(units=3, reset="after", output="every", initial="learned", init=SPREAD, bias_init=SPREAD), (4, 2), (4, 3)),
    Case(Gru(units=2, direction="both", recurrent_dropout=0.4, init=SPREAD, bias_init=SPREAD), (4, 2), (4,)),
    Case(Parallel(merge="add", branches=((Dense(units=4), PRelu()), (), (Flatten(),))), (4,), (4,)),
]
