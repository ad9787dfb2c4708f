"""YAML read by the rules of version 1.2, with the place of every value.

PyYAML scans and parses; what its scalars mean is decided here, by the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/, section 10.3.2): `1e-3` is a number, `no` is text, `0o17` is 15 and `012` is
12. It differs from PyYAML, which follows 1.1, in this, and in that a key given twice is an error. Merge keys
(`<<`) are kept from 1.1, because people use them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, NoReturn

import yaml

from nnctl.errors import ConfigError

#: Values a file may hold once its aliases are written out; beyond it lies a mistake or an attack.
MOST_VALUES = 200_000

Path = tuple[str, ...]


class Place(NamedTuple):
    """Where something was written: a file's line and column, or a command-line option (line 0)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass
class Document:
    """What a text says, and where it says it."""

    data: Any
    places: dict[Path, Place]

    def place(self, path: Path) -> Place:
        """Where a key path was written, or else the mapping or list it would belong to."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]


TAG = "tag:yaml.org,2002:"
CORE_SCHEMA = {
    "null": (r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": (r"<<", ["<"]),
}


READ: dict[str, Callable[[str], Any]] = {
    "str": str,
    "merge": str,
    "null": lambda _: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": lambda text: int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)),
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
}


class CoreLoader(yaml.SafeLoader):
    """PyYAML's parser with the scalars of the 1.2 core schema."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]


for name, (pattern, first_characters) in CORE_SCHEMA.items():
    CoreLoader.add_implicit_resolver(TAG + name, re.compile(rf"(?:{pattern})\Z"), first_characters)


