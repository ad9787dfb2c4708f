"""What a network's inputs are made of; a new kind is its two classes in one file, and a line in each union here."""

from collections.abc import Mapping
from typing import Annotated

from nnctl.data.inputs.array import ArrayInput, FittedArray
from nnctl.data.inputs.base import Feed, FittedInput, Gathered, Input
from nnctl.data.inputs.columns import Columns, FittedColumns
from nnctl.data.inputs.image import FittedImage, Image
from nnctl.data.inputs.sequence import FittedSequence, NumberSequence
from nnctl.data.inputs.text import FittedText, Text
from nnctl.spec import ByType

__all__ = ["AnyFitted", "AnyInput", "Columns", "Feed", "FittedInput", "Gathered", "Input"]


class _ColumnsWithoutType(ByType):
    """Lets the columns of a table be written without a `type`: `{columns: [a, b]}`."""

    @staticmethod
    def expand(value: object) -> object:
        return {"type": "columns", **value} if isinstance(value, Mapping) and "type" not in value else value


AnyInput = Annotated[Columns | ArrayInput | Image | NumberSequence | Text, _ColumnsWithoutType()]
AnyFitted = Annotated[FittedColumns | FittedArray | FittedImage | FittedSequence | FittedText, ByType()]
