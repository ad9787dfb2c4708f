"""Losses; the union of them all."""

from typing import Annotated

from nnctl.losses.base import LossSpec
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy, Logistic
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.focal import Focal
from nnctl.losses.kl_divergence import KLDivergence
from nnctl.losses.margin import Hinge, Perceptron
from nnctl.losses.ordinal import Ordinal
from nnctl.losses.poisson import Poisson
from nnctl.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Quantile,
    SmoothL1,
    SquaredError,
)
from nnctl.spec import type_short_form

AnyLoss = Annotated[
    CrossEntropy
    | BinaryCrossEntropy
    | Logistic
    | Ordinal
    | Focal
    | SquaredError
    | MeanSquaredError
    | MeanAbsoluteError
    | Huber
    | SmoothL1
    | LogCosh
    | Quantile
    | Poisson
    | Hinge
    | KLDivergence
    | Perceptron,
    type_short_form,
]

__all__ = ["AnyLoss", "LossSpec"]
