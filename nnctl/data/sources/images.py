"""Images: one file an example, decoded once and kept as bytes."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self, TypeVar

import numpy as np
from pydantic import Field

from nnctl.data.image_cache import RESIDENT, release, room_for
from nnctl.data.sources.base import Arrays, Source
from nnctl.data.sources.decoding import Color, Fit, decode, pillow
from nnctl.data.sources.files import located
from nnctl.engine.parameters import Array, Shape
from nnctl.errors import DataError
from nnctl.names import did_you_mean
from nnctl.spec import Listed

#: Files read and decoded at a time by each processor.
AHEAD = 4
#: What is said of an entry that is neither a file nor a folder; reading a pipe would wait for whoever writes it.
NO_FILE = "is a pipe or a device and no image"
Side = Annotated[int, Field(gt=0)]
Size = Side | Annotated[tuple[Side, Side], Listed] | None
SIZE = (
    "Height and width [h, w] that images are brought to, or one number for both; left out, all must have the first "
    "one's, and others are malformed."
)
COLOR = "Channels: grey has none, shape (h, w); rgb has three, shape (h, w, 3)."
FIT = (
    "How an image is brought to `size`: stretch changes its proportions, crop cuts off what is over, pad fills up with "
    "black."
)
Result = TypeVar("Result")
Label = str | tuple[str, ...] | None


@dataclass(frozen=True)
class ImageFile:
    """A file that should hold an image.

    Attributes:
        name: of the file, within its source.
        place: where it stands, for messages.
    """

    name: str
    path: Path
    place: str
    label: Label


class MalformedImage(DataError):
    """An image, or an entry that should be one, which could be left out."""


@dataclass(frozen=True)
class Images(Arrays):
    """Images as arrays.

    Attributes:
        places: where each stands, for messages.
        columns: the names of the targets, where they have any.
    """

    places: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __getitem__(self, rows: slice) -> Images:
        labels = None if self.labels is None else self.labels[rows]
        files = self.files and self.files[rows]
        return replace(self, x=self.x[rows], labels=labels, files=files, places=self.places[rows])

    @property
    def target_columns(self) -> tuple[str, ...]:
        return self.columns

    def place(self, row: int) -> str:
        return self.places[row]

    def with_labels(self) -> Images:
        if self.labels is None:
            raise DataError(
                f"{self.name}: has no class or other target; training and `nnctl eval` need a folder with a folder of "
                "images for each class, or a list of images with `labels`; `nnctl predict` takes images without"
            )
        return self


class ImageSource(Source):
    """Arrays (n, h, w) of grey or (n, h, w, 3) of coloured images, of unsigned bytes."""

    path: str
    size: Size = Field(None, description=SIZE)
    color: Color = Field("rgb", description=COLOR)
    fit: Fit = Field("stretch", description=FIT)
    cache_megabytes: int = Field(
        RESIDENT >> 20,
        ge=0,
        description="Decoded images up to this size are held in memory; more lie in a temporary file.",
    )

    def listing(self, base: Path) -> tuple[list[ImageFile], list[str]]:
        """The files in order, and the places of entries that are none, each with what is wrong."""
        raise NotImplementedError

    def targets(self) -> tuple[str, ...]:
        """The names of the targets, where they have any."""
        return ()

    def files(self) -> tuple[str, ...]:
        return (self.path,)

    def suited(self, shape: Shape) -> Self:
        return self.model_copy(update={"color": "grey" if len(shape) < 3 or shape[-1] == 1 else "rgb"})

    def open(self, base: Path, *, skip_malformed: bool = False) -> Images:
        listed, malformed = self.listing(base)
        if malformed and not skip_malformed:
            raise MalformedImage(several(malformed))
        if not listed:
            raise DataError(several(malformed) if malformed else f"{self.path}: holds no images")
        wrong: dict[int, str] | None = {} if skip_malformed else None
        reading = Reading(self.size, self.color, self.fit, self.cache_megabytes << 20)
        images, digest = read_images(dict(enumerate(listed)), reading, len(listed), wrong)
        malformed += (wrong or {}).values()
        if len(wrong or ()) == len(listed):
            raise DataError(several(malformed))
        good = [i for i in range(len(listed)) if i not in (wrong or ())]
        for place, i in enumerate(good if wrong else ()):
            images[place] = images[i]
        labels = None if listed[0].label is None else np.array([listed[i].label for i in good])
        return Images(
            images[: len(good)],
            labels,
            self.path,
            tuple(listed[i].name for i in good),
            tuple(malformed),
            digest,
            places=tuple(listed[i].place for i in good),
            columns=self.targets(),
        )


@dataclass(frozen=True)
class Reading:
    """What is made of an image file: a height and width, or None for the first one's, channels, and proportions.

    Images of up to `limit` bytes together are held in memory.
    """

    size: int | tuple[int, int] | None
    color: Color
    fit: Fit
    limit: int = RESIDENT

    def one(self, file: ImageFile) -> tuple[bytes, Array, str]:
        """The hash of a file, and its image or what is wrong with it."""
        size = (self.size, self.size) if isinstance(self.size, int) else self.size
        nothing = np.empty(0, np.uint8)
        try:
            content = file.path.read_bytes()
        except OSError as error:
            return b"", nothing, f"cannot be read: {error.strerror}"
        digest = hashlib.sha256(content).digest()
        try:
            return digest, decode(content, self.color, size, self.fit), ""
        except DataError as error:
            return digest, nothing, str(error)


def read_images(
    files: Mapping[int, ImageFile], reading: Reading, count: int, wrong: dict[int, str] | None
) -> tuple[Array, str]:
    """Images at their places in an array (count, h, w) or (count, h, w, 3), and a hash of all the files.

    What cannot be read is put into `wrong`, by its place, which holds no image then.

    Raises:
        MalformedImage: for the first that cannot be read, where there is no `wrong`.
    """
    digest, images, done = hashlib.sha256(), np.empty(0, np.uint8), 0
    with pillow(), ThreadPoolExecutor(os.cpu_count()) as pool:
        read = in_order(pool, reading.one, list(files.values()))
        for (place, file), (content, image, problem) in zip(files.items(), read, strict=True):
            digest.update(f"{file.name}\0{file.label}\0".encode() + content)
            if not done and not problem:
                images = room_for((count, *image.shape), reading.limit)
            problem = problem or _odd(image.shape, images.shape[1:])
            if problem:
                if wrong is None:
                    raise MalformedImage(f"{file.place}: {problem}")
                wrong[place] = f"{file.place}: {problem}"
                continue
            images[place] = image
            done += 1
            if done % max(1, RESIDENT // image.nbytes) == 0:
                release(images)
    return images, digest.hexdigest()


def in_order(
    pool: ThreadPoolExecutor, function: Callable[[ImageFile], Result], files: Sequence[ImageFile]
) -> Iterator[Result]:
    """The results in the order of the files, a few of them computed ahead."""
    ahead: deque[Future[Result]] = deque()
    for file in files:
        ahead.append(pool.submit(function, file))
        if len(ahead) > AHEAD * (os.cpu_count() or 1):
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


def folder(path: str, base: Path) -> Path:
    """The folder a path means.

    Raises:
        DataError: where there is none, with the nearest name beside it.
    """
    found = located(path, base)
    if found.is_dir():
        return found
    if found.exists():
        raise DataError(f"{path}: is a file; write the path of a folder that has a folder of images for each class")
    beside = sorted(entry.name for entry in found.parent.iterdir()) if found.parent.is_dir() else []
    raise DataError(f"{path}: no such folder in {found.parent}{did_you_mean(found.name, beside)}")


def _odd(shape: Shape, first: Shape) -> str:
    if shape == first:
        return ""
    this, other = (f"{height} x {width}" for height, width in (shape[:2], first[:2]))
    return f"is {this} where the first image is {other} (height x width); `size` in its source brings all to one"


def several(places: Sequence[str]) -> str:
    """The first of several places, and how many there are."""
    more = f" (and {len(places) - 1} more like it)" if len(places) > 1 else ""
    return f"{places[0]}{more}"
