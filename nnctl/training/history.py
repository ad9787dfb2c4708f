"""What a training leaves behind: a row an epoch, a score a trial; without NumPy, as listing runs needs none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Annotated, Any, Self

from pydantic import BeforeValidator
from typing_extensions import TypedDict  # before Python 3.12 pydantic validates no other

from nnctl.training.shares import SHARE

#: The splits that every epoch is measured on.
SPLITS = ("train", "validation")


@dataclass(frozen=True)
class EpochRow:
    """One epoch, as a line of metrics.jsonl has it. A figure that was not finite is None once it has been there.

    Attributes:
        epoch: its number in the trial, from 1.
        step: steps taken in the trial.
        learning_rate: of the last step.
        restart: the number of the trial, from 1; None where there is one only.
        seconds: with everything that was measured.
        examples_per_second: of the steps alone.
        figures: loss and metrics of each split, such as `validation.loss`.
        penalty: of the weights; None where there is none.
        gradient_norm: the mean over the steps.
        shares: of each output in the gradient of what several outputs share.
        layers: by layer, the figures of its health.
    """

    epoch: int
    step: int = 0
    learning_rate: float = 0.0
    restart: int | None = None
    seconds: float = 0.0
    examples_per_second: float = 0.0
    figures: Mapping[str, float | None] = field(default_factory=dict)
    penalty: float | None = None
    gradient_norm: float = 0.0
    shares: Mapping[str, float | None] = field(default_factory=dict)
    layers: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The line: what is None is left out."""
        row: dict[str, Any] = {"epoch": self.epoch, "step": self.step, "learning_rate": self.learning_rate}
        if self.restart is not None:
            row["restart"] = self.restart
        row |= {"seconds": self.seconds, "examples_per_second": self.examples_per_second, **self.figures}
        if self.penalty is not None:
            row["penalty"] = self.penalty
        row["gradient_norm"] = self.gradient_norm
        row |= {f"{SHARE}{output}": share for output, share in self.shares.items()}
        row["layers"] = self.layers
        return row

    @classmethod
    def of_json(cls, row: Mapping[str, Any]) -> Self:
        """The row of a line; what other versions leave out is 0 or empty.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: where it is no such line.
        """
        number = {name: float(row.get(name) or 0.0) for name in _NUMBERS}
        shares = {key.removeprefix(SHARE): _figure(value) for key, value in row.items() if key.startswith(SHARE)}
        return cls(
            epoch=int(row["epoch"]),
            step=int(row.get("step", 0)),
            restart=None if row.get("restart") is None else int(row["restart"]),
            figures={k: _figure(v) for k, v in row.items() if k.startswith(tuple(f"{split}." for split in SPLITS))},
            penalty=_figure(row.get("penalty")),
            shares=shares,
            layers={
                name: {key: _figure(value) for key, value in figures.items()}
                for name, figures in (row.get("layers") or {}).items()
            },
            **number,
        )


#: What reading a line raises that is not one of an epoch.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_NUMBERS = ("learning_rate", "seconds", "examples_per_second", "gradient_norm")


def _figure(value: Any) -> float | None:
    return None if value is None else float(value)


#: A number in run.json, where one that is not finite is null.
Number = Annotated[float, BeforeValidator(lambda value: nan if value is None else value)]


class Score(TypedDict):
    """What became of a trial: the epoch its kept weights are from and the monitored value there."""

    restart: int
    value: Number
    epoch: int
    epochs: int
    stop_reason: str | None
