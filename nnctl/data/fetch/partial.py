"""A file that is not whole yet."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from nnctl.data.fetch.catalogue import File


class Partial:
    """The bytes that came so far, hidden beside the file's final name.

    A second file says which address they came from and its validator (an ETag or a date), so that a later
    request can ask to go on only if the file there is still the same. An empty one leaves no trace.
    """

    length: int

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.with_name(f".{final.name}.part")
        self.origin = final.with_name(f".{final.name}.part.from")

    def __enter__(self) -> Self:
        self._stream = self.path.open("a+b")
        self.length = os.fstat(self._stream.fileno()).st_size
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stream:
            if self.length == 0:
                self.remove()

    def append(self, block: bytes) -> None:
        """Add what came."""
        self._stream.write(block)
        self.length += len(block)

    def clear(self) -> None:
        """Forget what came."""
        self._stream.truncate(0)
        self.length = 0

    def remove(self) -> None:
        """Delete what is on disk."""
        self.path.unlink(missing_ok=True)
        self.origin.unlink(missing_ok=True)

    def holds(self, file: File) -> bool:
        """Whether it is all of a file."""
        if self.length != file.size:
            return False
        self._stream.seek(0)
        return hashlib.file_digest(self._stream, "sha256").hexdigest() == file.sha256

    def become_final(self) -> None:
        """Give the file its name, once it is safely on disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self.path.replace(self.final)
        self.origin.unlink(missing_ok=True)

    def remember(self, url: str, validator: str | None) -> None:
        """Note where the bytes come from."""
        self.origin.write_text(f"{url}\n{validator or ''}", encoding="utf-8")

    def validator(self, url: str) -> str | None:
        """What to hold the file at an address against; nothing where the bytes came from elsewhere."""
        if not self.origin.is_file():
            return None
        origin, _, validator = self.origin.read_text(encoding="utf-8", errors="replace").partition("\n")
        # It is sent as a header, and anything may have written the file.
        return validator if origin == url and validator.isascii() and validator.isprintable() else None
