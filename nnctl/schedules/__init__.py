"""All learning rate schedules; a new one is its class and one line here."""

from typing import Annotated

from nnctl.schedules.base import Progress, Schedule, preview
from nnctl.schedules.cosine import Cosine, OneCycle
from nnctl.schedules.decay import Constant, Exponential, InverseTime, Polynomial, Step
from nnctl.schedules.plateau import ReduceOnPlateau
from nnctl.spec import type_short_form

AnySchedule = Annotated[
    Constant | Step | Exponential | InverseTime | Polynomial | Cosine | OneCycle | ReduceOnPlateau,
    type_short_form,
]

__all__ = [
    "AnySchedule",
    "Constant",
    "Cosine",
    "Exponential",
    "InverseTime",
    "OneCycle",
    "Polynomial",
    "Progress",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "preview",
]
