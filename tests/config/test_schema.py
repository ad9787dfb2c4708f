"""The published schema: complete, plain draft 2020-12, and of one mind with the validation."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from nnctl.config.experiment import Experiment
from nnctl.config.schema import json_schema, nodes
from nnctl.spec import Listed, Spec, type_short_form


class Ball(Spec):
    """A ball.

    More about it.
    """

    type: Literal["ball"] = "ball"
    radius: float = Field(1.0, gt=0, description="Half its width.")


class Box(Spec):
    """A box."""

    type: Literal["box"] = "box"
    sides: Annotated[tuple[int, ...], Listed] = Field(description="Its sides.", min_length=2)
    title: str | None = Field(None, pattern="^[a-z]+$", description="A key that is called as a keyword of schemas.")


class Toys(Spec):
    """Toys."""

    first: Annotated[Ball | Box, Field(discriminator="type"), type_short_form] = Field(description="The first.")
    count: Annotated[int, Field(ge=1)] | Literal["all"] = Field("all", description="How many.")
    new: bool = Field(True, description="Whether they are.")
    weights: dict[str, float] = Field({}, description="By name.")


def pointed_at(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    """What a `#/a/b` reference names; a KeyError if nothing is there."""
    node = root
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def accepts(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Whether a value satisfies a schema: the keywords that pydantic writes, by the specification's words."""
    if "$ref" in schema and not accepts(pointed_at(schema["$ref"], root), value, root):
        return False
    number = isinstance(value, int | float) and not isinstance(value, bool)
    types = {
        "object": isinstance(value, dict), "array": isinstance(value, list), "string": isinstance(value, str),
        "number": number, "integer": number and float(value).is_integer(), "boolean": isinstance(value, bool),
        "null": value is None,
    }  # fmt: skip
    checks: dict[str, Callable[[Any], bool]] = {
        "type": lambda kind: types[kind],
        "const": lambda constant: value == constant,
        "enum": lambda options: value in options,
        "anyOf": lambda options: any(accepts(option, value, root) for option in options),
        "oneOf": lambda options: sum(accepts(option, value, root) for option in options) == 1,
        "minimum": lambda bound: not number or value >= bound,
        "exclusiveMinimum": lambda bound: not number or value > bound,
        "maximum": lambda bound: not number or value <= bound,
        "exclusiveMaximum": lambda bound: not number or value < bound,
        "pattern": lambda pattern: not isinstance(value, str) or re.search(pattern, value) is not None,
        "minItems": lambda least: not isinstance(value, list) or len(value) >= least,
        "maxItems": lambda most: not isinstance(value, list) or len(value) <= most,
        "prefixItems": lambda items: (
            not isinstance(value, list)
            or all(accepts(item, entry, root) for item, entry in zip(items, value, strict=False))
        ),
        "items": lambda item: not isinstance(value, list) or all(accepts(item, entry, root) for entry in value),
        "required": lambda keys: not isinstance(value, dict) or all(key in value for key in keys),
        "properties": lambda keys: (
            not isinstance(value, dict) or all(accepts(keys[key], value[key], root) for key in keys if key in value)
        ),
        "additionalProperties": lambda other: (
            not isinstance(value, dict)
            or all(
                other is not False and accepts(other, entry, root)
                for key, entry in value.items()
                if key not in schema.get("properties", {})
            )
        ),
    }
    known = {*checks, "$ref", "$defs", "$schema", "$comment", "title", "description", "default"}
    assert set(schema) <= known, "a keyword this test does not know"
    return all(check(schema[keyword]) for keyword, check in checks.items() if keyword in schema)


VALUES = [
    {"first": "ball"}, {"first": {"type": "ball"}}, {"first": {"type": "ball", "radius": 2}},
    {"first": {"type": "box", "sides": [1, 2], "title": "a"}},
    {"first": {"type": "box", "sides": [1, 2], "title": None}},
    {"first": "ball", "count": 3}, {"first": "ball", "count": "all"}, {"first": "ball", "weights": {"a": 1.5, "b": 2}},
    {}, [], {"first": "bal"}, {"first": {"radius": 2}}, {"first": {"type": "ball", "sides": [1, 2]}},
    {"first": {"type": "box"}},
    {"first": {"type": "box", "sides": [1]}}, {"first": {"type": "box", "sides": [1, "2"]}}, {"first": None},
    {"first": {"type": "box", "sides": [1, 2], "title": "A"}}, {"first": {"type": "ball", "radius": 0}},
    {"first": "ball", "count": 0}, {"first": "ball", "count": "al"}, {"first": "ball", "count": True},
    {"first": "ball", "new": "yes"}, {"first": "ball", "new": 1}, {"first": "ball", "weights": {"a": "b"}},
    {"first": "ball", "frist": 1}, {"first": "ball", "count": 1.5},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=map(str, VALUES))
def test_accepts_what_validation_accepts(value: Sequence[Any] | dict[str, Any]) -> None:
    schema = json_schema(Toys)
    try:
        Toys.model_validate(value)
        valid = True
    except ValidationError:
        valid = False
    assert accepts(schema, value, schema) is valid


def test_says_only_what_helps() -> None:
    schema = json_schema(Toys)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["Ball"]["description"] == "A ball."
    assert "title" in schema["$defs"]["Box"]["properties"], "a key named as a keyword is left alone"
    assert not any("title" in node or "discriminator" in node for node in nodes(schema["$defs"]))
    assert "$id" not in schema


def test_every_key_of_the_experiment_is_described() -> None:
    schema = json_schema(Experiment)
    bare = [
        f"{definition.get('description', 'the root')}: {key}"
        for definition in (schema, *schema["$defs"].values())
        for key, prop in definition.get("properties", {}).items()
        if not prop.get("description")
    ]
    assert bare == []
    assert all(pointed_at(node["$ref"], schema) for node in nodes(schema) if "$ref" in node)
    assert not any(
        isinstance(node.get("default"), float) and not math.isfinite(node["default"]) for node in nodes(schema)
    )
