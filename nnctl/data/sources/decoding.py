"""One image file as numbers; the only place that imports Pillow."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import numpy as np

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError

if TYPE_CHECKING:
    from PIL.Image import Image

#: Endings of the files that are taken for images.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
#: What Pillow raises on a file that is damaged, cut off, or something else.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error, zlib.error)
#: The formats of which Pillow opens 16 bits as if they had 32. Neither has more.
WIDE = ("PNG", "PPM")

Color = Literal["grey", "rgb"]
Fit = Literal["stretch", "crop", "pad"]


@contextmanager
def pillow() -> Iterator[None]:
    """Where images are decoded, on any thread: Pillow is there, and its warnings are settled.

    Raises:
        ConfigError: where it is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError("reading images needs Pillow, which is not installed: pip install 'nnctl[images]'") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of metadata, which is not used
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def decode(content: bytes, color: Color, size: tuple[int, int] | None, fit: Fit) -> Array:
    """An image file's bytes as an array of unsigned bytes (h, w) or (h, w, 3).

    Turned upright as its EXIF orientation says; of an animation, the first picture; transparency is
    dropped; 16 bits become 8; colour becomes grey by the luma of ITU-R BT.601.

    Raises:
        DataError: saying what the file holds instead.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(BytesIO(content)) as image:
            image.load()
            if image.mode == "I" and image.format not in WIDE:
                raise DataError("holds numbers of 32 bits; save it with 8 or 16")
            upright = _eight_bits(ImageOps.exif_transpose(image)).convert("L" if color == "grey" else "RGB")
            fitted = upright if size is None else _fitted(upright, size, fit, ImageOps)
            return np.asarray(fitted)
    except UnidentifiedImageError:
        raise DataError(_instead(content)) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        raise DataError(f"has more than the {Image.MAX_IMAGE_PIXELS:,} pixels that an image may have") from None
    except DAMAGED as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(f"is damaged or cut off ({reason})") from None


def _eight_bits(image: Image) -> Image:
    """Grey of 16 bits divided by 257; Pillow itself would cut it off at 255."""
    from PIL import Image

    if image.mode == "F":
        raise DataError("holds floating point numbers; save it with 8 or 16 bits")
    if not image.mode.startswith("I"):
        return image
    wide = np.asarray(image)
    return Image.fromarray(((wide.astype(np.uint32) + 128) // 257).astype(np.uint8))


def _fitted(image: Image, size: tuple[int, int], fit: Fit, ops: ModuleType) -> Image:
    """The image at a size (h, w), each new pixel a weighted mean of all it covers."""
    from PIL.Image import Resampling

    wanted = size[::-1]
    if image.size == wanted:
        return image
    if fit == "stretch":
        return image.resize(wanted, Resampling.BILINEAR)
    resize = ops.fit if fit == "crop" else ops.pad
    fitted: Image = resize(image, wanted, Resampling.BILINEAR)
    return fitted


def _instead(content: bytes) -> str:
    if not content:
        return "is empty"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in content[:512]):
        return f"is text and no image; it begins with {content[:20].decode()!r}"
    return f"is no image that Pillow reads; it begins with {content[:8].hex(' ')}"
