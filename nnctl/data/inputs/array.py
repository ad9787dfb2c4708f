"""An array of the source: images, signals, or any numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, Literal

import numpy as np
from numpy.typing import DTypeLike
from pydantic import Field

from nnctl.data.augmentation import AnyAugmentation, Augmentation
from nnctl.data.image_cache import gather
from nnctl.data.inputs.base import FittedInput, Input, arrays_of
from nnctl.data.preprocess import NUMERIC, By, Kind, Numeric, Preprocess
from nnctl.data.report import Problem, array_problems
from nnctl.data.scaling import BLOCK, centres_and_scales, refuse_non_finite
from nnctl.data.sources import Arrays, Source
from nnctl.data.tables import Table
from nnctl.data.targets import Truth
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError, DataError
from nnctl.spec import Listed

AUGMENT = "Random changes of the training batches, one after another, before numbers are scaled."


class ArrayInput(Input):
    """An array of the source, such as an `npy` or `npz` file holds.

    `data.preprocess` says how it is scaled, unless it is said here.

    ```yaml
    {type: array, array: left, numeric: standardize}
    ```
    """

    type: Literal["array"] = "array"
    array: str | None = Field(
        None, description="Its name, where the source lists several as its `inputs`; left out, the first."
    )
    numeric: Numeric | None = Field(None, description=NUMERIC)
    by: By | None = Field(None, description="What has a centre and a scale of its own: each value or each channel.")
    augment: Annotated[tuple[AnyAugmentation, ...], Listed] = Field((), description=AUGMENT)

    @property
    def augmentations(self) -> tuple[Augmentation, ...]:
        return self.augment

    def read(self, data: Table | Arrays, left_out: dict[int, str] | None = None) -> Array:
        if isinstance(data, Table):
            raise ConfigError(f"is an array, and {data.name} is a table; name its columns, or a column of images")
        x = data.array(self.array)
        refuse_non_finite(x, data.name)
        return x

    def fitted(self, values: Array, rows: Array, prepare: Preprocess, kinds: Mapping[str, Kind]) -> FittedArray:
        centre, scale = centres_and_scales(values, rows, self.numeric or prepare.numeric, self.by or prepare.by)
        return FittedArray(shape=values.shape[1:], centre=centre, scale=scale, array=self.array)


class FittedArray(FittedInput):
    """Inputs (n, *shape) from arrays of that shape: z = (x - centre) / scale, feature by feature.

    `centre` and `scale` have one number a feature, in C order, one number a channel, or one for all. A last
    axis of 1 makes no difference: images (h, w) and (h, w, 1) are the same.
    """

    type: Literal["array"] = "array"
    shape: Annotated[tuple[int, ...], Listed]
    centre: Annotated[tuple[float, ...], Listed]
    scale: Annotated[tuple[float, ...], Listed]
    array: str | None = None

    @property
    def of_table(self) -> bool:
        return False

    def suited(self, source: Source) -> Source:
        return source.suited(self.shape)

    def read(self, data: Table | Arrays) -> Array:
        """A matrix may have the target as one more column."""
        arrays = arrays_of(data)
        x = self._shaped(arrays, arrays.array(self.array))
        refuse_non_finite(x, arrays.name)
        return x

    def transform(self, values: Array, dtype: DTypeLike) -> Array:
        """The same array where it is that already."""
        if (self.centre, self.scale) == ((0.0,), (1.0,)):
            return values.astype(dtype, copy=False)
        z = values.astype(dtype)
        if self.centre != (0.0,):
            z -= self._numbers(self.centre, dtype)
        if self.scale != (1.0,):
            z /= self._numbers(self.scale, dtype)
        return z

    def undone(self, z: Array) -> Array:
        z = z.reshape(len(z), *self.shape)
        at_0, at_1 = (self.transform(np.full((1, *self.shape), v), np.float64) for v in (0.0, 1.0))
        raw: Array = (z - at_0) / (at_1 - at_0)
        return raw

    def problems(self, values: Array, rows: Array, truths: Sequence[Truth]) -> list[Problem]:
        return array_problems(values, rows)

    def hashes(self, values: Array, rows: Array) -> Array:
        hashes = np.empty(len(rows), np.int64)
        step = max(1, BLOCK // max(1, values[:1].nbytes))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            hashes[part] = [hash(x.tobytes()) for x in gather(values, rows[part])]
        return hashes

    def _shaped(self, arrays: Arrays, x: Array) -> Array:
        shape = x.shape[1:]
        if shape == self.shape:
            return x
        if _without_channel(shape) == _without_channel(self.shape):
            return x.reshape(len(x), *self.shape)
        if len(self.shape) == 1 and shape == (self.shape[0] + 1,) and arrays.labels is None:
            return x[:, :-1]
        raise DataError(f"{arrays.name}: examples of shape {shape}, and the model takes {self.shape}")

    def _numbers(self, values: tuple[float, ...], dtype: DTypeLike) -> Array:
        numbers = np.array(values, dtype)
        return numbers.reshape(self.shape) if len(values) == prod(self.shape) else numbers


def _without_channel(shape: Shape) -> Shape:
    return shape[:-1] if len(shape) == 3 and shape[-1] == 1 else shape
