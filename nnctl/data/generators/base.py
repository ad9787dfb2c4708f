"""What every generator is, and how its table is written."""

import csv
import math
from typing import Any, ClassVar, TextIO

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from nnctl.spec import Spec

#: The names of the columns, in order, and each column's values.
Table = tuple[tuple[str, ...], dict[str, Array]]


class Generator(Spec):
    """An immutable value: the recipe of a table."""

    #: Whether files belong to the table, which its columns name.
    has_files: ClassVar[bool] = False

    type: str
    size: int = Field(200, ge=1, description="Number of rows.")
    noise: float = Field(0.1, ge=0, description="Standard deviation of the noise; 0 for none.")
    seed: int = Field(0, ge=0, description="Which of the possible tables; not the experiment's seed.")

    def generate(self) -> Table:
        """The column names and the columns; classes are strings, labels integers, the rest float64.

        Cells without a value are nan among numbers and empty among strings.
        """
        columns = self.columns(stream(self.seed, "generate", self.type))
        # + 0.0 turns the -0.0 that rounding may leave into 0.0.
        rounded = {k: np.round(v, 6) + 0.0 if v.dtype.kind == "f" else v for k, v in columns.items()}
        return tuple(rounded), rounded

    def columns(self, random: np.random.Generator) -> dict[str, Array]:
        """The columns before rounding, by name."""
        raise NotImplementedError

    def files(self) -> dict[str, bytes]:
        """The files that belong to the table, by their path from its folder."""
        return {}


def cells(column: Array) -> list[Any]:
    """A column's values, None where there is none."""
    return [
        None if value == "" or (isinstance(value, float) and math.isnan(value)) else value for value in column.tolist()
    ]


def write_csv(table: Table, file: TextIO) -> None:
    """Write a table as CSV: a header, a line feed after every line, floats in their shortest exact form.

    Open the file with `newline=""`, or Windows will double the line ends.
    """
    names, columns = table
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(zip(*(cells(columns[name]) for name in names), strict=True))
