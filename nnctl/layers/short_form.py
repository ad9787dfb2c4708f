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
#: A shorter name, and the type it stands for.
ALIASES = {
    "conv": "conv2d",
    "conv_transpose": "conv_transpose2d",
    "max_pool": "max_pool2d",
    "average_pool": "average_pool2d",
}
#: The principal key of each type: the value of `- TYPE: VALUE`.
PRINCIPAL = {
    "dense": "units",
    "activation": "function",
    "prelu": "slope",
    "dropout": "rate",
    "gaussian_noise": "deviation",
    "group_normalization": "groups",
    "conv1d": "filters",
    "conv2d": "filters",
    "conv_transpose1d": "filters",
    "conv_transpose2d": "filters",
    "max_pool1d": "size",
    "max_pool2d": "size",
    "average_pool1d": "size",
    "average_pool2d": "size",
    "upsample": "factor",
    "reshape": "shape",
    "residual": "layers",
    "parallel": "branches",
}
#: Every name that may head a short form, with the type and the key it stands for.
HEADS = {name: (kind, PRINCIPAL[kind]) for name, kind in [*zip(PRINCIPAL, PRINCIPAL, strict=True), *ALIASES.items()]}


class LayerForm(ShortForm):
    """The short forms of layers, read as their long ones."""

    #: Names that are accepted beside the types' own.
    names = (*ALIASES, *ACTIVATIONS)

    @staticmethod
    def head(value: object) -> str | None:
        """The key of a mapping that makes it a short form."""
        if not isinstance(value, dict) or "type" in value:
            return None
        return next((key for key in value if key in HEADS), None)

    @staticmethod
    def expand(value: object) -> object:
        head = LayerForm.head(value)
        if isinstance(value, dict) and head is not None and HEADS[head][1] not in value:
            kind, principal = HEADS[head]
            return {"type": kind} | {principal if key == head else key: held for key, held in value.items()}
        if isinstance(value, str) and value in ACTIVATIONS:
            return {"type": "activation", "function": value}
        if isinstance(value, str):
            return {"type": ALIASES.get(value, value)}
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        either = super().__get_pydantic_json_schema__(schema, handler)
        # Filled in by config.schema, when every layer's definition is known.
        return {"anyOf": [{"enum": list(self.names)}, *either["anyOf"], {"$comment": "short forms", "heads": HEADS}]}
