"""All layers; a new one is its class and one line here."""

from typing import Annotated

from nnctl.layers.activation import Activation, PRelu
from nnctl.layers.blocks import Block, Parallel, Residual, Use
from nnctl.layers.convolution import Conv1d, Conv2d
from nnctl.layers.dense import Dense
from nnctl.layers.embedding import Embedding
from nnctl.layers.gated import Glu, SwiGlu
from nnctl.layers.global_pooling import GlobalAveragePool, GlobalMaxPool
from nnctl.layers.gru import Gru
from nnctl.layers.joins import Add, Attention, Concatenate, Multiply
from nnctl.layers.lstm import Lstm
from nnctl.layers.noise import Dropout, GaussianNoise
from nnctl.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    RmsNormalization,
)
from nnctl.layers.pooling import AveragePool1d, AveragePool2d, MaxPool1d, MaxPool2d
from nnctl.layers.rnn import Rnn
from nnctl.layers.shape import Flatten, Reshape
from nnctl.layers.short_form import LayerForm
from nnctl.layers.time_pooling import AttentionPool, Last
from nnctl.layers.transposed import ConvTranspose1d, ConvTranspose2d
from nnctl.layers.upsampling import Upsample
from nnctl.spec import type_short_form

Member = (
    Dense
    | Activation
    | PRelu
    | Glu
    | SwiGlu
    | Dropout
    | GaussianNoise
    | BatchNormalization
    | LayerNormalization
    | RmsNormalization
    | GroupNormalization
    | InstanceNormalization
    | Conv1d
    | Conv2d
    | ConvTranspose1d
    | ConvTranspose2d
    | MaxPool1d
    | MaxPool2d
    | AveragePool1d
    | AveragePool2d
    | GlobalAveragePool
    | GlobalMaxPool
    | Last
    | AttentionPool
    | Upsample
    | Flatten
    | Reshape
    | Residual
    | Parallel
    | Embedding
    | Rnn
    | Lstm
    | Gru
    | Use
)
AnyLayer = Annotated[Member, LayerForm(Member)]
AnyJoin = Annotated[Add | Concatenate | Multiply | Attention, type_short_form]

# Blocks hold layers of any kind, themselves among them.
Residual.model_rebuild(_types_namespace={"AnyLayer": AnyLayer})
Parallel.model_rebuild(_types_namespace={"AnyLayer": AnyLayer})

__all__ = ["AnyJoin", "AnyLayer", "Block"]
