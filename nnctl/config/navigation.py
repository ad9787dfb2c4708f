"""Finding one's way in the types of the experiment file: which `Spec` stands at a key path."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from nnctl.layers.short_form import LayerForm
from nnctl.spec import Spec


def child(data: Any, step: str) -> Any:
    """The entry of a mapping or list that a step of a key path names; None if there is none."""
    if isinstance(data, Mapping):
        return next((value for key, value in data.items() if str(key) == step), None)
    if isinstance(data, list) and step.isdecimal() and int(step) < len(data):
        return data[int(step)]
    return None


def annotation_at(root: type[Spec], data: Any, path: Sequence[str]) -> Any:
    """The type at a key path, where the data says which member of a union is meant; None off the map."""
    annotation: Any = root
    for step in path:
        annotation, data = annotation_of(annotation, data, step), child(data, step)
    return annotation


def spec_at(root: type[Spec], data: Any, path: Sequence[str]) -> type[Spec] | None:
    """The `Spec` at a key path, if one stands there."""
    annotation = annotation_at(root, data, path)
    for step in path:
        data = child(data, step)
    return choose(list(specs(annotation)), data)


def specs(annotation: Any) -> Iterator[type[Spec]]:
    """The `Spec` classes a value of this type may be."""
    return (kind for kind in alternatives(annotation) if isinstance(kind, type) and issubclass(kind, Spec))


def names(annotation: Any) -> list[str]:
    """The values of `type` in a union, and the short names that stand for some."""
    types = [kind.model_fields["type"].default for kind in specs(annotation) if "type" in kind.model_fields]
    form = short_form(annotation)
    return list(dict.fromkeys([*types, *(form.names if form else ())]))


def short_form(annotation: Any) -> LayerForm | None:
    """How layers may be written short, where the type is theirs."""
    return next((extra for extra in getattr(annotation, "__metadata__", ()) if isinstance(extra, LayerForm)), None)


def alternatives(annotation: Any) -> Iterator[Any]:
    """The members of a union, `Annotated` and named aliases taken off."""
    annotation = getattr(annotation, "__value__", annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from alternatives(member)
    else:
        yield annotation


def choose(members: list[type[Spec]], data: Any) -> type[Spec] | None:
    """The member of a union that the data means: by `type`, or else by the keys it shares."""
    tag = data if isinstance(data, str) else child(data, "type")
    for member in members:
        if "type" in member.model_fields and member.model_fields["type"].default == tag:
            return member
    keys = set(data) if isinstance(data, Mapping) else set()
    return max(members, key=lambda member: len(keys & set(member.model_fields)), default=None)


def annotation_of(annotation: Any, data: Any, step: str) -> Any:
    """The type of one entry of a mapping or list."""
    for kind in alternatives(annotation):
        arguments, origin = get_args(kind), get_origin(kind)
        if origin in (list, tuple) and step.isdecimal():
            return arguments[0]
        if isinstance(origin, type) and issubclass(origin, Mapping):  # the origin of `Literal["a"]` is no class
            return arguments[1]
    spec = choose(list(specs(annotation)), data)
    field = spec.model_fields.get(step) if spec else None
    return field.annotation if field else None
