"""YAML with a reason beside each value."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any, NamedTuple

from nnctl.config.dumping import LONGEST_KEY, dump_line

#: A line, its comment included, is no longer where that can be had.
WIDTH = 110
#: So are lists and mappings in one line.
SHORT = 90


class Because(NamedTuple):
    """A value and why it was chosen."""

    value: Any
    reason: str


class Off(NamedTuple):
    """The value of a key that may be wanted, as lines of comment; to take their `#` away is to have it."""

    value: Any
    reason: str


def plain(tree: Any) -> Any:
    """The values without their reasons."""
    match tree:
        case Because():
            return plain(tree.value)
        case dict():
            return {key: plain(value) for key, value in tree.items() if not isinstance(value, Off)}
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
        if isinstance(value, Off):
            yield from comment(value.reason, indent)
            yield from (f"{indent}# {line}" for line in _mapping({key: value.value}, ""))
            continue
        name = dump_line(key)
        if len(name) > LONGEST_KEY:
            yield f"{indent}? {name}"
            name = ""
        yield from _entry(f"{indent}{name}:", value, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    """One entry: its value beside its head or below it, its reason beside or above."""
    value, reason = value if isinstance(value, Because) else (value, "")
    inline = _inline(value, item=head.endswith("-"))
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


def _inline(value: Any, *, item: bool) -> str | None:
    """The value in one line, where it fits; a mapping with entries only as a list's item."""
    parts = value.values() if isinstance(value, dict) and item else [value] if value != {} else []
    if not all(map(_is_simple, parts)):
        return None
    text = dump_line(value)
    if isinstance(value, dict) and len(value) == 1:
        text = text[1:-1]
    return text if len(text) < SHORT or not isinstance(value, dict | list) else None


def _is_simple(value: Any) -> bool:
    """Whether it is a scalar, or a list of scalars that nothing is said about."""
    if isinstance(value, list):
        return not any(isinstance(part, Because | dict | list) for part in value)
    return not isinstance(value, Because | Off | dict)
