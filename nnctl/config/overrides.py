"""`--set key.path=value`: settings on the command line, which beat the file."""

from collections.abc import Mapping
from typing import Any

from nnctl.config.navigation import annotation_at, choose, specs
from nnctl.config.yaml12 import Document, Path, Place, parse
from nnctl.errors import ConfigError
from nnctl.spec import Spec


def apply(document: Document, override: str, root: type[Spec]) -> None:
    """Write one override into a document, in place.

    The value is YAML; lists are entered by index; a short form on the way (`optimizer: adam`) is spelled
    out, and a mapping that is not there is made, starting from its default. Whether the keys exist is left
    to validation, which names the override.

    Raises:
        ConfigError: without a `=`, for an index a list does not have, below a value that has no keys.
    """
    key, equals, text = override.partition("=")
    place = Place(f"--set {override}")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"{place}: found no key and value; write --set key.path=value")
    path: Path = tuple(key.split("."))
    value = parse(text, place.source, lines=False).data
    node = document.data
    for depth in range(1, len(path)):
        here = path[:depth]
        name = _key(node, here, place)
        held = node[name] if isinstance(node, list) else node.get(name)
        if not isinstance(held, dict | list):
            held = node[name] = _spelled_out(held, document, here, root, place)
            _forget(document, here, keep_self=held != {} and here in document.places)
            document.places.setdefault(here, place)
        node = held
    node[_key(node, path, place)] = value
    _forget(document, path, keep_self=False)
    document.places[path] = place


def _key(node: Any, path: Path, place: Place) -> Any:
    """The step as the mapping's key or the list's index."""
    step = path[-1]
    if isinstance(node, Mapping):
        return next(
            (key for key in node if str(key) == step),
            parse(step, place.source, lines=False).data if step.isdecimal() else step,
        )
    if step.isdecimal() and int(step) < len(node):
        return int(step)
    where = ".".join(path[:-1])
    allowed = f"an index from 0 to {len(node) - 1}" if node else f"nothing, it is empty; write {where}=[...]"
    raise ConfigError(f"{place}: {where}: found the index `{step}`; allowed: {allowed}")


def _spelled_out(held: Any, document: Document, path: Path, root: type[Spec], place: Place) -> dict[str, Any]:
    """The mapping behind a short form or behind nothing."""
    annotation = annotation_at(root, document.data, path)
    if held is None:
        return _default(root, document.data, path)
    if isinstance(held, str) and any(specs(annotation)):
        return {"type": held}
    name = ".".join(path)
    raise ConfigError(f"{place}: {name} is {held!r}, which has no keys; set it as a whole: --set {name}=VALUE")


def _default(root: type[Spec], data: Any, path: Path) -> dict[str, Any]:
    """The default at a key path as a mapping; only what differs from the class's own defaults."""
    parent_data = data
    for step in path[:-1]:
        parent_data = parent_data[int(step)] if isinstance(parent_data, list) else parent_data.get(step)
    parent = choose(list(specs(annotation_at(root, data, path[:-1]))), parent_data)
    field = parent.model_fields.get(path[-1]) if parent else None
    default = field.get_default(call_default_factory=True, validated_data={}) if field else None
    if not isinstance(default, Spec):
        return {}
    tag = {"type": default.type} if "type" in type(default).model_fields else {}  # type: ignore[attr-defined]
    return {**tag, **default.model_dump(mode="json", exclude_unset=True)}


def _forget(document: Document, path: Path, *, keep_self: bool) -> None:
    """Drop the places at and below a path whose value is replaced."""
    for known in [known for known in document.places if known[: len(path)] == path]:
        if known != path or not keep_self:
            del document.places[known]
