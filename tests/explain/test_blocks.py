"""Numbers and equations as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.explain.blocks import WIDTH, Equation, Quantity, equation, factor, filled, number, total


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.3775, "0.3775"),
        (1.1059059670597702, "1.105905967"),
        (0.5932699921071872, "0.593269992"),
        (0.00043856773447434685, "0.000438568"),
        (3.510187782978859e-05, "0.0000351019"),
        (1.5e-9, "1.5e-09"),
        (-0.25, "-0.25"),
        (0.0, "0"),
        (-0.0, "0"),
        (100.0, "100"),
        (123456.789012345, "123456.789"),
        (1e12, "1e+12"),
        (float("inf"), "inf"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_six_digits(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=1e-5, abs=0)


def test_negative_factors_are_bracketed() -> None:
    assert (factor(-0.5), factor(0.5), factor(1e-9)) == ("(-0.5)", "0.5", "(1e-09)")


def test_brackets_are_not_doubled() -> None:
    minus = {"x": Quantity("x", -0.5)}
    assert filled("max(0, {x})", minus) == ("max(0, x)", "max(0, -0.5)")
    assert filled("exp({x})", minus)[1] == "exp(-0.5)"
    assert filled("exp(-{x})", minus)[1] == "exp(-(-0.5))"
    assert filled("1 - {x}^2", minus)[1] == "1 - (-0.5)^2"


def test_repeated_sides_are_left_out() -> None:
    assert equation("E", 0.5, "E_o1", "0.5") == Equation("E", ("E_o1", "0.5"))


def test_short_equations_take_a_line_and_long_ones_one_a_side() -> None:
    assert Equation("a", ("b + c", "1 + 2", "3")).lines() == ["a = b + c = 1 + 2 = 3"]
    assert Equation("abc", ("b + c", "1 + 2", "3")).lines(12) == ["abc = b + c", "    = 1 + 2", "    = 3"]
    assert Equation("a", ("b + c + d + e", "9")).lines(11) == ["a = b + c +", "      d + e", "  = 9"]


@given(st.integers(1, 60))
def test_sums(count: int) -> None:
    symbols, numbers = total([(Quantity(f"w{i}", 1.0), Quantity(f"x{i}", -2.0)) for i in range(count)])
    shown = count if count <= 6 else 3
    assert symbols.count("*") == numbers.count("1*(-2)") == shown
    assert (f"... ({count} terms)" in symbols) == (count > 6)
    lines = Equation("net", (symbols, numbers, "0")).lines()
    assert max(map(len, lines)) <= WIDTH + 2
    assert not any(line.lstrip().startswith(("(", "terms")) for line in lines[1:])
