"""Addressed randomness."""

import subprocess
import sys
from typing import Any

import numpy as np

from nnctl.engine.randomness import stream


def test_an_address_is_a_stream() -> None:
    assert stream(1, "split", 2).random() == stream(1, "split", 2).random()
    addresses: list[tuple[Any, ...]] = [
        (1, "split", 2),
        (2, "split", 2),
        (1, "shuffle", 2),
        (1, "split", 3),
        (1, "split", "2"),
        (1, "split"),
    ]
    assert len({stream(*address).random() for address in addresses}) == len(addresses)


def test_the_same_in_another_process() -> None:
    code = "from nnctl.engine.randomness import stream; print(repr(stream(7, 'x', 'a', 3).random()))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(there) == stream(7, "x", "a", 3).random()


def test_streams_look_independent() -> None:
    draws = np.stack([stream(0, "dropout", i).random(400) for i in range(50)])
    correlation = np.corrcoef(draws) - np.eye(50)
    assert np.abs(correlation).max() < 0.25
    assert abs(draws.mean() - 0.5) < 0.01
