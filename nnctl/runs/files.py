"""Writing files so that a crash at any moment leaves the old one or the new one, whole."""

import os
from pathlib import Path


def write_atomic(path: Path, content: bytes) -> None:
    """Write beside the final name, flush to disk, rename, and flush the folder's entry."""
    beside = path.with_name(f".{path.name}.writing")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)  # a full disk needs the room
        raise OSError(error.errno, error.strerror, str(path)) from None
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
