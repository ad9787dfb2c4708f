"""Short forms of mappings, written in full before validation.

So that messages and `--set` may speak of one form only: `- conv: 32` is `{type: conv2d, filters: 32}` from
here on, and each key keeps the place where it was written.
"""

from typing import Any

from nnctl.config.navigation import annotation_of, short_form
from nnctl.config.yaml12 import Document, Path
from nnctl.spec import Spec


def spell_out(document: Document, root: type[Spec]) -> None:
    """Write every short form that has keys in full, in place."""
    _visit(document, root, document.data, ())


def _visit(document: Document, annotation: Any, value: Any, path: Path) -> None:
    form = short_form(annotation)
    if isinstance(value, dict) and form is not None:
        head, long = form.head(value), form.expand(value)
        if head is not None and long is not value and isinstance(long, dict):
            value.clear()
            value.update(long)
            _rename(document, path, head, form.heads[head][1])
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        _visit(document, annotation_of(annotation, value, str(key)), entry, (*path, str(key)))


def _rename(document: Document, path: Path, old: str, new: str) -> None:
    """Move the places of a key and of what is below it; its `type` was written there too."""
    depth = len(path)
    for known in [known for known in document.places if known[: depth + 1] == (*path, old)]:
        document.places[(*path, new, *known[depth + 1 :])] = document.places.pop(known)
    document.places[(*path, "type")] = document.place((*path, new))
