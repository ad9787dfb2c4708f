"""Numbers as people write them, against Python's float."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.notation import PLAIN, Notation
from nnctl.data.tables import as_numbers, numeric_columns


def read(notation: Notation, *cells: str | None) -> list[float | None]:
    return as_numbers(pl.Series("x", cells, pl.String), notation).to_list()


COMMA = Notation(",")
GERMAN = Notation(",", ".")
ENGLISH = Notation(".", ",")
FRENCH = Notation(",", " ")
SWISS = Notation(".", "'")
BOOKS = Notation(".", ",", accounting=True)
DOLLARS = Notation(".", ",", accounting=True, units={"x": "$"})
KILOGRAMS = Notation(units={"x": "kg"})

CELLS: list[tuple[Notation, str, float | None]] = [
    (COMMA, "0,5", 0.5),
    (COMMA, "-,5", -0.5),
    (COMMA, "5,", 5.0),
    (COMMA, "1,5e-3", 0.0015),
    (COMMA, "12", 12.0),
    (COMMA, "1.5", None),
    (COMMA, "1.234", None),
    (COMMA, "1,2,3", None),
    (COMMA, ",", None),
    (COMMA, "", None),
    (COMMA, "x", None),
    (GERMAN, "1.234,5", 1234.5),
    (GERMAN, "1.234.567", 1234567.0),
    (GERMAN, "1234,5", 1234.5),
    (GERMAN, "1.5", None),
    (GERMAN, "1.2345", None),
    (GERMAN, "1234.567", None),
    (GERMAN, "1,234.5", None),
    (GERMAN, "0.234", None),
    (ENGLISH, "2,113", 2113.0),
    (ENGLISH, "1,234.5", 1234.5),
    (ENGLISH, "12,34,567.8", 1234567.8),
    (ENGLISH, "1,23", None),
    (ENGLISH, "1,2345", None),
    (ENGLISH, "1,,234", None),
    (ENGLISH, ",234", None),
    (FRENCH, "1 234,5", 1234.5),
    (FRENCH, "1\u202f234\u00a0567", 1234567.0),
    (SWISS, "1'234.5", 1234.5),
    (SWISS, "1\u2019234", 1234.0),
    (BOOKS, "(1,200)", -1200.0),
    (BOOKS, "1,200-", -1200.0),
    (BOOKS, "\u22125", -5.0),
    (BOOKS, "-5", -5.0),
    (BOOKS, "(-5)", None),
    (BOOKS, "-5-", None),
    (BOOKS, "(5", None),
    (BOOKS, "5)", None),
    (ENGLISH, "(1,200)", None),
    (ENGLISH, "1,200-", None),
    (DOLLARS, "$1,200.50", 1200.5),
    (DOLLARS, "$ 1,200", 1200.0),
    (DOLLARS, "-$5", -5.0),
    (DOLLARS, "$-5", -5.0),
    (DOLLARS, "($5)", -5.0),
    (DOLLARS, "$(5)", -5.0),
    (DOLLARS, "5 $", 5.0),
    (DOLLARS, "5$-", -5.0),
    (DOLLARS, "5", 5.0),
    (DOLLARS, "$", None),
    (DOLLARS, "US$5", None),
    (DOLLARS, "5 kg", None),
    (KILOGRAMS, "12 kg", 12.0),
    (KILOGRAMS, "12kg", 12.0),
    (KILOGRAMS, "1.2e1\u00a0kg", 12.0),
    (KILOGRAMS, "12 g", None),
    (KILOGRAMS, "12 kgs", None),
    (KILOGRAMS, "kg", None),
    (Notation(units={"x": "km / h (*)"}), "80 km / h (*)", 80.0),
    (PLAIN, "12 kg", None),
    (PLAIN, "1,5", None),
]


@pytest.mark.parametrize(("notation", "cell", "number"), CELLS)
def test_a_cell_is_a_number_or_none(notation: Notation, cell: str, number: float | None) -> None:
    assert read(notation, cell) == [number]
    assert read(notation, None, f" {cell}\t") == [None, number]


def test_units_are_of_one_column() -> None:
    frame = pl.DataFrame({"x": ["1 kg", "2 kg"], "y": ["1 kg", "2 kg"], "z": ["1,5", "2"]})
    assert numeric_columns(frame, KILOGRAMS) == {"x"}
    assert numeric_columns(frame, COMMA) == {"z"}
    assert numeric_columns(frame) == set()


class Style(NamedTuple):
    """How to write a number."""

    decimal: str
    thousands: str | None
    groups: tuple[int, ...]
    negative: str
    unit: str
    behind: bool
    space: str

    @property
    def notation(self) -> Notation:
        return Notation(self.decimal, self.thousands, self.negative != "-#", {"x": self.unit} if self.unit else {})

    def write(self, x: float, *, short: bool) -> str:
        digits = repr(abs(x)) if short else format(Decimal(repr(abs(x))), "f")
        mantissa, e, exponent = digits.partition("e")
        whole, point, rest = mantissa.partition(".")
        if self.thousands is not None:
            groups: list[str] = []
            sizes = list(self.groups)
            while len(whole) > sizes[0]:
                groups.insert(0, whole[-sizes[0] :])
                whole = whole[: -sizes[0]]
                sizes = sizes[1:] or sizes
            whole = self.thousands.join([whole, *groups])
        number = whole + point.replace(".", self.decimal) + rest + e + exponent
        if self.unit:
            number = f"{number}{self.space}{self.unit}" if self.behind else f"{self.unit}{self.space}{number}"
        return self.negative.replace("#", number) if np.signbit(x) else number


STYLES = st.builds(
    Style,
    st.sampled_from(".,"),
    st.sampled_from([None, ".", ",", " ", "\u00a0", "'", "\u2019"]),
    st.sampled_from([(3,), (3, 2)]),
    st.sampled_from(["-#", "(#)", "#-", "\u2212#"]),
    st.sampled_from(["", "$", "€", "%", "kg", "kr.", "US$", "m^2"]),
    st.booleans(),
    st.sampled_from(["", " ", "\u00a0"]),
).filter(lambda style: style.thousands != style.decimal)
#: What settings call the marks that typesetters use.
CALLED = {"\u00a0": " ", "\u2019": "'"}


@given(x=st.floats(allow_nan=False, allow_infinity=False), style=STYLES, short=st.booleans())
def test_a_number_written_in_any_style_is_read_to_the_last_bit(x: float, style: Style, short: bool) -> None:
    notation, cell = style.notation, style.write(x, short=short)
    thousands = CALLED.get(style.thousands or "", style.thousands)
    (number,) = read(Notation(notation.decimal, thousands, notation.accounting, notation.units), cell)
    assert number is not None
    assert np.float64(number).tobytes() == np.float64(x).tobytes(), cell


@given(x=st.floats(allow_nan=False, allow_infinity=False))
def test_plain_numbers_are_those_of_python(x: float) -> None:
    assert (
        np.array(read(PLAIN, repr(x), f"{x:.17e}", f"{x:.25f}")).tobytes()
        == np.array([x, x, float(f"{x:.25f}")]).tobytes()
    )
