"""Learning rates that follow half waves of a cosine."""

from math import cos, pi
from typing import Literal

from pydantic import Field

from nnctl.schedules.base import Schedule, fraction


def half_wave(begin: float, end: float, x: float) -> float:
    """From `begin` at x = 0 to `end` at x = 1, level at both."""
    return end + (begin - end) * (1 + cos(pi * x)) / 2


class Cosine(Schedule):
    """Falls along half a cosine; with `cycles`, restarts from the full rate.

        shape(x) = end + (1 - end) (1 + cos(pi x_i / T_i)) / 2

    where x_i are the epochs since the last restart and T_i is the length of the cycle: each is `growth`
    times as long as the one before, and together they fill the training. Source: Loshchilov and
    Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, eq. 5 (which gives the
    first length and growth, and so the end of training, where here the number of cycles is given).

    ```yaml
    {type: cosine, end: 0.01, cycles: 3, growth: 2.0}
    ```
    """

    type: Literal["cosine"] = "cosine"
    end: float = Field(0.0, ge=0, le=1, description="Fraction of the rate at the end of each cycle.")
    cycles: int = Field(1, ge=1, le=1000, description="How often the rate falls; all but the first are warm restarts.")
    growth: float = Field(1.0, ge=1, le=10, description="How much longer each cycle is than the one before.")

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        lengths = [self.growth**i for i in range(self.cycles)]
        position, whole = fraction(epoch, epochs), sum(lengths)
        for length in lengths[:-1]:
            share = length / whole
            if position < share - 1e-12:  # an epoch at the edge starts the next cycle, whatever the rounding
                return half_wave(1.0, self.end, position / share)
            position -= share
        return half_wave(1.0, self.end, position / (lengths[-1] / whole))


class OneCycle(Schedule):
    """Climbs to the learning rate and falls far below where it began, along two half cosines.

        1 / initial_division  ->  1                                           at the fraction peak_at
        1                     ->  1 / (initial_division final_division)       at the end

    Source: Smith and Topin, "Super-convergence", 2018; with cosines for straight lines as in fastai
    and PyTorch, whose defaults these are. The optimizer's `learning_rate` is the peak. Momentum is not
    changed meanwhile. The end is reached after the last step (PyTorch: before it).

    ```yaml
    {type: one_cycle, peak_at: 0.3, initial_division: 25}
    ```
    """

    type: Literal["one_cycle"] = "one_cycle"
    peak_at: float = Field(0.3, gt=0, lt=1, description="Fraction of training at which the rate is highest.")
    initial_division: float = Field(25.0, ge=1, description="The peak over the first rate.")
    final_division: float = Field(1e4, ge=1, description="The first rate over the last.")

    def shape(self, epoch: float, epochs: float, memory: dict[str, float]) -> float:
        done, first = fraction(epoch, epochs), 1 / self.initial_division
        if done < self.peak_at:
            return half_wave(first, 1.0, done / self.peak_at)
        return half_wave(1.0, first / self.final_division, (done - self.peak_at) / (1 - self.peak_at))
