"""The contract every schedule keeps, and the preview."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from nnctl.spec import Spec


@dataclass(frozen=True)
class Progress:
    """How far training is, before a step: `step` steps were taken; it ends after `epochs`."""

    step: int
    steps_per_epoch: int
    epochs: float

    @property
    def epoch(self) -> float:
        """Passes over the training data so far: 1.5 is the middle of the second one."""
        return self.step / self.steps_per_epoch


class Schedule(Spec):
    """How the learning rate changes: a step's rate is the optimizer's `learning_rate` times `scale`.

    During the first w = warmup * steps_per_epoch steps the rate climbs in a straight line,

        scale(k) = (s + (1 - s) (k + 1) / w) shape(0)      k = 0, 1, ..., s = warmup_start

    so that the first step already moves and step k = w - 1 has the full rate. Only then does the
    schedule itself start, as if training began there: epochs x, milestones and fractions below all
    count from the end of the warm-up. Source: Goyal et al., "Accurate, large minibatch SGD", 2017, who
    also warm up but count milestones from the very start.
    """

    type: str
    warmup: float = Field(0.0, ge=0, description="Epochs during which the rate climbs to its starting value.")
    warmup_start: float = Field(0.0, ge=0, le=1, description="Fraction of the rate that the warm-up climbs from.")

    @property
    def monitored(self) -> str | None:
        """The figure of metrics.jsonl that `observe` is to be told, if any."""
        return None

    def scale(self, progress: Progress, memory: dict[str, float]) -> float:
        """What to multiply the learning rate with for the coming step."""
        rest = max(progress.epochs - self.warmup, 0.0)
        if progress.epoch >= self.warmup:
            return self.shape(progress.epoch - self.warmup, rest, memory)
        climbed = min((progress.step + 1) / (self.warmup * progress.steps_per_epoch), 1.0)
        return (self.warmup_start + (1 - self.warmup_start) * climbed) * self.shape(0.0, rest, memory)

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        """The scale `epoch` epochs after the warm-up, of `epochs` in all."""
        raise NotImplementedError

    def unreached(self, epochs: int) -> Iterator[str]:
        """What these settings ask for and a training of `epochs` epochs ends before; a clause for each."""
        if self.warmup >= epochs:
            yield (
                f"schedule.warmup is {self.warmup:g} epochs and training.epochs is {epochs}: the learning rate climbs "
                "to the end of training and does nothing else; shorten the warm-up, or train longer"
            )

    def observe(self, value: float, memory: dict[str, float]) -> None:
        """Take note of the monitored figure, lower being better, at the end of an epoch.

        What it changes is in `memory`, which starts empty, holds only finite numbers and is saved
        with checkpoints.
        """


def fraction(epoch: float, epochs: float) -> float:
    """How much of training is done, from 0 to 1."""
    if epoch <= 0:
        return 0.0
    return 1.0 if epoch >= epochs else epoch / epochs


def preview(schedule: Schedule, rate: float, epochs: int, steps_per_epoch: int) -> list[float]:
    """The learning rate of every step of a training, as far as it is known beforehand.

    What a schedule would do about the figures it watches is not.
    """
    steps = range(epochs * steps_per_epoch)
    return [rate * schedule.scale(Progress(step, steps_per_epoch, epochs), {}) for step in steps]
