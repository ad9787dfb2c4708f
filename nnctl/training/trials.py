"""Several trainings of one job, of which the best on validation is kept.

Gradient descent ends in a local minimum that depends on where it starts; trying several random initialisations is the
oldest remedy. Trial r draws its weights and its shuffles from streams of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.training.history import Score
from nnctl.training.state import State
from nnctl.training.stopping import Monitor


@dataclass
class Trials:
    """The trial under way, and what became of those before it.

    Attributes:
        start: makes the state before the first step of a trial, from its number.
        number: of the trial under way, from 0.
        state: of the trial under way.
        scores: one a finished trial: its monitored value, epoch and number of epochs.
        champion: the kept parameters of the best finished trial.
    """

    start: Callable[[int], State]
    state: State
    number: int = 0
    scores: list[Score] = field(default_factory=list)
    champion: Array | None = None

    def close(self, monitor: Monitor) -> None:
        """Note the score of the trial under way, which has ended, and keep its weights if they are the best so far.

        With `restore_best` the kept weights are those of the best epoch, otherwise those of the last.
        """
        state = self.state
        restored = state.best_theta is not None
        value = state.best_value if restored and state.best_value is not None else state.last_value
        others = [score["value"] for score in self.scores]
        self.scores.append(
            {
                "restart": self.number + 1,
                "value": value,
                "epoch": state.best_epoch if restored else state.epoch,
                "epochs": state.epoch,
                "stop_reason": state.stop_reason,
            }
        )
        if all(monitor.better(value, other) for other in others):
            self.champion = state.kept.copy()

    def next(self) -> None:
        """Begin the next trial."""
        self.number += 1
        self.state = self.start(self.number)

    def reopen(self) -> None:
        """Let the one trial that has ended go on."""
        self.state.stop_reason, self.champion = None, None
        self.scores.clear()

    def kept(self, monitor: Monitor) -> Score:
        """The score of the trial whose weights were kept: the first of the best."""
        best = self.scores[0]
        for entry in self.scores[1:]:
            if monitor.better(entry["value"], best["value"]):
                best = entry
        return best

    @property
    def epochs(self) -> list[int]:
        """Epochs completed in each trial; each has a line in metrics.jsonl."""
        closed = [score["epochs"] for score in self.scores]
        return [*closed, self.state.epoch] if len(closed) <= self.number else closed

    def snapshot(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Arrays and JSON values from which `restore` makes the same."""
        arrays, values = self.state.snapshot()
        if self.champion is not None:
            arrays["champion"] = self.champion
        return arrays, {**values, "trial": self.number, "scores": self.scores}

    def restore(self, arrays: dict[str, Array], values: dict[str, Any]) -> None:
        """Take on a snapshot."""
        if values["trial"] != self.number:
            self.number = values["trial"]
            self.state = self.start(self.number)
        self.scores = values["scores"]
        champion = arrays.get("champion")
        self.champion = None if champion is None else np.array(champion)
        self.state.restore(arrays, values)
