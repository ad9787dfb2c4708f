"""Image files that a column of a table names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from nnctl.data.augmentation import AnyAugmentation, Augmentation
from nnctl.data.inputs.array import AUGMENT, FittedArray
from nnctl.data.inputs.base import Input, table_of
from nnctl.data.preprocess import NUMERIC, By, Kind, Numeric, Preprocess
from nnctl.data.scaling import centres_and_scales
from nnctl.data.sources import Arrays, Source
from nnctl.data.sources.decoding import Color, Fit
from nnctl.data.sources.image_manifest import wrong_path
from nnctl.data.sources.images import COLOR, FIT, SIZE, ImageFile, MalformedImage, Reading, Size, read_images, several
from nnctl.data.tables import Table, as_labels
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.spec import Listed


class Image(Input):
    """Images in files that a column of a table names, one file an example.

    Paths start from the folder of the table. Images are read as the source `image_folder` reads them, as unsigned
    bytes (n, h, w) or (n, h, w, 3), and scaled as arrays are. Needs `pip install 'nnctl[images]'`.

    ```yaml
    {type: image, column: photo, size: [64, 64]}
    ```
    """

    type: Literal["image"] = "image"
    column: str = Field(description="The column of paths.")
    size: Size = Field(None, description=SIZE)
    color: Color = Field("rgb", description=COLOR)
    fit: Fit = Field("stretch", description=FIT)
    numeric: Numeric | None = Field(None, description=NUMERIC)
    by: By | None = Field(None, description="What has a centre and a scale of its own: each value or each channel.")
    augment: Annotated[tuple[AnyAugmentation, ...], Listed] = Field((), description=AUGMENT)

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        return {"column": (self.column,)}

    @property
    def augmentations(self) -> tuple[Augmentation, ...]:
        return self.augment

    def read(self, data: Table | Arrays, left_out: dict[int, str] | None = None) -> Array:
        if not isinstance(data, Table):
            raise ConfigError(f"names a column, and {data.name} is an array, which has none")
        return images_of(data, self.column, Reading(self.size, self.color, self.fit), left_out)

    def fitted(self, values: Array, rows: Array, prepare: Preprocess, kinds: Mapping[str, Kind]) -> FittedImage:
        centre, scale = centres_and_scales(values, rows, self.numeric or prepare.numeric, self.by or prepare.by)
        return FittedImage(
            column=self.column, color=self.color, fit=self.fit, shape=values.shape[1:], centre=centre, scale=scale
        )


class FittedImage(FittedArray):
    """Images that a column names, brought to one size, and their numbers scaled as those of an array."""

    type: Literal["image"] = "image"  # type: ignore[assignment]
    column: str
    color: Color
    fit: Fit

    @property
    def of_table(self) -> bool:
        return True

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def suited(self, source: Source) -> Source:
        return source

    def read(self, data: Table | Arrays) -> Array:
        table = table_of(data)
        table.require((self.column,))
        return images_of(table, self.column, Reading((self.shape[0], self.shape[1]), self.color, self.fit), None)

    def missing(self, values: Array) -> dict[str, int]:
        return {}


def images_of(table: Table, column: str, reading: Reading, left_out: dict[int, str] | None) -> Array:
    """The images of a column of paths, (rows, h, w) or (rows, h, w, 3); those left out are black.

    Raises:
        DataError: where one cannot be read and there is no `left_out`, and where none can.
    """
    files, wrong = dict[int, ImageFile](), dict[int, str]()
    for row, name in enumerate(as_labels(table[column]).to_list()):
        problem = f"has no {column}" if name is None else wrong_path(name, table.folder, hint=not wrong)
        if problem:
            wrong[row] = f"{table.place(row)}: {problem}"
        else:
            files[row] = ImageFile(name, table.folder / name, f"{table.place(row)}, {name}", None)
    if wrong and left_out is None:
        raise MalformedImage(several(list(wrong.values())))
    images, _ = read_images(files, reading, len(table), None if left_out is None else wrong)
    if wrong and len(wrong) == len(table):
        raise DataError(several(list(wrong.values())))
    if left_out is not None:
        left_out |= wrong
    return images
