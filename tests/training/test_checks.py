"""What is said before training."""

import math

import pytest

from nnctl.training.checks import InitialLoss, loss_warning


@pytest.mark.parametrize(
    ("loss", "chance", "words"),
    [
        (math.nan, 1.0, "not a finite number"),
        (math.inf, 1.0, "not a finite number"),
        (6.0, 1.0, "is 6.0 times what chance gives"),
        (4.0, 1.0, None),
        (0.4, 0.0, None),  # the perceptron's criterion, or a constant target: nothing to compare with
        (0.4, 1e-33, None),  # the same after rounding
    ],
)
def test_the_initial_loss(loss: float, chance: float, words: str | None) -> None:
    said = loss_warning(InitialLoss(loss, chance))
    assert said is None if words is None else words in (said or "")
