"""Losses; the union of them all."""

from typing import Annotated

from nnctl.losses.base import LossSpec
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy, Logistic
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.kl_divergence import KLDivergence
from nnctl.losses.margin import Hinge, Perceptron
from nnctl.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError, SmoothL1, SquaredError
from nnctl.spec import type_short_form

AnyLoss = Annotated[
    CrossEntropy
    | BinaryCrossEntropy
    | Logistic
    | SquaredError
    | MeanSquaredError
    | MeanAbsoluteError
    | Huber
    | SmoothL1
    | Hinge
    | KLDivergence
    | Perceptron,
    type_short_form,
]

__all__ = ["AnyLoss", "LossSpec"]
