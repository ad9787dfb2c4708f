"""What stands in the formulas that layers and losses give of themselves."""

from nnctl.explain.blocks import Quantity, factor
from nnctl.spec import Spec


def constants(spec: Spec) -> dict[str, Quantity]:
    """The settings of a function or loss, for its template: they stand as numbers."""
    settings = {name: getattr(spec, name) for name in type(spec).model_fields}
    return {
        name: Quantity(factor(value), value)
        for name, value in settings.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def options(spec: Spec, *leave_out: str) -> str:
    """The settings that are not as they are by default, in brackets."""
    fields = type(spec).model_fields
    changed = {
        name: getattr(spec, name)
        for name, field in fields.items()
        if name not in ("type", *leave_out) and getattr(spec, name) != field.default
    }
    return f" ({', '.join(f'{name} {value}' for name, value in changed.items())})" if changed else ""
