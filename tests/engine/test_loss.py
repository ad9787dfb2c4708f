"""What a loss is that says no more of itself than it must."""

from typing import Literal

import numpy as np

from nnctl.engine.loss import Loss


class Plain(Loss):
    """A loss that says nothing."""

    type: Literal["plain"] = "plain"


def test_nothing_of_it_is_written_out() -> None:
    assert set(Plain().formula) == {None}


def test_outputs_are_what_they_are_and_examples_weigh_the_same() -> None:
    y = np.array([[0.3, -2.0]])
    np.testing.assert_array_equal(Plain().predict(y), y)
    assert Plain().mass(y) is None
