"""Paths inside an experiment, which are relative to the file they stand in."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from nnctl.data.sources import Source
from nnctl.data.sources.files import STDIN, located
from nnctl.initializers.file import File
from nnctl.spec import Spec

AnySpec = TypeVar("AnySpec", bound=Spec)


def relocated(settings: AnySpec, base: Path, folder: Path) -> AnySpec:
    """An experiment, or a section of one, with its relative paths starting from `folder` instead of `base`."""

    def move(path: str) -> str:
        return moved_path(path, base, folder)

    moved: AnySpec = _with_paths(settings, move)
    return moved


def moved_path(path: str, base: Path, folder: Path) -> str:
    """A path relative to `base` as one relative to `folder`; as it is where absolute, from `~`, or standard input."""
    if path == STDIN:
        return path
    file = located(path, base.resolve())  # a link in the path stays one: where it points may change
    absolute = Path(path).is_absolute() or file != base.resolve() / path
    return str(file) if absolute else os.path.relpath(file, folder.resolve())


def _with_paths(value: Any, move: Callable[[str], str]) -> Any:
    """A copy in which every path of a source or of an initialiser has been moved."""
    if isinstance(value, tuple):
        return tuple(_with_paths(item, move) for item in value)
    if isinstance(value, dict):
        return {key: _with_paths(item, move) for key, item in value.items()}
    if not isinstance(value, Spec):
        return value
    paths = {value.path} if isinstance(value, File) else set(value.files()) if isinstance(value, Source) else set()
    changed = {}
    for name, field in value:
        new = move(field) if isinstance(field, str) and field in paths else _with_paths(field, move)
        if new is not field:
            changed[name] = new
    return value.model_copy(update=changed) if changed else value
