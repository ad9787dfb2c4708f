"""Images in a folder for each class."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from nnctl.data.sources.decoding import SUFFIXES
from nnctl.data.sources.images import ImageFile, ImageSource, folder


class ImageFolder(ImageSource):
    """Images in folders, one for each class: `path/class/name.png`.

    Everything below a class's folder that ends as images do belongs to it, in order of name; hidden
    files and those of other endings are passed over. Names are taken in Unicode's composed form (NFC),
    so that they are the same whatever system wrote them. Images are turned upright as EXIF says; grey
    is the luma of ITU-R BT.601; 16 bits become 8; transparency is dropped. This is the layout that
    PyTorch calls ImageFolder. Needs `pip install 'nnctl[images]'`.

    ```yaml
    {type: image_folder, path: photos/train, size: [64, 64], fit: crop}
    ```
    """

    type: Literal["image_folder"] = "image_folder"
    path: str = Field(description="The folder with a folder for each class, relative to the experiment file.")
    labels: Literal["folder"] | None = Field(
        "folder", description="Where classes come from: the folder's name; null: none, all images below `path`."
    )

    def listing(self, base: Path) -> tuple[list[ImageFile], list[str]]:
        if self.labels is None:
            one = base / Path(self.path).expanduser()
            if one.is_file():
                return [ImageFile(one.name, one, self.path, None)], []
            top = folder(self.path, base)
            return [self._image(file, top, None) for file in images_below(top)], []
        top = folder(self.path, base)
        listed: list[ImageFile] = []
        malformed = []
        for entry in sorted(top.iterdir()):
            if entry.is_dir() and not entry.name.startswith("."):
                label = unicodedata.normalize("NFC", entry.name)
                found = [self._image(file, top, label) for file in images_below(entry)]
                listed += found
                if not found:
                    malformed.append(f"{self.path}/{printable(entry.name)}: a folder for a class, without images")
            elif is_image(entry):
                malformed.append(f"{self.path}/{printable(entry.name)}: lies outside of the folders for classes")
        return listed, malformed

    def _image(self, file: Path, top: Path, label: str | None) -> ImageFile:
        name = printable(file.relative_to(top).as_posix())
        return ImageFile(name, file, f"{self.path}/{name}", label and printable(label))


def images_below(top: Path) -> Iterator[Path]:
    """The image files in a folder and the folders in it, in order of name."""
    for folder_name, inner, names in os.walk(top):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield from filter(is_image, (Path(folder_name, name) for name in sorted(names)))


def is_image(file: Path) -> bool:
    """Whether a file's name is that of an image."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def printable(name: str) -> str:
    """A name with the bytes that are not UTF-8 spelled out, as text formats cannot hold them."""
    return os.fsencode(name).decode(errors="backslashreplace")
