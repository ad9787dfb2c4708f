"""Frozen, validated settings: the base of everything an experiment file can say."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic_core import CoreSchema, PydanticKnownError, core_schema


class Spec(BaseModel):
    """A frozen value built from the experiment file; unknown keys and wrong types are errors.

    Validation is strict (`true` is not a number, `"3"` is not an integer), so that what the user
    wrote is what is used. Validators are built when a class is first used: of all layers, losses and so on an
    experiment uses a few.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class Reticent(Spec):
    """Settings of which some are written down only where they differ from their defaults.

    They belong to uses that most experiments make nothing of, such as several inputs and outputs.
    """

    unsaid: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _what_is_used(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        default = {key for key in self.unsaid if getattr(self, key) == type(self).model_fields[key].default}
        return {key: value for key, value in serialize(self).items() if key not in default}


class ByType:
    """Tells the members of a union apart by their `type`; put it last in the union's `Annotated`.

    Does what pydantic's own discriminator does, but builds no validator of a member before one is met.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        members = {member.model_fields["type"].default: member for member in get_args(source)}
        return core_schema.no_info_plain_validator_function(
            partial(self.validated, members), metadata={"members": members, "under_way": False}
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        union = schema["metadata"]
        for member in union["members"].values():
            member.model_rebuild()
        choices: dict[str, Any] = {name: member.__pydantic_core_schema__ for name, member in union["members"].items()}
        if union["under_way"]:  # a member holds values of this union, as blocks of layers do
            choices = {n: core_schema.definition_reference_schema(choice["ref"]) for n, choice in choices.items()}
            return handler(core_schema.tagged_union_schema(choices, "type"))
        union["under_way"] = True
        described = handler(core_schema.tagged_union_schema(choices, "type"))
        union["under_way"] = False
        return described

    def validated(self, members: Mapping[str, type[Spec]], value: object) -> object:
        """The value as the member it says it is.

        Raises:
            PydanticKnownError: where it says none, in the words of pydantic's discriminator.
        """
        value = self.expand(value)
        if isinstance(value, tuple(members.values())):
            return value
        if not isinstance(value, Mapping):
            raise PydanticKnownError("model_attributes_type")
        if "type" not in value:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": "'type'"})
        for name, member in members.items():
            if value["type"] == name:
                return member.model_validate(value)
        context = {"discriminator": "'type'", "tag": str(value["type"]), "expected_tags": ", ".join(map(repr, members))}
        raise PydanticKnownError("union_tag_invalid", context)

    def expand(self, value: object) -> object:
        """The value written in full."""
        return value


class ShortForm(ByType):
    """Lets a member of a `type:` union be written as its bare name: `optimizer: adam` is `optimizer: {type: adam}`."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        long = super().__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [{"enum": list(long["discriminator"]["mapping"])}, long]}

    def expand(self, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value


#: A tuple field, written as a list in YAML (strict validation would demand a tuple).
Listed = Field(strict=False)

type_short_form = ShortForm()

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
