"""What is wrong with a layer that is none, where its short form is the reason."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from nnctl.activations import AnyActivation
from nnctl.config.dumping import dump_line
from nnctl.config.navigation import specs
from nnctl.layers.short_form import ACTIVATIONS, LayerForm
from nnctl.names import nearest
from nnctl.spec import Spec


def layer_mistake(value: Any, form: LayerForm, layers: Sequence[type[Spec]]) -> str | None:
    """What to write instead of a mapping that is no layer; None where it says too little.

    `layers` are the members of the union, `form` how they may be written short.
    """
    if not isinstance(value, Mapping):
        return None
    kinds = {kind.model_fields["type"].default: kind for kind in layers}
    if "type" in value:
        return _wrong_type(value, form, kinds)
    head = form.head(value)
    if head is not None:  # not expanded, so its principal key is there too
        principal = form.heads[head][1]
        return f"`{principal}` is given twice, by `{head}:` and by `{principal}:`; leave one of the two out"
    functions = {kind.model_fields["type"].default: kind for kind in specs(AnyActivation)}
    for key, given in value.items():
        if key in kinds:
            return _takes_no_value(key, given, kinds[key], "- {}")
        if key in functions:
            return _takes_no_value(key, given, functions[key], "- activation: {}")
    settings = {key for kind in kinds.values() for key in kind.model_fields}
    for key in (key for key in value if key not in settings):
        close = nearest(str(key), [*kinds, *form.names])
        if close is not None:
            return f"found the key `{key}`, which is no layer; did you mean `{close}`?"
    return None


def _wrong_type(value: Mapping[Any, Any], form: LayerForm, kinds: Mapping[str, type[Spec]]) -> str | None:
    """What `type` should be, where its value is near a layer, or an activation, or a name of the short forms."""
    tag = str(value["type"])
    close = nearest(tag, [*kinds, *form.names])
    if close in ACTIVATIONS:
        rest = {key: held for key, held in value.items() if key not in ("type", "name")}
        written = f"- activation: {dump_line({'type': close, **rest})}" if rest else f"- {close}"
        return f'found the text "{tag}"; activations are written `{written}`'
    return None if close is None else f'found the text "{tag}"; did you mean `{form.aliases.get(close, close)}`?'


def _takes_no_value(name: str, given: Any, kind: type[Spec], written: str) -> str:
    """For `batch_normalization: 0.9`: the form with keys, by the first key that this value suits."""
    says = f"`{name}` takes no value of its own; write `- {name}`"
    keys = [key for key in (*kind.__annotations__, *kind.model_fields) if key in kind.model_fields]
    keys = [key for key in dict.fromkeys(keys) if key not in ("type", "name")]  # its own before those of its bases
    for form in [given] if isinstance(given, Mapping) else [{key: given} for key in keys if given is not None]:
        try:
            kind.model_validate({**form, "type": name})
        except (ValidationError, TypeError):
            continue
        return f"{says}, or with keys `{written.format(dump_line({'type': name, **form}))}`"
    return says
