"""Curves as text."""

import pytest

from nnctl.cli._plot import plot


def test_a_falling_line() -> None:
    assert plot({"loss": [4.0, 3.0, 2.0, 1.0]}, height=4) == [
        "        4 |l",
        "          | l",
        "          |  l",
        "        1 |   l",
        "           1  epoch 4",
    ]


def test_the_scale_is_logarithmic_where_values_span_much() -> None:
    lines = plot({"loss": [1000.0, 100.0, 10.0, 1.0]}, height=4)
    assert [line.index("l") for line in lines[:4]] == [11, 12, 13, 14]
    assert lines[-1].endswith("(logarithmic)")


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 1000])
@pytest.mark.parametrize("value", [0.0, -1.0, 1e300, 5.0])
def test_fits_80_columns(length: int, value: float) -> None:
    lines = plot({"train": [value] * length, "validation": [value / 3] * length})
    assert max(map(len, lines)) <= 80
    assert f"epoch {length}" in lines[-1]


def test_what_is_not_finite_is_left_out() -> None:
    lines = plot({"loss": [None, 2.0, float("nan"), float("inf"), 1.0]})
    assert sum(line.count("l") for line in lines) == 2
    assert plot({"loss": [None, float("nan")]}) == plot({}) == []
