"""YAML written so that people can read it and every parser reads the same.

PyYAML writes it. Text that YAML 1.1 or 1.2 would take for something else is quoted, and lists that fit stand in one
line. Reloading gives the same object.
"""

import math
import re
from typing import Any, ClassVar, NoReturn

import yaml

from nnctl.config.yaml12 import CORE_SCHEMA, TAG

#: A list is written in one line when it fits here and holds no mapping.
WIDTH = 88
#: A longer key needs YAML's `? key` form.
LONGEST_KEY = 100

PLAIN = re.compile(r"(?:\.{0,2}/)?[^\W\d]\w*(?:[-./ ]\w+)*")


def dump_yaml(data: Any) -> str:
    """The YAML text of nested mappings, lists, text, numbers, booleans and None.

    Mappings keep their order; tuples are written as lists.

    Raises:
        TypeError: for any other kind of value.
    """
    return _dump(data, in_one_line=False)


def dump_line(data: Any) -> str:
    """The same in one line, without its end: `{a: 1, b: [x, y]}`.

    Raises:
        TypeError: for any other kind of value.
    """
    return _dump(data, in_one_line=True).rstrip("\n")


def _dump(data: Any, *, in_one_line: bool) -> str:
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        default_flow_style=in_one_line,
        sort_keys=False,
        allow_unicode=True,
        width=math.inf,
    )
    return text.removesuffix("...\n")  # what PyYAML ends a lone scalar with


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer with lists indented, no anchors, and text that both versions of YAML read as such."""

    default_flow_style: bool
    yaml_representers: ClassVar[dict[Any, Any]] = {
        kind: yaml.SafeDumper.yaml_representers[kind] for kind in (type(None), bool, int, float, dict)
    }

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def check_simple_key(self) -> bool:
        """Whether a key needs no `? key` form; no key spans lines, as odd ones are quoted."""
        return isinstance(self.event, yaml.ScalarEvent) and len(self.event.value) <= LONGEST_KEY

    def ignore_aliases(self, data: object) -> bool:
        return True

    def text(self, value: str) -> yaml.ScalarNode:
        """Plain where it is like a word and means itself, else quoted."""
        tag = self.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
        plain = tag == TAG + "str" and PLAIN.fullmatch(value)
        return self.represent_scalar(TAG + "str", value, None if plain else '"')

    def sequence(self, values: Any) -> yaml.SequenceNode:
        """In one line where it fits."""
        node = self.represent_sequence(TAG + "seq", values)
        node.flow_style = self.default_flow_style or _width(node) <= WIDTH
        return node

    def refuse(self, value: object) -> NoReturn:
        """Say that there is no such value in an experiment file."""
        raise TypeError(f"{type(value).__name__} has no form in an experiment file")


_Dumper.add_representer(str, _Dumper.text)
_Dumper.add_representer(list, _Dumper.sequence)
_Dumper.add_representer(tuple, _Dumper.sequence)
_Dumper.add_multi_representer(object, _Dumper.refuse)
for name, (pattern, first_characters) in CORE_SCHEMA.items():
    _Dumper.add_implicit_resolver(TAG + name, re.compile(rf"(?:{pattern})\Z"), first_characters)
#: One-letter booleans of YAML 1.1, which PyYAML itself does not resolve but other parsers do.
_Dumper.add_implicit_resolver(TAG + "bool", re.compile(r"[yYnN]\Z"), list("yYnN"))


def _width(node: yaml.Node) -> float:
    """The characters that a node takes in one line; a mapping with entries does not go there."""
    match node:
        case yaml.ScalarNode():
            return len(node.value) + (2 if node.style else 0)
        case yaml.SequenceNode():
            return 2 * max(1, len(node.value)) + sum(map(_width, node.value))
    return math.inf if node.value else 2
