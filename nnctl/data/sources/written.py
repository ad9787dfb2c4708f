"""Sources whose cells may be text, and how numbers and missing values are written in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nnctl.data.notation import Notation
from nnctl.data.sources.base import Source
from nnctl.data.tables import Table, without_missing
from nnctl.spec import Listed, Reticent

Decimal = Annotated[
    Literal[".", ","], Field(description="What stands between the whole part of a number and the rest.")
]
Thousands = Annotated[
    Literal[",", ".", " ", "'"] | None,
    Field(
        description="What separates groups of digits, as in 1,234,567 (or 12,34,567); null: nothing. A number may "
        "do without; one with other groups is none."
    ),
]
Accounting = Annotated[
    bool,
    Field(description="Whether (5), 5- and \u22125, with the long sign, are the number -5; if not, they are text."),
]
Units = Annotated[
    dict[str, Annotated[str, Field(min_length=1)]],
    Field(
        description="What stands before or behind the numbers of a column and is left out, such as "
        '{price: "$", growth: "%", weight: kg}; the number is what is written, 5 % is 5.'
    ),
]


Missing = Annotated[tuple[str, ...], Listed, Field(description="Text that means a missing value.")]


class Written(Source, Reticent):
    """A source whose cells may be text. A format has these fields behind its own, with the types of this module."""

    unsaid: ClassVar[tuple[str, ...]] = ("decimal", "thousands", "accounting", "units")

    if TYPE_CHECKING:
        missing: Missing
        decimal: Decimal
        thousands: Thousands
        accounting: Accounting
        units: Units

    @property
    def notation(self) -> Notation:
        """How numbers are written in its cells."""
        return Notation(self.decimal, self.thousands, self.accounting, self.units)

    def as_written(self, table: Table) -> Table:
        """The rows with what is missing as null, which know how their numbers are written."""
        frame = without_missing(table.frame, self.missing) if self.missing else table.frame
        return replace(table, frame=frame, notation=self.notation)

    @model_validator(mode="after")
    def _different_marks(self) -> Written:
        if self.decimal == self.thousands:
            raise ValueError(
                f"decimal and thousands are both {self.decimal!r}; one number would be two. Write what stands before "
                "the digits behind the whole part as decimal, and what groups digits as thousands"
            )
        return self
