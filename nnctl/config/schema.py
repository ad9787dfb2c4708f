"""JSON Schema (draft 2020-12) of the experiment file, from the same classes that validate it."""

from collections.abc import Iterator
from typing import Any

from nnctl.spec import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(root: type[Spec]) -> dict[str, Any]:
    """The schema that editors complete and check with: every key described, short forms included.

    Of a class's docstring the first line is its description; the rest is on the reference pages.
    """
    schema = full_schema(root)
    for definition in schema.get("$defs", {}).values():
        definition["description"] = definition.get("description", "").partition("\n")[0]
    return {
        "$schema": DIALECT,
        "title": "nnctl experiment",
        "description": schema.pop("description", "").partition("\n")[0],
        **schema,
    }


def full_schema(root: type[Spec]) -> dict[str, Any]:
    """Pydantic's schema without what only repeats the key's name, and with `type` where it is required."""
    schema = root.model_json_schema()
    for node in nodes(schema):
        node.pop("title", None)
        members = node.pop("discriminator", {}).get("mapping", {})
        for option in node.get("anyOf", []):
            if "heads" in option:
                option["anyOf"] = list(_short_forms(option.pop("heads"), node["anyOf"], schema["$defs"]))
        for reference in members.values():
            definition = schema["$defs"][name_of(reference)]
            definition["required"] = list(dict.fromkeys(["type", *definition.get("required", [])]))
            definition["properties"]["type"].setdefault("description", "Which one this is.")
            definition["properties"]["type"].pop("default", None)
    return schema


def _short_forms(
    heads: dict[str, tuple[str, str]], options: list[dict[str, Any]], definitions: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Mappings that one key heads, `{conv: 32, kernel: 5}`: the principal key stands under that name."""
    members = [name_of(member["$ref"]) for option in options for member in option.get("oneOf", [])]
    names = {definitions[name]["properties"]["type"]["const"]: name for name in members}
    for head, (kind, principal) in heads.items():
        keys = [key for key in definitions[names[kind]]["properties"] if key != "type"]
        properties = {
            head if key == principal else key: {"$ref": f"#/$defs/{names[kind]}/properties/{key}"} for key in keys
        }
        yield {"type": "object", "properties": properties, "required": [head], "additionalProperties": False}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every subschema, from the root down; not the mapping of properties, nor values that are data."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item)
    elif isinstance(schema, dict):
        yield schema
        for keyword, value in list(schema.items()):
            if keyword in ("properties", "$defs"):
                for child in value.values():
                    yield from nodes(child)
            elif keyword not in ("default", "const", "enum", "examples", "discriminator", "required"):
                yield from nodes(value)


def name_of(reference: str) -> str:
    """The definition a `$ref` names."""
    return reference.rpartition("/")[2]
