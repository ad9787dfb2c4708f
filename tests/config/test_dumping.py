"""What is written reads back as itself, by the 1.2 reader and by a 1.1 one."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnctl.config.dumping import dump_line, dump_yaml
from nnctl.config.yaml12 import parse

TRAPS = st.sampled_from(
    [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "true",
        "null",
        "~",
        ".inf",
        ".nan",
        "1e3",
        "1e-05",
        "012",
        "0o7",
        "0x1F",
        "1_0",
        "1:30",
        "2001-01-01",
        "=",
        "<<",
        "-",
        "?",
        ":",
        "#",
        "@",
        "`",
        "%",
        "&",
        "*",
        "!",
        "|",
        ">",
        "[",
        "{",
        "",
        " ",
        " a",
        "a ",
        "a: b",
        "a #b",
        "- a",
        "--- a",
        "\n",
        "\t",
        "é",
        "\x85",
        "\u2028",
        "\ufeff",
        "😀",
        "'",
        '"',
        "../x",
    ]
)
TEXT = TRAPS | st.text(max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
KEYS = TEXT | st.integers() | st.text(min_size=90, max_size=200)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


def typed(data: Any) -> Sequence[str | Sequence[Any]]:
    """Values with their types, so that 1 and 1.0 and True differ, and -0.0 and 0.0 do."""
    match data:
        case dict():
            return [(typed(key), typed(value)) for key, value in data.items()]
        case list():
            return [typed(value) for value in data]
    return (type(data).__name__, repr(data))


@given(DATA)
def test_reads_back_as_itself(data: float | Sequence[Any] | dict[Any, Any] | None) -> None:
    text = dump_yaml(data)
    assert typed(parse(text, "f").data) == typed(data)
    assert dump_yaml(parse(text, "f").data) == text
    assert typed(yaml.safe_load(text)) == typed(data), "a YAML 1.1 reader sees the same"


@given(DATA)
def test_fits_on_one_line(data: Any) -> None:
    text = dump_line(data)
    assert "\n" not in text
    assert typed(parse(text, "f").data) == typed(data)
    assert typed(yaml.safe_load(text)) == typed(data)


def test_looks_like_what_people_write() -> None:
    data = {
        "name": "digits-mlp",
        "data": {"source": {"type": "csv", "path": "../datasets/digits.csv"}, "target": "no", "features": None},
        "model": {"hidden": (64, 32), "layers": [{"type": "dense", "units": 4, "init": {"scale": 0.5}}, "relu", []]},
        "optimizer": {"learning_rate": 1e-05, "betas": [0.9, 0.999]},
        "metrics": ["accuracy", "macro_f1"],
        "schedule": {},
        "columns": [f"column number {i}" for i in range(6)],
        "limit": math.inf,
    }
    assert (
        dump_yaml(data)
        == """\
name: digits-mlp
data:
  source:
    type: csv
    path: ../datasets/digits.csv
  target: "no"
  features: null
model:
  hidden: [64, 32]
  layers:
    - type: dense
      units: 4
      init:
        scale: 0.5
    - relu
    - []
optimizer:
  learning_rate: 1.0e-05
  betas: [0.9, 0.999]
metrics: [accuracy, macro_f1]
schedule: {}
columns:
  - column number 0
  - column number 1
  - column number 2
  - column number 3
  - column number 4
  - column number 5
limit: .inf
"""
    )


def test_keys_of_any_length() -> None:
    for data in ({"k" * 2000: 1}, {"k" * 2000: {"a": [{"b" * 101: None}]}}):
        assert parse(dump_yaml(data), "f").data == yaml.safe_load(dump_yaml(data)) == data


def test_tuples_are_lists_and_other_things_have_no_form() -> None:
    assert parse(dump_yaml({"a": (1, (2,))}), "f").data == {"a": [1, [2]]}
    for other in ({1}, b"1", date(2001, 1, 1), object):
        with pytest.raises(TypeError, match="has no form in an experiment file"):
            dump_yaml({"a": [other]})
