"""From an experiment file to a validated experiment."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from nnctl.config import overrides as command_line
from nnctl.config.explain_errors import explain
from nnctl.config.short_forms import spell_out
from nnctl.config.yaml12 import Document, parse
from nnctl.errors import ConfigError
from nnctl.names import did_you_mean
from nnctl.spec import Spec

#: An experiment file is a page or two; what is larger is data that was given in its place.
MOST_BYTES = 2_000_000

AnySpec = TypeVar("AnySpec", bound=Spec)


@dataclass(frozen=True)
class Loaded(Generic[AnySpec]):
    """An experiment with where it came from.

    Attributes:
        spec: the validated settings.
        base: the directory that paths in the file are relative to.
        text: the file as it was read, before overrides.
        document: the data the settings were made from, and the place of every key, for later messages.
    """

    spec: AnySpec
    base: Path
    text: str
    document: Document


def load_experiment(path: str | Path, overrides: Sequence[str], root: type[AnySpec]) -> Loaded[AnySpec]:
    """Read a file (`-` for standard input), apply `key.path=value` overrides, validate.

    Raises:
        ConfigError: with every problem found, each with its line or override.
    """
    name = "standard input" if str(path) == "-" else str(path)
    base = Path.cwd() if str(path) == "-" else Path(path).resolve().parent
    text = _decode(_read(path), name)
    document = parse(text, name)
    if document.data is None:
        raise ConfigError(f"{name}: the file is empty; `nnctl init DATA --target COLUMN` writes one to start from")
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else "a single value"
        raise ConfigError(f"{document.place(())}: found {kind}; an experiment file is made of `key: value` lines")
    spell_out(document, root)
    for override in overrides:
        command_line.apply(document, override, root)
        spell_out(document, root)
    try:
        spec = root.model_validate(document.data)
    except ValidationError as error:
        raise explain(error, document, root) from None
    return Loaded(spec, base, text, document)


def _read(path: str | Path) -> bytes:
    try:
        if str(path) == "-":
            if sys.stdin is None:  # the shell has closed it
                raise ConfigError("standard input: is closed; name an experiment file")
            content = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(_not_found(Path(path))) from None
    except IsADirectoryError:
        raise ConfigError(
            f"{path}: is a directory; name the experiment file in it, such as {path}/config.yaml"
        ) from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: is larger than {MOST_BYTES // 10**6} MB; an experiment file is a page. Is it data?")
    return content


def _not_found(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"{path}: there is no directory {folder}"
    beside = [entry.name for entry in folder.iterdir() if entry.is_file()]
    return f"{path}: there is no such file{did_you_mean(path.name, beside)}"


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: found bytes that are not UTF-8 text; save the file as UTF-8") from None
