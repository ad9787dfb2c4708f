"""What pydantic found wrong, told in the words of the experiment file.

Every problem becomes one line, `file:line: key.path: what was found; what is allowed; did you mean X?`.
Pydantic reports a path that also names the members of unions it tried; here only the steps that exist in the
file are kept, and the members' separate complaints about one value are told as one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from pydantic import ValidationError

from nnctl.config.explain_layers import layer_mistake
from nnctl.config.navigation import annotation_at, child, names, short_form, spec_at, specs
from nnctl.config.yaml12 import Document, Path, Place
from nnctl.errors import ConfigError, several
from nnctl.names import nearest
from nnctl.spec import Spec

#: What is allowed, by pydantic's name of the error and its numbers.
ALLOWED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (`key: value` lines)",
    "model_type": "a mapping (`key: value` lines)",
    "model_attributes_type": "a mapping (`key: value` lines)",
    "none_required": "`null`",
    "greater_than": "a number greater than {gt:.15g}",
    "greater_than_equal": "a number of at least {ge:.15g}",
    "less_than": "a number less than {lt:.15g}",
    "less_than_equal": "a number of at most {le:.15g}",
    "multiple_of": "a multiple of {multiple_of:.15g}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text that matches the pattern {pattern}",
}
#: More names than this hide the one that was meant.
LONG_LIST = 20
WORDS_FOR_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


@dataclass(frozen=True)
class Problem:
    """One complaint: `union` is the path of the union it comes from, `member` the member of it."""

    path: Path
    kind: str
    found: str
    allowed: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    typed: str = ""
    message: str = ""
    union: Path | None = None
    member: str = ""

    def __str__(self) -> str:
        if self.message:
            return self.message
        close = nearest(self.typed, self.candidates) or WORDS_FOR_BOOLEANS.get(self.typed)
        hint = [f"did you mean `{close}`?"] if close and close != self.typed else []
        crowded = hint and len(self.candidates) > LONG_LIST
        allowed = [f"allowed: {' or '.join(self.allowed)}"] if self.allowed and not crowded else []
        return "; ".join([self.found, *allowed, *hint])


def explain(error: ValidationError, document: Document, root: type[Spec]) -> ConfigError:
    """All problems of a validation as one error, in the order of the file."""
    problems = [_problem(details, document.data, root) for details in error.errors(include_url=False)]
    lines = []
    for problem in _settle_unions(problems):
        place = _place(problem, document)
        where = ".".join(problem.path)
        lines.append((place.line, f"{place}: {where}: {problem}" if where else f"{place}: {problem}"))
    lines.sort(key=lambda line: line[0])
    texts = list(dict.fromkeys(text for _, text in lines))
    return several(texts)


def _place(problem: Problem, document: Document) -> Place:
    """Where the problem was written; for a missing key the mapping, or the `--set ...type=` that demands it."""
    if problem.kind != "missing":
        return document.place(problem.path)
    mapping = problem.path[:-1]
    demand = document.place((*mapping, "type"))
    return document.place(mapping) if demand.line else demand


def _problem(details: Any, data: Any, root: type[Spec]) -> Problem:
    kind, context = details["type"], details.get("ctx", {})
    path, union, member = _written_path(details["loc"], kind, data)
    value = data
    for step in path:
        value = child(value, step)
    problem = Problem(path, kind, f"found {describe(value)}", union=union, member=member, typed=str(value))
    match kind:
        case "value_error" | "assertion_error":
            return replace(problem, message=str(context["error"]))
        case "missing":
            return _missing(problem, data, root)
        case "extra_forbidden":
            return _unknown_key(problem, data, root)
        case "union_tag_invalid" | "union_tag_not_found" | "model_attributes_type":
            return _no_member(problem, value, annotation_at(root, data, path))
        case "literal_error" | "enum":
            options = tuple(re.findall(r"'([^']*)'", context["expected"])) or (context["expected"],)
            return replace(problem, allowed=_quoted(options), candidates=options)
    if details["loc"][-1:] == ("[key]",):
        problem = replace(problem, found=f"found the key `{path[-1]}`")
    allowed = ALLOWED.get(kind, details["msg"].removeprefix("Input should be ")).format_map(context)
    if kind in ("int_type", "float_type") and isinstance(value, str) and _reads_as_number(value):
        allowed += f", so write {value} without quotes"
    return replace(problem, allowed=(allowed,))


def _written_path(loc: Iterable[int | str], kind: str, data: Any) -> tuple[Path, Path | None, str]:
    """The steps of pydantic's path that the file has; the innermost union on it and its member."""
    steps = [str(step) for step in loc if step != "[key]"]
    path: Path = ()
    union, member = None, ""
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        tag = data if isinstance(data, str) else child(data, "type")
        if kind == "missing" and last:
            path = (*path, step)
        elif step == tag and not (kind == "extra_forbidden" and last):
            continue  # the `type` that pydantic's discriminator adds
        elif (isinstance(data, dict) and step in map(str, data)) or (isinstance(data, list) and step.isdecimal()):
            path, data = (*path, step), child(data, step)
        else:
            union, member = path, step
    return path, union, member


