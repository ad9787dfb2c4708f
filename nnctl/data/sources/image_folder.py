"""Images in a folder for each class."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from nnctl.data.sources.decoding import SUFFIXES
from nnctl.data.sources.files import located
from nnctl.data.sources.images import NO_FILE, ImageFile, ImageSource, folder
from nnctl.errors import DataError

#: What is said of images beside the folders for classes, and where there are no such folders.
STRAY = "lies outside of the folders for classes"
ALL_STRAY = "lies in no folder of a class; training and `nnctl eval` need"


class ImageFolder(ImageSource):
    """Images in folders, one for each class: `path/class/name.png`.

    Everything below a class's folder that ends as images do belongs to it, in order of name; links to
    files and folders are followed; hidden files and those of other endings are passed over. Names are
    taken in Unicode's composed form (NFC), so that they and their order are the same whatever system
    wrote them. Images are turned upright as EXIF says; grey is the luma of ITU-R BT.601; 16 bits become
    8; transparency is dropped. This is the layout that PyTorch calls ImageFolder. Needs
    `pip install 'nnctl[images]'`.

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
        one = located(self.path, base)
        if self.labels is None and one.is_file():
            return [ImageFile(printable(one.name), one, self.path, None)], []
        top = folder(self.path, base)
        try:
            names, outside = names_in(top), frozenset({_identity(top.stat())})
            classes = {name for name in names if self.labels and (top / name).is_dir()}
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read: {error.strerror}") from None
        listed: list[ImageFile] = []
        malformed = []
        for name in names:
            empty = True
            for file, wrong in entries_below(top / name, outside):
                image = self._image(file, top, name if name in classes else None)
                if not wrong and self.labels and image.label is None:
                    wrong = STRAY if classes else f"{ALL_STRAY} CLASS/{image.name}, `nnctl predict` takes it as it is"
                if wrong:
                    malformed.append(f"{image.place}: {wrong}")
                else:
                    listed.append(image)
                empty = False
            if name in classes and empty:
                malformed.append(f"{self.path}/{printable(name)}: a folder for a class, without images")
        return listed, malformed

    def _image(self, file: Path, top: Path, label: str | None) -> ImageFile:
        name = printable(file.relative_to(top).as_posix())
        return ImageFile(name, file, f"{self.path}/{name}", label and printable(label))


def images_below(top: Path) -> Iterator[Path]:
    """The image files in a folder and the folders in it, in order of name."""
    return (file for file, wrong in entries_below(top) if not wrong)


def entries_below(top: Path, around: frozenset[tuple[int, int]] = frozenset()) -> Iterator[tuple[Path, str]]:
    """The image files in a folder and the folders in it, linked ones too, in order of name, or a file itself.

    With each stands what is wrong with it, if anything; folders are only among them where they cannot be read.
    `around` are the folders that `top` lies in: a link back to one has no end.
    """
    waiting = [(top, around)]
    while waiting:
        here, around = waiting.pop()
        try:
            status = here.stat()
            inner = names_in(here) if stat.S_ISDIR(status.st_mode) else None
        except OSError as error:
            lost = error.errno in (errno.ENOENT, errno.ELOOP)  # as it was there when its folder was read
            yield here, f"{'is a link that cannot be followed' if lost else 'cannot be read'}: {error.strerror}"
            continue
        if inner is None:
            if _called_as_images_are(here):
                yield here, "" if stat.S_ISREG(status.st_mode) else NO_FILE
        elif _identity(status) in around:
            yield here, "is a link to a folder that it lies in"
        else:
            inside = around | {_identity(status)}
            waiting += [(here / name, inside) for name in reversed(inner)]


def names_in(top: Path) -> list[str]:
    """What is in a folder but for what is hidden, in order of the composed names, whoever wrote them."""
    names = (entry.name for entry in top.iterdir() if not entry.name.startswith("."))
    return sorted(names, key=lambda name: (unicodedata.normalize("NFC", name), name))


def is_image(file: Path) -> bool:
    """Whether this is a file with the name of an image."""
    return _called_as_images_are(file) and file.is_file()


def _called_as_images_are(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def printable(name: str) -> str:
    """A name in composed form, with the bytes that are not UTF-8 spelled out, as text formats cannot hold them."""
    return os.fsencode(unicodedata.normalize("NFC", name)).decode(errors="backslashreplace")
