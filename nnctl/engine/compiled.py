"""Functions that have a compiled form with the same bits: which of the two runs.

The engine is written in NumPy, and reads and works without this module. A short function marked `compilable` is
defined by its NumPy form; where the extra `[fast]` is installed and training is long enough, `nnctl.kernels` puts
compiled forms in their places for as long as it lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
Table = Mapping[Callable[..., Any], Callable[..., Any]]

_compiled: dict[Callable[..., Any], Callable[..., Any]] = {}


def compilable(function: Function) -> Function:
    """A function or method that runs in its compiled form where one is in use."""

    @wraps(function)
    def form(*arguments: Any) -> Any:
        return _compiled.get(form, function)(*arguments)

    return cast("Function", form)


@contextmanager
def using(table: Table) -> Iterator[None]:
    """Run compiled forms, by the functions they stand for, until the end."""
    before = dict(_compiled)
    _compiled.update(table)
    try:
        yield
    finally:
        _compiled.clear()
        _compiled.update(before)
