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
        name = dump_scalar(key)
        if len(name) > LONGEST_KEY:
            yield f"{indent}? {name}"
            name = ""
        yield from _entry(f"{indent}{name}:", value, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    """One entry: its value beside its head or below it, its reason beside or above."""
    value, reason = value if isinstance(value, Because) else (value, "")
    inline = _short(value) if head.endswith("-") and isinstance(value, dict) else _inline(value)
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


def _short(item: dict[Any, Any]) -> str | None:
    """A mapping in a list in one line, where nothing is said about its values."""
    if not item:
        return "{}"
    names = [dump_scalar(key) for key in item]
    values = [None if isinstance(v, Because | Off | dict) else _inline(v) for v in item.values()]
    if None in values:
        return None
    parts = [f"{name}: {text}" for name, text in zip(names, values, strict=True)]
    text = parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"
    return text if len(text) < WIDTH - 20 else None


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
