"""All optimizers; a new one is its class and one line here."""

from typing import Annotated

from nnctl.optimizers.adadelta import Adadelta
from nnctl.optimizers.adagrad import Adagrad
from nnctl.optimizers.adam import Adam, AdamW
from nnctl.optimizers.adamax import AdaMax
from nnctl.optimizers.base import Optimizer
from nnctl.optimizers.descent import SGD, Momentum, Nesterov
from nnctl.optimizers.nadam import Nadam
from nnctl.optimizers.radam import RAdam
from nnctl.optimizers.rmsprop import RMSprop
from nnctl.optimizers.stepper import Stepper
from nnctl.spec import type_short_form

AnyOptimizer = Annotated[
    SGD | Momentum | Nesterov | Adagrad | Adadelta | RMSprop | Adam | AdamW | AdaMax | Nadam | RAdam,
    type_short_form,
]

__all__ = [
    "SGD",
    "AdaMax",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "AnyOptimizer",
    "Momentum",
    "Nadam",
    "Nesterov",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Stepper",
]
