"""How numbers are written in the cells of a table: what turns the text of a cell into a number.

    number = [sign] digits [decimal digits] [e [sign] digits]

A notation says what else a number may hold: another decimal sign, what separates thousands, a unit, other forms of
the minus. The cell is rewritten the way Python writes numbers, and the number is the float nearest to what then stands
there. A cell that is no number in the notation of its table is none: where the decimal sign is a comma, `1.5` is
text, and neither 1.5 nor 15.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

#: What may separate thousands, as patterns; typesetters have spaces and apostrophes of their own.
THOUSANDS = {",": ",", ".": r"\.", " ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
#: Hyphens that mean minus where `accounting` is on: the ASCII one, and the sign itself.
MINUS = "[-\u2212]"


@dataclass(frozen=True)
class Notation:
    """How the numbers of a table are written; see `sources/written.py` for what the settings mean."""

    decimal: str = "."
    thousands: str | None = None
    accounting: bool = False
    units: Mapping[str, str] = field(default_factory=dict)

    def is_plain(self, column: str) -> bool:
        """Whether the numbers of a column are written as Python writes them."""
        return (self.decimal, self.thousands, self.accounting) == (".", None, False) and column not in self.units

    def numbers(self, column: str) -> pl.Expr:
        """A column of text as float64; null for what is no number."""
        import polars as pl

        text = pl.col(column)
        if not self.is_plain(column):
            text = self._rewritten(text.str.strip_chars(), self.units.get(column))
        return text.cast(pl.Float64, strict=False)

    def _rewritten(self, text: pl.Expr, unit: str | None) -> pl.Expr:
        """The cells that are numbers as Python writes them; null for all others."""
        import polars as pl

        if unit is not None:
            mark = re.escape(unit)
            text = text.str.replace(rf"^([-+(\u2212]?)\s*{mark}\s*", "${1}")
            text = text.str.replace(rf"\s*{mark}\s*([-)\u2212]?)$", "${1}")
        if self.accounting:
            text = text.str.replace(r"^\((.+)\)$", "-${1}")
            text = text.str.replace(rf"^([^-].*){MINUS}$", "-${1}").str.replace("^\u2212", "-")
        number = text.str.contains(self._pattern())
        if self.thousands is not None:
            text = text.str.replace_all(THOUSANDS[self.thousands], "")
        return pl.when(number).then(text.str.replace(self.decimal, ".", literal=True))

    def _pattern(self) -> str:
        whole, point = "[0-9]+", re.escape(self.decimal)
        if self.thousands is not None:
            mark = THOUSANDS[self.thousands]
            whole += f"|[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}"
        return rf"^[-+]?(?:(?:{whole})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][-+]?[0-9]+)?$"


PLAIN = Notation()
