"""Learning rates that stay, or fall by a simple law; x are epochs, as a fraction within one."""

from collections.abc import Iterator
from math import floor
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nnctl.schedules.base import Schedule, fraction
from nnctl.spec import Listed

#: Epochs are no binary fractions: 0.3 / 0.1 < 3 and 2.3 - 0.3 < 2, but three tenths and two epochs are over.
ROUNDING = 1e-9

Factor = Annotated[float, Field(gt=0, le=1)]


class Constant(Schedule):
    """The same learning rate throughout.

    shape(x) = 1

    ```yaml
    {type: constant, warmup: 1}
    ```
    """

    type: Literal["constant"] = "constant"

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        return 1.0


class Step(Schedule):
    """Falls by a factor at regular intervals, or at given milestones.

        shape(x) = factor^floor(x / every)    or    factor^(number of milestones <= x)

    Source: He et al., "Deep residual learning for image recognition", 2015, section 3.4 (a tenth, when
    the error plateaus).

    ```yaml
    {type: step, milestones: [30, 60, 80], factor: 0.1}
    ```
    """

    type: Literal["step"] = "step"
    every: float | None = Field(None, gt=0, description="Epochs between two falls.")
    milestones: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Listed] = Field(
        (), description="Epochs after which the rate falls."
    )
    factor: Factor = Field(0.1, description="What a fall multiplies the rate with.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.every is None) == (not self.milestones):
            given = "neither" if self.every is None else "both"
            raise ValueError(f"found {given} of every and milestones; give one: `every: 10` or `milestones: [30, 60]`")
        return self

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        if self.every is None:
            return float(self.factor ** sum(epoch + ROUNDING >= milestone for milestone in self.milestones))
        return float(self.factor ** floor(epoch / self.every + ROUNDING))

    def unreached(self, epochs: int) -> Iterator[str]:
        yield from super().unreached(epochs)
        key, falls = ("milestones", self.milestones) if self.every is None else ("every", (self.every,))
        late = [f"{fall:g}" for fall in falls if self.warmup + fall >= epochs]
        if late:
            after = f" after a warm-up of {self.warmup:g}" if self.warmup else ""
            yield (
                f"schedule.{key} is {', '.join(late)} epochs{after} and training.epochs is {epochs}: the rate does not "
                "fall there any more; name earlier epochs, or train longer"
            )


class Exponential(Schedule):
    """Falls by the same factor every epoch, a little with every step.

        shape(x) = decay^x

    Libraries that change the rate once an epoch agree at the beginning of every epoch.

    ```yaml
    {type: exponential, decay: 0.95}
    ```
    """

    type: Literal["exponential"] = "exponential"
    decay: Factor = Field(0.95, description="What the rate is multiplied with over one epoch.")

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        return float(self.decay**epoch)


class InverseTime(Schedule):
    """Falls as 1/t, which is slow enough to get anywhere and fast enough to settle.

        shape(x) = 1 / (1 + decay x)

    Sources: Robbins and Monro, "A stochastic approximation method", 1951; in this form Bottou,
    "Stochastic gradient descent tricks", 2012, whose t counts examples, not epochs.

    ```yaml
    {type: inverse_time, decay: 0.5}
    ```
    """

    type: Literal["inverse_time"] = "inverse_time"
    decay: float = Field(1.0, ge=0, description="How fast it falls: after 1 / decay epochs the rate is half.")

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        return 1 / (1 + self.decay * epoch)


class Polynomial(Schedule):
    """Falls to its end along a power of the remaining time; a straight line for power 1.

        shape(x) = end + (1 - end) (1 - x / epochs)^power

    Source: Liu, Rabinovich and Berg, "ParseNet", 2015 ("poly", with power 0.9).

    ```yaml
    {type: polynomial, power: 2.0, end: 0.01}
    ```
    """

    type: Literal["polynomial"] = "polynomial"
    power: float = Field(1.0, gt=0, description="Power of the remaining fraction of training.")
    end: float = Field(0.0, ge=0, le=1, description="Fraction of the rate at the end of training.")

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        return float(self.end + (1 - self.end) * (1 - fraction(epoch, epochs)) ** self.power)