def _settle_unions(problems: list[Problem]) -> Iterator[Problem]:
    """One complaint for each union: of the member that fits in outline, or all that it might have been."""
    yield from (problem for problem in problems if problem.union is None)
    unions: dict[Path, list[Problem]] = {}
    for problem in problems:
        if problem.union is not None:
            unions.setdefault(problem.union, []).append(problem)
    for union, complaints in unions.items():
        members = [list(group) for _, group in groupby(complaints, key=lambda problem: problem.member)]
        fitting = [group for group in members if any(p.path != union or p.message for p in group)]
        if fitting:
            yield from min(fitting, key=len)
            continue
        yield replace(
            complaints[0],
            allowed=tuple(dict.fromkeys(text for problem in complaints for text in problem.allowed)),
            candidates=tuple(name for problem in complaints for name in problem.candidates),
        )


def _missing(problem: Problem, data: Any, root: type[Spec]) -> Problem:
    parent = spec_at(root, data, problem.path[:-1])
    field = parent.model_fields.get(problem.path[-1]) if parent else None
    purpose = f": {field.description}" if field and field.description else ""
    return replace(problem, found=f"is missing and has to be given{purpose}".rstrip("."))


def _unknown_key(problem: Problem, data: Any, root: type[Spec]) -> Problem:
    key = problem.path[-1]
    parent = spec_at(root, data, problem.path[:-1])
    keys = tuple(parent.model_fields) if parent else ()
    sections = list(_sections_with(key, root))
    elsewhere = sections if len(sections) == 1 and sections[0] != problem.path[0] and not nearest(key, keys) else []
    return replace(
        problem,
        found="is not a key here",
        allowed=(", ".join(keys) or "no keys",),
        candidates=keys if not elsewhere else (),
        typed=key,
        message="" if not elsewhere else f"is not a key here; did you mean `{elsewhere[0]}.{key}`?",
    )


def _sections_with(key: str, root: type[Spec]) -> Iterator[str]:
    """The sections of the file that have this key."""
    for section, field in root.model_fields.items():
        if any(key in spec.model_fields for spec in specs(field.annotation)):
            yield section


def _no_member(problem: Problem, value: Any, annotation: Any) -> Problem:
    """A value that names no member of a union."""
    options = tuple(names(annotation))
    if not options:
        return replace(problem, allowed=(ALLOWED["model_type"],))
    if isinstance(value, str):
        return replace(problem, allowed=_quoted(options), candidates=options)
    form = short_form(annotation)
    mistake = layer_mistake(value, form, list(specs(annotation))) if form else None
    if mistake is not None:
        return replace(problem, path=(*problem.path, "type") if "type" in value else problem.path, message=mistake)
    if not isinstance(value, dict):
        return replace(problem, allowed=(f"one of {', '.join(options)}, or a mapping with one of them as its `type`",))
    if "type" not in value:
        first = str(next(iter(value), ""))
        return replace(
            problem, found="found no `type` in the mapping", allowed=_quoted(options), candidates=options, typed=first
        )
    tag, types = value["type"], [kind.model_fields["type"].default for kind in specs(annotation)]
    path = (*problem.path, "type")
    return replace(
        problem, path=path, found=f"found {describe(tag)}", allowed=_quoted(types), candidates=options, typed=str(tag)
    )


def describe(value: Any) -> str:
    """A value as the user would recognise it, in a few words."""
    match value:
        case None:
            return "nothing (`null`)"
        case bool():
            return "`true`" if value else "`false`"
        case str():
            return f'the text "{value}"' if len(value) <= 60 else f'the text "{value[:57]}..."'
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return f"a mapping with {', '.join(map(str, list(value)[:4]))}" if value else "an empty mapping"
    return f"{value}"[:60]


def _quoted(options: Iterable[str]) -> tuple[str, ...]:
    names = list(options)
    return (", ".join(names) if len(names) > 1 else f"`{names[0]}`",)


def _reads_as_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text) is not None
