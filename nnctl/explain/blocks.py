"""What an explanation is made of: headings, paragraphs, equations and tables, and how equations are written.

An equation has a left side and several right ones: with symbols, with numbers, and the result.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10
from textwrap import wrap
from typing import NamedTuple

#: Sums of more terms than this are cut to the first `SHOWN`; so are layers of more units.
FEW = 6
SHOWN = 3
#: Fits a terminal of 80 columns.
WIDTH = 78
#: Brackets around a negative number that stands alone in other brackets.
_ALONE = re.compile(r"(?:(?<=\()|(?<=, ))\((-[\d.e-]+)\)(?=[),])")


class Quantity(NamedTuple):
    """A number and the symbol it goes by."""

    symbol: str
    value: float


@dataclass(frozen=True)
class Heading:
    """A section's title."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Words."""

    text: str


@dataclass(frozen=True)
class Equation:
    """`left = side = side = ...`."""

    left: str
    sides: tuple[str, ...]

    def lines(self, width: int = WIDTH) -> list[str]:
        """On one line where it fits, else one line a side, the equality signs below each other."""
        short = " = ".join([self.left, *self.sides])
        if len(short) <= width:
            return [short]
        margin = " " * (len(self.left) + 3)
        lines = [
            line
            for side in self.sides
            for i, part in enumerate(_wrapped(side, width - len(margin)))
            for line in [(margin[:-2] + "= " if i == 0 else margin + "  ") + part]
        ]
        return [f"{self.left} {lines[0].lstrip()}", *lines[1:]]


@dataclass(frozen=True)
class Equations:
    """Equations below each other."""

    equations: tuple[Equation, ...]

    def lines(self) -> list[str]:
        return [line for equation in self.equations for line in equation.lines()]


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Equations | Table


def number(value: float) -> str:
    """Nine decimals as the textbook has them, six digits of what is smaller, no zeros at the end."""
    if value == 0 or not isfinite(value):
        return f"{value + 0.0:g}"
    magnitude = floor(log10(abs(value)))
    if not -7 < magnitude < 9:
        return f"{value:.6g}"
    decimals = min(9 - magnitude, 9) if magnitude > -4 else 5 - magnitude
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def factor(value: float) -> str:
    """A number inside a formula: in brackets where its sign would run into another one."""
    text = number(value)
    return f"({text})" if text.startswith("-") or "e" in text else text


def filled(template: str, quantities: Mapping[str, Quantity]) -> tuple[str, str]:
    """A formula with symbols and with numbers."""
    symbols = template.format_map({key: q.symbol for key, q in quantities.items()})
    numbers = template.format_map({key: factor(q.value) for key, q in quantities.items()})
    return symbols, _ALONE.sub(r"\1", numbers)


def equation(left: str, result: float, *sides: str) -> Equation:
    """An equation that ends in its result; a side that repeats the one before it is left out."""
    kept: list[str] = []
    for side in (*sides, number(result)):
        if not kept or kept[-1] != side:
            kept.append(side)
    return Equation(left, tuple(kept))


def product(quantities: Sequence[Quantity], sign: str = "*") -> tuple[str, str]:
    """A product with symbols and with numbers."""
    return sign.join(q.symbol for q in quantities), sign.join(factor(q.value) for q in quantities)


def total(terms: Sequence[Sequence[Quantity]], last: Sequence[Quantity] = ()) -> tuple[str, str]:
    """A sum of products, and one of the quantities in `last`, with symbols and with numbers.

    Where there are many products, the first ones and an ellipsis; where there is one quantity, that alone.
    """
    if len(terms) == 1 and len(terms[0]) == 1 and not last:
        return terms[0][0].symbol, number(terms[0][0].value)
    shown = [product(terms[i]) for i in first(len(terms))]
    rest = [(text, text) for text in [f"... ({len(terms)} terms)"] if len(shown) < len(terms)]
    symbols, numbers = zip(*shown, *rest, *(product([quantity]) for quantity in last), strict=True)
    return " + ".join(symbols), " + ".join(numbers)


def _wrapped(side: str, width: int) -> list[str]:
    """A formula cut at spaces, but not within `... (17 terms)`."""
    held = side.replace("... (", "...\N{NO-BREAK SPACE}(").replace(" terms)", "\N{NO-BREAK SPACE}terms)")
    parts = wrap(held, width, break_long_words=False, break_on_hyphens=False)
    return [part.replace("\N{NO-BREAK SPACE}", " ") for part in parts]


def first(count: int) -> range:
    """Which of some units or weights are written out: all where they are few, else the first ones."""
    return range(count if count <= FEW else SHOWN)
