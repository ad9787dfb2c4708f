"""What two runs have in common, and what not."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, NamedTuple

from nnctl.runs.directory import RunDirectory
from nnctl.runs.summary import settings

#: The facts of run.json that belong to each section; times and process numbers differ in any two runs.
SECTIONS = {
    "data": ("data", "rows"),
    "environment": ("versions", "platform", "blas", "processors"),
    "metrics": (
        "status", "stop_reason", "epochs", "best_epoch", "monitor", "best_value", "parameters", "evaluation", "baseline"
    ),
}  # fmt: skip


class Difference(NamedTuple):
    """A key and its values in both runs; None where a run lacks it."""

    key: str
    a: Any
    b: Any


def compare(a: RunDirectory, b: RunDirectory, *, everything: bool = False) -> dict[str, list[Difference]]:
    """Configuration, data, environment and metrics side by side; only what differs, or everything but timings.

    Raises:
        DataError: where a run's files cannot be read.
    """
    sides = [_facts(a), _facts(b)]
    return {
        section: list(differences(sides[0][section], sides[1][section], everything=everything)) for section in sides[0]
    }


def differences(a: Any, b: Any, path: str = "", *, everything: bool = False) -> Iterator[Difference]:
    """The leaves of two nested mappings that differ, by their key paths.

    Mappings without a key in common are leaves themselves; lists of mappings are entered by index.
    """
    left, right = _entered(a), _entered(b)
    if left.keys() & right.keys():
        for key in [*left, *(key for key in right if key not in left)]:
            below = f"{path}.{key}" if path else str(key)
            yield from differences(left.get(key), right.get(key), below, everything=everything)
    elif path and (everything or a != b):
        yield Difference(path, a, b)
    elif not path:
        for key, value in left.items():
            yield Difference(str(key), value, None)
        for key, value in right.items():
            yield Difference(str(key), None, value)


def _entered(value: Any) -> dict[Any, Any]:
    """What a value is made of, by key; nothing where it is a leaf."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return dict(enumerate(value))
    return value if isinstance(value, dict) else {}


def _facts(run: RunDirectory) -> dict[str, dict[str, Any]]:
    """What is known of a run, by section."""
    info: dict[str, Any] = {**run.info()}
    sections = {name: {key: info[key] for key in keys if key in info} for name, keys in SECTIONS.items()}
    if isinstance(info.get("data"), dict):
        sections["data"]["data"] = _by_name(info["data"])
    return {"configuration": settings(run), **sections}


def _by_name(hashes: dict[str, str]) -> dict[str, str]:
    """Hashes by the names of the files: where they lie is a matter of configuration."""
    named = {PurePath(path).name: digest for path, digest in hashes.items()}
    return named if len(named) == len(hashes) else hashes
