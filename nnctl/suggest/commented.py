"""YAML with a reason beside each value."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any, NamedTuple

from nnctl.config.dumping import LONGEST_KEY, dump_scalar

#: A line, its comment included, is no longer where that can be had.
WIDTH = 110


class Because(NamedTuple):
    """A value and why it was chosen."""

    value: Any
    reason: str


def plain(tree: Any) -> Any:
    """The values without their reasons."""
    match tree:
        case Because():
            return plain(tree.value)
        case dict():
            return {key: plain(value) for key, value in tree.items()}
        case list():
            return [plain(value) for value in tree]
    return tree


def commented(tree: dict[str, Any]) -> str:
    """The YAML text of nested mappings, lists and scalars, their reasons as comments."""
    return "".join(f"{line}\n" for line in _mapping(tree, ""))


def comment(text: str, indent: str = "") -> list[str]:
    """Text as lines of comment; what YAML forbids even there becomes a question mark."""
    printable = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return [f"{indent}# {line}" for line in wrap(printable, WIDTH - len(indent) - 2)]


def _mapping(tree: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in tree.items():
        name = dump_scalar(key)
        if len(name) > LONGEST_KEY:
            yield f"{indent}? {name}"
            name = ""
        yield from _entry(f"{indent}{name}:", value, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    """One entry: its value beside its head or below it, its reason beside or above."""
    value, reason = value if isinstance(value, Because) else (value, "")
    inline = _inline(value)
    line = head if inline is None else f"{head} {inline}"
    beside = comment(reason)
    if len(beside) == 1 and len(line) + 2 + len(beside[0]) <= WIDTH:
        line = f"{line}  {beside[0]}"
    elif reason:
        yield from comment(reason, indent)
    yield line
    if inline is None and isinstance(value, dict):
        yield from _mapping(value, indent + "  ")
    elif inline is None:
        for item in value:
            yield from _entry(f"{indent}  -", item, indent + "  ")


def _inline(value: Any) -> str | None:
    """The value in one line: scalars, and lists of scalars that nothing is said about."""
    match value:
        case dict():
            return None if value else "{}"
        case list():
            parts = [dump_scalar(v) for v in value if not isinstance(v, Because | dict | list)]
            text = f"[{', '.join(parts)}]"
            return text if len(parts) == len(value) and len(text) < WIDTH - 20 else None
    return dump_scalar(value)
