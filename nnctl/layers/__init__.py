"""All layers; a new one is its class and one line here."""

from typing import Annotated

from pydantic import Field

from nnctl.layers.activation import Activation, PRelu
from nnctl.layers.dense import Dense
from nnctl.layers.noise import Dropout, GaussianNoise
from nnctl.layers.normalization import BatchNormalization, LayerNormalization
from nnctl.layers.shape import Flatten
from nnctl.spec import type_short_form

AnyLayer = Annotated[
    Dense | Activation | PRelu | Dropout | GaussianNoise | BatchNormalization | LayerNormalization | Flatten,
    Field(discriminator="type"),
    type_short_form,
]