def parse(text: str, source: str, *, lines: bool = True) -> Document:
    """The data of a YAML text; places name the source, and its lines unless it is a single one.

    Raises:
        ConfigError: in plain words with the line, where the text is not YAML or not data.
    """
    builder = _Builder(source, lines)
    try:
        node = CoreLoader(text).get_single_node()
        data = None if node is None else builder.build(node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"found the character {error.character!r}, which no text file holds; delete it"
        raise ConfigError(f"{builder.at(line)}: {message}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{builder.at(mark.line + 1 if mark else 0)}: {_in_plain_words(error)}") from None
    except RecursionError:
        raise ConfigError(f"{source}: lists and mappings are nested hundreds deep; write it flatter") from None
    builder.places.setdefault((), builder.at(1))
    return Document(data, builder.places)


class _Builder:
    """Turns PyYAML's nodes into data, writing aliases out."""

    def __init__(self, source: str, lines: bool) -> None:
        self.source = source
        self.lines = lines
        self.places: dict[Path, Place] = {}
        self.count = 0
        self.open: set[int] = set()

    def build(self, node: yaml.Node, path: Path) -> Any:
        self.places.setdefault(path, self.place(node))
        self.count += 1
        if self.count > MOST_VALUES:
            self.fail(node, f"holds more than {MOST_VALUES:,} values once its aliases (`*name`) are written out")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self.open:
            self.fail(node, "an alias (`*name`) stands inside what it refers to; write the values out")
        self.open.add(id(node))
        try:
            if node.tag not in (TAG + "seq", TAG + "map"):
                self.refuse_tag(node)
            if isinstance(node, yaml.SequenceNode):
                return [self.build(child, (*path, str(i))) for i, child in enumerate(node.value)]
            return self.mapping(node, path)
        finally:
            self.open.remove(id(node))

    def mapping(self, node: yaml.Node, path: Path) -> dict[Any, Any]:
        result = {}
        for key, (key_node, value_node) in self.pairs(node).items():
            below = (*path, str(key))
            self.places[below] = self.place(key_node)
            result[key] = self.build(value_node, below)
        return result

    def pairs(self, node: yaml.Node) -> dict[Any, tuple[yaml.Node, yaml.Node]]:
        """The key and value nodes by key; what `<<` merges in gives way to what is written."""
        merged: dict[Any, tuple[yaml.Node, yaml.Node]] = {}
        own: dict[Any, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, value_node in node.value:
            if key_node.tag == TAG + "merge":
                for source in self.merge_sources(value_node):
                    merged = {**self.pairs(source), **merged}
                continue
            key = self.key(key_node)
            if key in own:
                first = self.place(own[key][0]).line
                self.fail(key_node, f"`{key}` is given twice, first in line {first}; keep one of them")
            own[key] = (key_node, value_node)
        return {**merged, **own}

    def merge_sources(self, node: yaml.Node) -> Iterator[yaml.Node]:
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            self.count += 1
            if not isinstance(source, yaml.MappingNode) or self.count > MOST_VALUES:
                self.fail(node, "`<<` takes a mapping, or a list of mappings, written elsewhere with `&name`")
            yield source

    def key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            self.fail(node, "a list or mapping cannot be a key; a text that starts with `[` or `{` needs quotes")
        key = self.scalar(node)
        if key is None:
            self.fail(node, "found no key before the `:`; write `key: value`")
        return key

    def scalar(self, node: yaml.ScalarNode) -> Any:
        if any("\ud800" <= character <= "\udfff" for character in node.value):
            self.fail(node, "half of a character: an escape from \\ud800 to \\udfff; write the character itself")
        kind, text = node.tag.removeprefix(TAG), node.value
        if kind not in READ:
            self.refuse_tag(node)
        try:
            return READ[kind](text)
        except (ValueError, KeyError):
            self.fail(node, f"found {text[:40]!r}, which cannot be read as {kind}")

    def refuse_tag(self, node: yaml.Node) -> NoReturn:
        self.fail(node, f"found the tag `{node.tag.replace(TAG, '!!')}`; leave it out, values are read as they are")

    def place(self, node: yaml.Node) -> Place:
        return self.at(node.start_mark.line + 1, node.start_mark.column + 1)

    def at(self, line: int, column: int = 1) -> Place:
        return Place(self.source, line, column) if self.lines else Place(self.source)

    def fail(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigError(f"{self.place(node)}: {message}")


#: What PyYAML says (problem, after its context), and what to tell people instead.
PLAIN_WORDS = {
    r"found character '\\t'": "found a tab; YAML indents with spaces, so write spaces instead",
    r"found character '(.+?)' that cannot start": r"a value cannot start with `\1`; put it in quotes",
    r"mapping values are not allowed": "found a `:` where no key can be; align this line with the keys around it, or "
    "put a text that contains `: ` in quotes",
    r"block (mapping|collection|sequence).*expected <block end>": "the indentation does not fit the lines above; "
    "entries that belong together start in the same column",
    r"could not find expected ':'": "found a line that is not `key: value`; a key needs a `:` and a space after it",
    r"flow sequence.*expected ',' or '\]'": "a list opened with `[` has no closing `]`, or lacks a comma",
    r"flow mapping.*expected ',' or '\}'": "a mapping opened with `{` has no closing `}`, or lacks a comma",
    r"quoted scalar.*unexpected end": "a text opened with a quotation mark has no closing one",
    r"unknown escape character '(.+)'": r"`\\\1` means nothing in double quotes; use single quotes",
    r"undefined alias '?([^']+)'?": r"`*\1` refers to `&\1`, which is not there",
    r"duplicate anchor": "the anchor (`&name`) is used twice; give each its own name",
    r"expected a single document": "a second document starts here; the file may hold one, so delete the `---`",
    r"expected the node content": "found a sign where a value has to be; put the value in quotes",
    r"expected alphabetic or numeric": "`&` and `*` start the name of an anchor; put the text in quotes",
}


def _in_plain_words(error: yaml.MarkedYAMLError) -> str:
    said = f"{error.context or ''} {error.problem or ''}"
    for pattern, words in PLAIN_WORDS.items():
        match = re.search(pattern, said, re.DOTALL)
        if match:
            return match.expand(words)
    return f"this is not YAML: {said.strip()}"
