"""What images are like, and so how they are to be read."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, NamedTuple

from nnctl.data.sources.decoding import decode, pillow
from nnctl.data.sources.images import ImageFile
from nnctl.engine.parameters import Shape
from nnctl.errors import DataError
from nnctl.suggest.commented import Because, Off

#: So many images, spread evenly, are looked at to choose size and colour.
SAMPLE = 500
#: The longer side of what images are brought to: more costs much and seldom tells more.
LARGEST = 64
#: Sides are rounded to a multiple of this, so that they can be halved.
STEP = 8
#: Sides of a proportion up to this make a square.
NEARLY_SQUARE = 4 / 3
#: Channels that differ by no more than this are grey: JPEG rounds.
TINT = 4
#: More files than this share that cannot be read are not a few bad ones.
MOST_DAMAGED = 0.1


class Look(NamedTuple):
    """What one image is like."""

    height: int
    width: int
    coloured: bool


def how(files: Sequence[ImageFile]) -> dict[str, Any]:
    """The keys `size`, `fit` and `color`, from a sample of the images.

    Raises:
        DataError: where none of the sample can be read.
    """
    sample = files[:: max(1, -(-len(files) // SAMPLE))]
    with pillow(), ThreadPoolExecutor(os.cpu_count()) as pool:
        looks = list(pool.map(_look, sample))
    seen = [look for look in looks if isinstance(look, Look)]
    if not seen:
        raise DataError(f"{sample[0].place}: {looks[0]}; none of {len(sample)} images can be read")
    of = "all images" if len(sample) == len(files) else f"{len(sample)} of the {len(files)} images, looked at,"
    found = _size(seen, of)
    coloured = sum(look.coloured for look in seen)
    found["color"] = (
        Because("rgb", f"{coloured} of {len(seen)} have colours") if coloured else Because("grey", f"{of} are grey")
    )
    return found


def _look(file: ImageFile) -> Look | str:
    try:
        image = decode(file.path.read_bytes(), "rgb", None, "stretch")
    except (DataError, OSError) as error:
        return str(error)
    spread = image.max(axis=2).astype(int) - image.min(axis=2)
    return Look(image.shape[0], image.shape[1], bool((spread > TINT).any()))


def _size(seen: Sequence[Look], of: str) -> dict[str, Any]:
    heights, widths = sorted(look.height for look in seen), sorted(look.width for look in seen)
    same = heights[0] == heights[-1] and widths[0] == widths[-1]
    middle = (median(heights), median(widths))
    if same and max(middle) <= LARGEST:
        height, width = heights[0], widths[0]
        return {"size": Because(height if height == width else [height, width], f"{of} are {height} x {width}")}
    height, width = _rounded(*middle)
    theirs = f"{heights[0]} x {widths[0]}"
    if not same:
        span = f"{heights[0]} to {heights[-1]} high and {widths[0]} to {widths[-1]} wide"
        theirs = f"{span}, in the middle {middle[0]:.0f} x {middle[1]:.0f}"
    reason = f"{of} are {theirs}; a larger size sees more and takes longer"
    size = Because(height if height == width else [height, width], reason)
    return {"size": size, "fit": Because("stretch", "crop cuts off what is over, pad fills up with black")}


def _rounded(height: float, width: float) -> tuple[int, int]:
    """Sides to bring images to: of their proportion, or square where that is near."""
    if max(height, width) <= NEARLY_SQUARE * min(height, width):
        height = width = (height * width) ** 0.5
    shrink = min(1.0, LARGEST / max(height, width))
    tall, wide = (max(STEP, STEP * round(side * shrink / STEP)) for side in (height, width))
    return tall, wide


def left_out(malformed: Sequence[str], read: int) -> Because:
    """The `malformed` of images some of which cannot be read, beside those that were.

    Raises:
        DataError: where they are more than a few.
    """
    count = len(malformed)
    if count > MOST_DAMAGED * (read + count):
        raise DataError(
            f"{malformed[0]}; {count} of {read + count} images cannot be used; replace or remove them and run this "
            "again"
        )
    images = "1 image" if count == 1 else f"{count} images"
    return Because("skip", f"{images} cannot be used; the first: {malformed[0]}")


def example_augmentation(shape: Shape) -> Off:
    """Random changes that most photographs bear, to be switched on."""
    pixels = max(1, max(shape[:2]) // 16)
    return Off(
        [{"type": "crop", "padding": pixels, "extend": "edge"}, {"type": "flip", "horizontal": True}],
        "Random changes of training images help where there are few: shifts by some pixels, and mirror images "
        "where these mean the same (not for digits). Take away the # to have them:",
    )
