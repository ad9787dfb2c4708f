"""Everything a training run would need to continue from where it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.optimizers.stepper import Stepper


@dataclass
class Sums:
    """What is added up over the batches of the epoch under way."""

    losses: dict[str, float] = field(default_factory=dict)
    masses: dict[str, float] = field(default_factory=dict)
    gradient_norm: float = 0.0

    def add(self, losses: Mapping[str, float], masses: Mapping[str, float]) -> None:
        """Add a batch's mean losses, by output, and what they are means over."""
        for output, mass in masses.items():
            self.losses[output] = self.losses.get(output, 0.0) + losses[output] * mass
            self.masses[output] = self.masses.get(output, 0.0) + mass

    def means(self) -> dict[str, float]:
        """The mean loss of each output; not a number where no target was known."""
        return {output: self.losses[output] / mass if mass else float("nan") for output, mass in self.masses.items()}


@dataclass
class State:
    """The whole state of a training run, between two steps.

    Attributes:
        theta: the parameters.
        averaged: their average over the last steps, where the experiment asks for it.
        stepper: the optimizer's state vectors and step counter.
        restart: which random initialisation is being trained, from 0.
        epoch: epochs completed with it.
        batch: batches completed in the epoch under way.
        sums: what those batches added up to.
        outputs: by output, what the network gave for the training examples of the epoch under way, in
            the epoch's order, where metrics need them.
        schedule_memory: what a schedule remembers (reduce on plateau).
        best_value, best_epoch, best_theta: of the monitored figure in this restart.
        last_value: the monitored figure of the last epoch.
        waited: epochs since the best one.
        scores: one a finished restart: its monitored value, epoch and number of epochs.
        champion: the kept parameters of the best finished restart.
        stop_reason: set when training has ended.
    """

    theta: Array
    stepper: Stepper
    outputs: dict[str, Array] = field(default_factory=dict)
    restart: int = 0
    epoch: int = 0
    batch: int = 0
    sums: Sums = field(default_factory=Sums)
    schedule_memory: dict[str, float] = field(default_factory=dict)
    best_value: float | None = None
    best_epoch: int = 0
    best_theta: Array | None = None
    last_value: float = float("nan")
    waited: int = 0
    scores: list[dict[str, Any]] = field(default_factory=list)
    champion: Array | None = None
    stop_reason: str | None = None
    averaged: Array | None = None

    @property
    def model(self) -> Array:
        """The parameters to evaluate and to keep."""
        return self.theta if self.averaged is None else self.averaged

    @property
    def step(self) -> int:
        """Steps taken in this restart."""
        return self.stepper.t

    @property
    def rows(self) -> int:
        """Epochs completed in all restarts, each of which has a line in metrics.jsonl."""
        closed = sum(int(score["epochs"]) for score in self.scores)
        return closed + (self.epoch if len(self.scores) <= self.restart else 0)

    def snapshot(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Arrays and JSON values from which `restore` makes the same state.

        The arrays are the state's own, not copies: write them before the next step.
        """
        vectors, memory = self.stepper.state()
        arrays = {"theta": self.theta, **{f"optimizer.{name}": v for name, v in vectors.items()}}
        for name in ("best_theta", "champion", "averaged"):
            if (value := getattr(self, name)) is not None:
                arrays[name] = value
        if self.batch:
            arrays |= {f"outputs.{name}": held for name, held in self.outputs.items()}
        return arrays, {
            **{name: getattr(self, name) for name in _SCALARS},
            "sums": vars(self.sums),
            "optimizer": memory,
        }

    def restore(self, arrays: dict[str, Array], values: dict[str, Any]) -> None:
        """Take on a snapshot."""
        self.theta[...] = arrays["theta"]
        vectors = {n.removeprefix("optimizer."): v for n, v in arrays.items() if n.startswith("optimizer.")}
        self.stepper.restore(vectors, values["optimizer"])
        for name in ("best_theta", "champion"):
            value = arrays.get(name)
            setattr(self, name, None if value is None else np.array(value))
        if self.averaged is not None:
            self.averaged[...] = arrays["averaged"]
        for name, held in self.outputs.items():
            if f"outputs.{name}" in arrays:
                held[...] = arrays[f"outputs.{name}"]
        for name in _SCALARS:
            setattr(self, name, values[name])
        self.sums = Sums(**values["sums"])


_SCALARS = (
    "restart", "epoch", "batch", "schedule_memory", "best_value", "best_epoch", "last_value", "waited",
    "scores", "stop_reason",
)  # fmt: skip
