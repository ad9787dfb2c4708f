"""Random restarts: several initialisations, of which the best on validation is kept.

Gradient descent ends in a local minimum that depends on where it starts; trying several starts is the
oldest remedy. Restart r draws its weights and its shuffles from streams of its own.
"""

from typing import Any

from nnctl.training.state import State
from nnctl.training.stopping import Monitor


def close_restart(state: State, monitor: Monitor) -> None:
    """Note the score of a restart that has ended, and keep its weights if they are the best so far.

    With `restore_best` the kept weights are those of the best epoch, otherwise those of the last.
    """
    restored = state.best_theta is not None
    value = state.best_value if restored else state.last_value
    state.scores.append(
        {
            "restart": state.restart + 1,
            "value": value,
            "epoch": state.best_epoch if restored else state.epoch,
            "epochs": state.epoch,
            "stop_reason": state.stop_reason,
        }
    )
    others = [s["value"] for s in state.scores[:-1]]
    if all(value is not None and monitor.better(value, other) for other in others):
        state.champion = (state.model if state.best_theta is None else state.best_theta).copy()


def kept_restart(scores: list[dict[str, Any]], monitor: Monitor) -> dict[str, Any]:
    """The score of the restart whose weights were kept: the first of the best."""
    best = scores[0]
    for entry in scores[1:]:
        if monitor.better(entry["value"], best["value"]):
            best = entry
    return best
