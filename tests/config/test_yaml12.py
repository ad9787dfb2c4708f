"""The 1.2 core schema, places of values, and errors in plain words."""

import math

import pytest

from nnctl.config.yaml12 import parse
from nnctl.errors import ConfigError

SCALARS = {  # from the tables of the YAML 1.2 specification, 10.3.2, and where 1.1 surprises
    "1e-3": 1e-3, "1.5e3": 1500.0, "1E5": 1e5, ".5": 0.5, "5.": 5.0, "-.5e-1": -0.05, "+12.3": 12.3,
    "-.inf": -math.inf, ".INF": math.inf,
    "0": 0, "-19": -19, "+7": 7, "012": 12, "0o17": 15, "0x3A": 58, "0b11": "0b11", "1_000": "1_000", "0.1_0": "0.1_0",
    "true": True, "True": True, "FALSE": False, "yes": "yes", "no": "no", "on": "on", "Off": "Off", "y": "y", "n": "n",
    "null": None, "~": None, "": None, "Null": None, "NULL": None, "nil": "nil",
    "2001-12-14": "2001-12-14", "1:30": "1:30", "190:20:30": "190:20:30", "12e03": 12000.0, "e3": "e3",
    "1e": "1e", ".": ".", "685230.15": 685230.15,
    "'1'": "1", '"true"': "true", "=": "=", "!!str 5": "5", "!!float 5": 5.0,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars_follow_the_core_schema(text: str, value: float | str | None) -> None:
    read = parse(f"key: {text}", "f").data["key"]
    assert (read, type(read)) == (value, type(value))


def test_not_a_number() -> None:
    assert math.isnan(parse(".nan", "f").data)


def test_places_of_every_key_path() -> None:
    document = parse("a: 1\nb:\n  c: [x,\n      y]\n  d: {e: 2}\n", "f")
    assert {path: (place.line, place.column) for path, place in document.places.items()} == {
        (): (1, 1), ("a",): (1, 1), ("b",): (2, 1), ("b", "c"): (3, 3), ("b", "c", "0"): (3, 7),
        ("b", "c", "1"): (4, 7),
        ("b", "d"): (5, 3), ("b", "d", "e"): (5, 7),
    }  # fmt: skip
    assert str(document.place(("b", "d", "unknown"))) == "f:5"


def test_aliases_and_merge_keys() -> None:
    text = "base: &base {x: 1, y: [2]}\nother: {<<: *base, x: 3}\nthird: {<<: [{z: 0, x: 9}, *base], w: *base}\n"
    data = parse(text, "f").data
    assert data["other"] == {"x": 3, "y": [2]}
    assert data["third"] == {"z": 0, "x": 9, "y": [2], "w": {"x": 1, "y": [2]}}
    data["other"]["y"].append(9)
    assert data["base"]["y"] == [2], "an alias is a copy, so an override changes one place only"


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 9)
)

REFUSED = {
    "a: 1\nb: 2\na: 3": (3, "`a` is given twice, first in line 1"),
    "a: {x: 1, x: 2}": (1, "`x` is given twice"),
    "a:\n\tb: 1": (2, "a tab; YAML indents with spaces"),
    "a: @b": (1, "a value cannot start with `@`"),
    "a: b: c": (1, "found a `:` where no key can be"),
    "a: 1\n  b: 2": (2, "align this line"),
    "a:\n  - 1\n - 2": (3, "the indentation does not fit"),
    "a:\n    b: 1\n  c: 2": (3, "the indentation does not fit"),
    "a: 1\nb\nc: 2": (3, "not `key: value`"),
    "a: [1, 2\nb: 3": (2, "no closing `]`"),
    "a: {b: 1\nc: 3": (2, "no closing `}`"),
    'a: "b': (1, "no closing one"),
    "a: 'b\nc: 1": (2, "no closing one"),
    'a: "C:\\data"': (1, "use single quotes"),
    "a: *b": (1, "refers to `&b`"),
    "a: 1\n---\nb: 2": (2, "a second document"),
    "a: !!python/object:os.system x": (1, "the tag `!!python/object:os.system`"),
    "a: !mine {x: 1}": (1, "the tag `!mine`"),
    "a: !!int x": (1, "cannot be read as int"),
    "a: !!bool x": (1, "cannot be read as bool"),
    "[1]: 2": (1, "cannot be a key"),
    "~: 2": (1, "no key before"),
    "a: &a [*a]": (1, "stands inside what it refers to"),
    "a: &a {<<: *a}": (0, "nested hundreds deep"),
    "<<: 3": (1, "`<<` takes a mapping"),
    "a: b\x07c": (1, "which no text file holds"),
    "a: " + "[" * 5000: (0, "nested hundreds deep"),
    "a: " + "9" * 5000: (1, "cannot be read as int"),
    BOMB: (None, "200,000 values"),
    MERGE_BOMB: (None, "written elsewhere"),
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_refused_in_plain_words(text: str) -> None:
    line, words = REFUSED[text]
    with pytest.raises(ConfigError) as caught:
        parse(text, "f.yaml")
    message = str(caught.value)
    assert words in message
    if line is not None:
        assert message.startswith(f"f.yaml:{line}: " if line else "f.yaml: ")
