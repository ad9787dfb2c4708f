"""How fast, how long, and when to stop."""

from math import ceil
from typing import Any, NamedTuple

from nnctl.data.loading import LoadedData
from nnctl.suggest.commented import Because


class Pace(NamedTuple):
    """How a network is trained."""

    batch: int
    rate: float
    epochs: int
    patience: int


def optimizer(pace: Pace) -> dict[str, Any]:
    """The `optimizer` section."""
    return {
        "type": Because("adam", "steps of a size of their own for each weight"),
        "learning_rate": Because(pace.rate, "a tenth if the loss jumps or becomes NaN, thrice if it crawls"),
    }


def training(data: LoadedData, pace: Pace, cost: str = "") -> dict[str, Any]:
    """The `training` section; `cost` says what an example costs where that limits the epochs."""
    rows = len(data.train)
    found: dict[str, Any] = {
        "epochs": Because(pace.epochs, f"at most; {cost}" if cost else "at most"),
        "batch_size": Because(pace.batch, f"{ceil(rows / pace.batch)} steps an epoch")
        if pace.batch <= rows
        else Because("full", f"all {rows} rows in each step"),
        "clip_norm": Because(5.0, "a single odd batch moves the weights only so far"),
    }
    if data.validation is None:
        found["early_stopping"] = Because(None, "there are no validation rows to watch")
    else:
        found["early_stopping"] = {
            "monitor": "validation.loss",
            "patience": Because(pace.patience, "epochs in a row without improvement end the training"),
            "restore_best": Because(True, "the model is that of the best epoch"),
        }
    return found
