"""What run.json and the header of a model file hold."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AllowInfNan, Field, TypeAdapter
from typing_extensions import TypedDict  # before Python 3.12 pydantic validates no other

from nnctl.spec import Listed, Spec
from nnctl.training.history import Number, Score

#: Loss and metrics by split; None where one was not finite.
Figures = Mapping[str, Mapping[str, float | None]]


class ModelFacts(Spec):
    """What a model file says beside the experiment and what was fitted.

    Attributes:
        epoch: after which the weights were kept.
        baseline: by output, the decoded outputs (columns,) that look at no feature.
    """

    epoch: int = Field(ge=0)
    baseline: dict[str, Annotated[tuple[Annotated[float, AllowInfNan()], ...], Listed]]


class RunFacts(TypedDict, total=False):
    """The facts of a run, in groups by who writes them and when; what is not known yet is not there."""

    # when it begins
    status: str
    name: str
    seed: int
    created: str
    parameters: int
    rows: dict[str, int]
    versions: dict[str, str]
    platform: str
    blas: dict[str, object]
    processors: int
    data: dict[str, str]
    malformed: int
    dropped: int
    warnings: list[str]
    # whenever it begins to train or goes on
    config: str
    pid: int
    kernels: str
    ranks: int
    # when it ends, in whatever way
    stop_reason: str
    # when it has its model
    best_epoch: int
    epochs: int
    monitor: str
    best_value: float | None
    restarts: list[Score]
    restart_mean: Number
    restart_spread: Number
    seconds: float
    evaluation: Figures
    baseline: Figures


#: What run.json is held against when it is read.
SHAPE = TypeAdapter(RunFacts)
