"""A learning rate that falls when training gets stuck."""

from collections.abc import Iterator
from math import inf
from typing import Literal

from pydantic import Field

from nnctl.schedules.base import Schedule


class ReduceOnPlateau(Schedule):
    """Falls by a factor when the monitored figure has not improved for a while.

        shape = max(minimum, factor^reductions)

    An epoch improves when its figure beats the best so far by more than `min_delta` (an absolute
    amount; PyTorch's default threshold is relative). The end of the `patience`-th epoch in a row without
    improvement reduces the rate, as in Keras and in early stopping (PyTorch waits for one more). During
    the `cooldown` epochs after that none is counted. `minimum` is a fraction of the learning rate, not a
    rate. A figure that is not a number is no improvement.

    ```yaml
    {type: reduce_on_plateau, monitor: validation.loss, factor: 0.5, patience: 5}
    ```
    """

    type: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    monitor: str = Field("validation.loss", description="What to watch: a key of metrics.jsonl.")
    factor: float = Field(0.1, gt=0, lt=1, description="What a reduction multiplies the rate with.")
    patience: int = Field(10, ge=1, description="Epochs without improvement that bring a reduction.")
    min_delta: float = Field(0.0, ge=0, description="An improvement must be larger than this.")
    cooldown: int = Field(0, ge=0, description="Epochs after a reduction that do not count as waiting.")
    minimum: float = Field(0.0, ge=0, le=1, description="Smallest fraction of the learning rate.")

    @property
    def monitored(self) -> str | None:
        return self.monitor

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        return max(self.minimum, float(self.factor ** memory.get("reductions", 0)))

    def unreached(self, epochs: int) -> Iterator[str]:
        yield from super().unreached(epochs)
        if self.patience + 1 >= epochs:  # the first epoch has nothing to improve on, the last no step after it
            yield (
                f"schedule.patience is {self.patience} epochs and training.epochs is {epochs}: the rate never falls; "
                "wait less, or train longer"
            )

    def observe(self, value: float, memory: dict[str, float]) -> None:
        waited = memory.get("waited", 0) + 1
        if value < memory.get("best", inf) - self.min_delta:
            memory["best"] = value
            waited = 0
        if memory.get("cooldown", 0) > 0:
            memory["cooldown"] -= 1
            waited = 0
        if waited >= self.patience:
            memory["reductions"] = memory.get("reductions", 0) + 1
            memory["cooldown"] = self.cooldown
            waited = 0
        memory["waited"] = waited
