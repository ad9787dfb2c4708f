"""Early stopping: which epoch is the best so far, and when waiting is over."""

from math import isnan

from nnctl.config.experiment import EarlyStopping
from nnctl.training.state import State


class Monitor:
    """Watches one figure of the epochs' rows.

    An epoch improves when its figure beats the best so far by more than `min_delta`. A figure that
    is not a number never improves.
    """

    def __init__(self, stopping: EarlyStopping | None, key: str, higher_is_better: bool) -> None:
        self.stopping, self.key = stopping, key
        self.sign = 1.0 if higher_is_better else -1.0

    def better(self, value: float, than: float | None, by: float = 0.0) -> bool:
        """Whether a value beats another by more than a margin."""
        return not isnan(value) and (than is None or isnan(than) or self.sign * (value - than) > by)

    def observe(self, value: float, state: State) -> bool:
        """Note an epoch's value in the state; True when it is the best so far."""
        rule = self.stopping or EarlyStopping()
        reference = state.best_value
        if reference is None and self.stopping is not None:
            reference = self.stopping.baseline
        if self.better(value, reference, rule.min_delta):
            state.best_value, state.best_epoch, state.waited = value, state.epoch, 0
            return True
        if state.epoch > rule.warmup:
            state.waited += 1
        return False

    def blindness(self, state: State) -> str:
        """What is to be added to the reason of an end that no figure has decided; nothing where one has."""
        blind = state.best_value is None and isnan(state.last_value)
        return f": {self.key} was not a number in any epoch" if blind else ""

    def exhausted(self, state: State) -> bool:
        """Whether patience has run out."""
        return self.stopping is not None and state.waited >= self.stopping.patience
