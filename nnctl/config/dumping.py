"""YAML written so that people can read it and every parser reads the same.

Numbers and text are written in the forms that YAML 1.1 and 1.2 understand alike; anything else is quoted.
Reloading gives the same object.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from nnctl.config.yaml12 import TAG, CoreLoader

#: A list is written in one line when it fits here and holds no mapping.
WIDTH = 88
#: A longer key needs YAML's `? key` form.
LONGEST_KEY = 100

PLAIN = re.compile(r"(?:\.{0,2}/)?[^\W\d]\w*(?:[-./ ]\w+)*")
#: One-letter booleans of YAML 1.1, which PyYAML itself does not resolve but other parsers do.
ONE_LETTER = frozenset("yYnN")
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
RESOLVERS = (CoreLoader(""), yaml.SafeLoader(""))


def dump_yaml(data: Any) -> str:
    """The YAML text of nested mappings, lists, text, numbers, booleans and None.

    Mappings keep their order; tuples are written as lists.

    Raises:
        TypeError: for any other kind of value.
    """
    return "".join(f"{line}\n" for line in _lines(data))


def _lines(data: Any) -> Iterator[str]:
    short = _inline(data)
    if short is not None:
        yield short
    elif isinstance(data, Mapping):
        for key, value in data.items():
            name = dump_scalar(key)
            if len(name) > LONGEST_KEY:
                yield f"? {name}"
                name = ""
            yield from _entry(f"{name}:", value)
    else:
        for value in data:
            yield from _entry("-", value)


def _entry(head: str, value: Any) -> Iterator[str]:
    """One entry of a block: its value beside its head, or below it and indented."""
    lines = _lines(value)
    if head == "-" or _inline(value) is not None:
        head = f"{head} {next(lines)}"
    yield head
    for line in lines:
        yield f"  {line}"


def _inline(data: Any) -> str | None:
    """The value in one line: scalars, empty containers, short lists."""
    if isinstance(data, Mapping):
        return None if data else "{}"
    if not _is_list(data):
        return dump_scalar(data)
    parts = [_inline(value) for value in data]
    if None in parts:
        return None
    text = f"[{', '.join(part for part in parts if part is not None)}]"
    return text if len(text) <= WIDTH or not data else None


def _is_list(data: Any) -> bool:
    return isinstance(data, Sequence) and not isinstance(data, str | bytes)


def dump_scalar(value: Any) -> str:
    """One value as YAML, on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _dump_float(value)
        case str():
            return value if _is_safe(value) else _quote(value)
    raise TypeError(f"{type(value).__name__} has no form in an experiment file")


def _dump_float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = repr(float(value))
    return text if "." in text else text.replace("e", ".0e")  # YAML 1.1 reads 1e-05 as text


def _is_safe(text: str) -> bool:
    """Whether the text means itself without quotes, in YAML 1.1 and 1.2."""
    return PLAIN.fullmatch(text) is not None and text not in ONE_LETTER and all(_is_text(text, r) for r in RESOLVERS)


def _is_text(scalar: str, resolver: yaml.resolver.Resolver) -> bool:
    tag: str = resolver.resolve(yaml.ScalarNode, scalar, (True, False))  # type: ignore[no-untyped-call]
    return tag == TAG + "str"


def _quote(text: str) -> str:
    return UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
