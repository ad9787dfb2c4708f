"""Unions told apart by `type`, against pydantic's own discriminator."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from nnctl.spec import ByType, Listed, ShortForm, Spec


class Ball(Spec):
    type: Literal["ball"] = "ball"
    radius: float = Field(1.0, gt=0)


class Box(Spec):
    type: Literal["box"] = "box"
    sides: Annotated[tuple[int, ...], Listed] = (1, 1)


PLAIN = TypeAdapter(Annotated[Ball | Box, Field(discriminator="type")])
BY_TYPE = TypeAdapter(Annotated[Ball | Box, ByType()])
SHORT = TypeAdapter(Annotated[Ball | Box, ShortForm()])


def outcome(union: TypeAdapter[Any], value: Any) -> Any:
    """The value, or what is wrong and where, without the tag that pydantic's discriminator adds to the place."""
    try:
        return union.validate_python(value)
    except ValidationError as error:
        return [
            (e["type"], e["msg"], tuple(step for step in e["loc"] if step not in ("ball", "box")))
            for e in error.errors(include_url=False)
        ]


VALUES = [
    {"type": "ball"},
    {"type": "box", "sides": [1, 2]},
    {"type": "box", "sides": [1, "2"], "radius": 1.0},
    {"type": "ball", "radius": 0},
    {"type": "bal"},
    {"type": None},
    {"radius": 1.0},
    {},
    [],
    3,
    None,
    "ball",
    Ball(radius=2.0),
]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_what_is_valid_and_what_is_said(value: Any) -> None:
    assert outcome(BY_TYPE, value) == outcome(PLAIN, value)
    if isinstance(value, dict):
        assert outcome(SHORT, value) == outcome(PLAIN, value)


def test_names_alone() -> None:
    assert SHORT.validate_python("ball") == Ball()
    assert outcome(SHORT, "bal") == outcome(PLAIN, {"type": "bal"})


def test_written_and_described_alike() -> None:
    assert BY_TYPE.dump_json(Box(sides=(2, 3))) == PLAIN.dump_json(Box(sides=(2, 3)))
    assert BY_TYPE.json_schema() == PLAIN.json_schema()


def test_only_members_that_are_met_are_built() -> None:
    class Met(Spec):
        type: Literal["met"] = "met"

    class Unmet(Spec):
        type: Literal["unmet"] = "unmet"

    TypeAdapter(Annotated[Met | Unmet, ByType()]).validate_python({"type": "met"})
    assert (Met.__pydantic_complete__, Unmet.__pydantic_complete__) == (True, False)
