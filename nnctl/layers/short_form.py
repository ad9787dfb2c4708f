"""How layers may be written short in the experiment file.

- `relu`, the name of an activation, is that activation as a layer; other names are layers without keys.
- `conv: 32`, the name of a layer and one value, gives its principal key that value. Further keys may
  stand beside it: `{conv: 32, kernel: 5, activation: relu}`. The first key that names a layer decides.
"""

from typing import Any, get_args

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from nnctl.activations import AnyActivation
from nnctl.spec import ShortForm

ACTIVATIONS = [member.model_fields["type"].default for member in get_args(get_args(AnyActivation)[0])]


class LayerForm(ShortForm):
    """The short forms of layers, read as their long ones.

    Attributes:
        aliases: shorter names, and the types they stand for.
        heads: every name that may head a short form, with the type and the key it stands for.
        names: what is accepted beside the types' own names.
    """

    def __init__(self, union: Any) -> None:
        kinds = {layer.model_fields["type"].default: layer for layer in get_args(union)}
        self.aliases = {layer.alias: kind for kind, layer in kinds.items() if layer.alias}
        named = [*((kind, kind) for kind in kinds), *self.aliases.items()]
        self.heads = {name: (kind, kinds[kind].principal) for name, kind in named if kinds[kind].principal}
        self.names = (*self.aliases, *ACTIVATIONS)

    def head(self, value: object) -> str | None:
        """The key of a mapping that makes it a short form."""
        if not isinstance(value, dict) or "type" in value:
            return None
        return next((key for key in value if key in self.heads), None)

    def expand(self, value: object) -> object:
        head = self.head(value)
        if isinstance(value, dict) and head is not None and self.heads[head][1] not in value:
            kind, principal = self.heads[head]
            return {"type": kind} | {principal if key == head else key: held for key, held in value.items()}
        if isinstance(value, str) and value in ACTIVATIONS:
            return {"type": "activation", "function": value}
        if isinstance(value, str):
            return {"type": self.aliases.get(value, value)}
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        either = super().__get_pydantic_json_schema__(schema, handler)
        # Filled in by config.schema, when every layer's definition is known.
        headed = {"$comment": "short forms", "heads": self.heads}
        return {"anyOf": [{"enum": list(self.names)}, *either["anyOf"], headed]}
