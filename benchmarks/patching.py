"""Functions of classes and modules, wrapped for a while: how benchmarks look into the engine from outside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Function = Callable[..., Any]


@contextmanager
def replaced(owner: Any, name: str, wrap: Callable[[Function], Function]) -> Iterator[None]:
    """A function of a class or module wrapped, and put back."""
    held = vars(owner).get(name)  # None where a class inherits it
    setattr(owner, name, wrap(getattr(owner, name)))
    try:
        yield
    finally:
        if held is None:
            delattr(owner, name)
        else:
            setattr(owner, name, held)
