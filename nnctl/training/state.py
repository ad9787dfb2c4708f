"""Everything one training would need to continue from where it is."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.optimizers.stepper import Stepper
from nnctl.training.objective import Objective


@dataclass
class State:
    """The whole state of one training, between two steps.

    Attributes:
        theta: the parameters.
        averaged: their average over the last steps, where the experiment asks for it.
        stepper: the optimizer's state vectors and step counter.
        objective: what is made smaller, with its figures of the epoch under way.
        epoch: epochs completed.
        batch: batches completed in the epoch under way.
        taken: batches completed in all epochs.
        gradient_norm: the sum over its steps.
        schedule_memory: what a schedule remembers (reduce on plateau).
        best_value, best_epoch, best_theta: of the monitored figure.
        last_value: the monitored figure of the last epoch.
        waited: epochs since the best one.
        stop_reason: set when training has ended.
    """

    theta: Array
    stepper: Stepper
    objective: Objective[Any]
    epoch: int = 0
    batch: int = 0
    taken: int = 0
    gradient_norm: float = 0.0
    schedule_memory: dict[str, float] = field(default_factory=dict)
    best_value: float | None = None
    best_epoch: int = 0
    best_theta: Array | None = None
    last_value: float = float("nan")
    waited: int = 0
    stop_reason: str | None = None
    averaged: Array | None = None

    @property
    def model(self) -> Array:
        """The parameters to evaluate and to keep."""
        return self.theta if self.averaged is None else self.averaged

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.stepper.t

    @property
    def kept(self) -> Array:
        """The parameters to keep: those of the best epoch where they were asked for, otherwise those of the last."""
        return self.model if self.best_theta is None else self.best_theta

    def snapshot(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Arrays and JSON values from which `restore` makes the same state.

        The arrays are the state's own, not copies: write them before the next step.
        """
        vectors, memory = self.stepper.state()
        seen, figures = self.objective.snapshot()
        arrays = {"theta": self.theta, **{f"optimizer.{name}": v for name, v in vectors.items()}, **seen}
        for name in ("best_theta", "averaged"):
            if (value := getattr(self, name)) is not None:
                arrays[name] = value
        return arrays, {**{name: getattr(self, name) for name in _SCALARS}, "figures": figures, "optimizer": memory}

    def restore(self, arrays: dict[str, Array], values: dict[str, Any]) -> None:
        """Take on a snapshot."""
        self.theta[...] = arrays["theta"]
        vectors = {n.removeprefix("optimizer."): v for n, v in arrays.items() if n.startswith("optimizer.")}
        self.stepper.restore(vectors, values["optimizer"])
        best = arrays.get("best_theta")
        self.best_theta = None if best is None else np.array(best)
        if self.averaged is not None:
            self.averaged[...] = arrays["averaged"]
        for name in _SCALARS:
            setattr(self, name, values[name])
        self.objective.restore(arrays, values["figures"])


_SCALARS = (
    "epoch", "batch", "taken", "gradient_norm", "schedule_memory", "best_value", "best_epoch", "last_value", "waited",
    "stop_reason",
)  # fmt: skip
