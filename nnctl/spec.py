"""Frozen, validated settings: the base of everything an experiment file can say."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Spec(BaseModel):
    """A frozen value built from the experiment file; unknown keys and wrong types are errors.

    Validation is strict (`true` is not a number, `"3"` is not an integer), so that what the user
    wrote is what is used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ShortForm:
    """Lets a member of a `type:` union be written as its bare name.

    `optimizer: adam` is read as `optimizer: {type: adam}`. Put it last in the `Annotated` of a
    discriminated union, so that it runs first.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        long = handler(schema)
        members = handler.resolve_ref_schema(long)
        names = list(members.get("discriminator", {}).get("mapping", {}))
        return {"anyOf": [{"enum": names}, long]}

    @staticmethod
    def expand(value: object) -> object:
        return {"type": value} if isinstance(value, str) else value


#: A tuple field, written as a list in YAML (strict validation would demand a tuple).
Listed = Field(strict=False)

type_short_form = ShortForm()

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name closest to a mistyped one, if any is close."""
    matches = get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return matches[0] if matches else None
