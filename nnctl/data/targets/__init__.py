"""What is predicted: classes, labels or numbers. A new kind is its class and one line here."""

from collections.abc import Mapping, Sequence
from typing import Annotated, get_args

from nnctl.data.tables import Table, all_numbers, as_numbers, numeric_columns
from nnctl.data.targets.base import Target, Truth, refuse_missing, with_target
from nnctl.data.targets.classes import MOST_NUMBERED_CLASSES, Classes
from nnctl.data.targets.labels import Labels, is_label
from nnctl.data.targets.numbers import Numbers
from nnctl.engine.loss import Loss
from nnctl.errors import ConfigError
from nnctl.metrics import Task
from nnctl.names import unknown
from nnctl.spec import ByType

__all__ = [
    "MOST_NUMBERED_CLASSES",
    "AnyTarget",
    "Classes",
    "Labels",
    "Numbers",
    "Target",
    "Truth",
    "choose",
    "in_order",
    "refuse_missing",
    "with_target",
]


class _OfAnyVersion(ByType):
    """Reads what model files of version 1 say of a target, too: a `task`, and the keys of all kinds."""

    @staticmethod
    def expand(value: object) -> object:
        for task, kind in KINDS.items():
            if isinstance(value, Mapping) and value.get("task") == task:
                own = {key: entry for key, entry in value.items() if key in kind.model_fields}
                return own | {"type": kind.model_fields["type"].default}
        return value


AnyTarget = Annotated[Classes | Labels | Numbers, _OfAnyVersion()]
#: The kinds by what `data.task` calls them.
KINDS: dict[Task, type[AnyTarget]] = {kind.task: kind for kind in get_args(get_args(AnyTarget)[0])}


def choose(table: Table, names: Sequence[str], asked: Task | None, loss: Loss | None) -> type[AnyTarget]:
    """The kind of target asked for, or what columns look like; in either case one that the loss can do.

    Raises:
        ConfigError: where the loss cannot do what the columns are, with its key where the output has no name.
    """
    allowed: Sequence[Task] = tuple(KINDS) if loss is None else loss.tasks
    task = asked or _appearance(table, names, allowed)
    if loss is not None and task not in loss.tasks:
        raise ConfigError(
            f"{loss.type} is for {' or '.join(loss.tasks)}, and {', '.join(names)} calls for {task}", "loss"
        )
    kind = KINDS[task]
    if kind is Classes and len(names) > 1:
        raise ConfigError(f"classification has one target column, and these are {', '.join(names)}", "data.target")
    return kind


def in_order(target: AnyTarget, order: Sequence[str | int] | None, loss: Loss | None, key: str) -> AnyTarget:
    """The target with its classes in the order that the file gives under `key`.

    Raises:
        ConfigError: where the order is not one of the target's classes, or the loss needs one that is not given.
    """
    if not isinstance(target, Classes):
        if order is not None:
            raise ConfigError(f"{key}: is of classes, and the task is {target.task}; leave it out")
        return target
    there = target.classes
    if order is None:
        if loss is not None and loss.ordered and not all_numbers(there):
            raise ConfigError(
                f"{key}: {loss.type} needs the order of the classes, which are not numbers; list them from the lowest "
                f"to the highest, some arrangement of [{', '.join(there)}]"
            )
        return target
    names = tuple(map(str, order))
    strange = [name for name in names if name not in there]
    if strange:
        raise ConfigError(f"{key}: the target has {unknown('class', strange, there, 'classes')}")
    if sorted(names) != sorted(there):
        twice, left_out = [n for n in there if names.count(n) > 1], [n for n in there if n not in names]
        what = f"names {', '.join(twice)} twice" if twice else f"leaves out {', '.join(left_out)}"
        raise ConfigError(f"{key}: {what}; list every class once, from the lowest to the highest")
    return target.model_copy(update={"classes": names})


def _appearance(table: Table, names: Sequence[str], allowed: Sequence[Task]) -> Task:
    """What the columns look like; a few whole numbers may be either, and the first that the loss allows is taken."""
    if len(names) > 1:
        flags = all(is_label(table, name) for name in names)
        return "multilabel" if "multilabel" in allowed and (flags or "regression" not in allowed) else "regression"
    series = table[names[0]]
    if not numeric_columns(series.to_frame(), table.notation):
        return "classification"
    fitting: list[Task] = [task for task in allowed if task != "multilabel"]
    if len(fitting) == 1:
        return fitting[0]
    numbers = as_numbers(series, table.notation).drop_nulls()
    distinct = numbers.n_unique()
    whole = bool((numbers == numbers.round()).all())
    few = distinct <= MOST_NUMBERED_CLASSES and distinct < len(numbers)
    return fitting[0] if (whole and few) or "regression" not in allowed else "regression"
