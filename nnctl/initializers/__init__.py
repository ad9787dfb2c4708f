"""Initialisers: how parameters start; the union of them all."""

from typing import Annotated

from nnctl.initializers.base import InitializerSpec
from nnctl.initializers.file import File
from nnctl.initializers.fixed import Constant, Values, Zeros
from nnctl.initializers.orthogonal import Orthogonal
from nnctl.initializers.random import Normal, TruncatedNormal, Uniform
from nnctl.initializers.scaled import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    VarianceScaling,
)
from nnctl.spec import type_short_form

AnyInitializer = Annotated[
    Uniform
    | Normal
    | TruncatedNormal
    | GlorotUniform
    | GlorotNormal
    | HeUniform
    | HeNormal
    | LeCunUniform
    | LeCunNormal
    | VarianceScaling
    | Orthogonal
    | Zeros
    | Constant
    | Values
    | File,
    type_short_form,
]

__all__ = ["AnyInitializer", "InitializerSpec"]
