"""Image files for tests."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nnctl.engine.parameters import Array

RANDOM = np.random.default_rng(0)
COLOURED = RANDOM.integers(0, 256, (6, 5, 3), dtype=np.uint8)
GREY = RANDOM.integers(0, 256, (6, 5), dtype=np.uint8)


def encoded(picture: Array | Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file, of an array or an image."""
    stream = BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(stream, form, **options)
    return stream.getvalue()


def write(folder: Path, files: dict[str, Any]) -> Path:
    """Files by name, each an array, or bytes as they are."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else encoded(content))
    return folder


def shades(count: int, shape: tuple[int, int] = (4, 4), classes: Sequence[str] = ("dark", "light")) -> dict[str, Array]:
    """Files of images that are darker or lighter, `count` of each class."""
    images = {}
    for number, name in enumerate(classes):
        low, high = 256 * number // len(classes), 256 * (number + 1) // len(classes)
        for i in range(count):
            images[f"{name}/{i:03}.png"] = RANDOM.integers(low, high, shape, dtype=np.uint8)
    return images
