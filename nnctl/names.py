"""Names that are not there, and those that may be meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

#: More names than this hide the one that was meant.
MOST = 12


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that is meant by another: the same but for capitals, or else the closest, if any is close."""
    options = list(allowed)
    lower = name.lower()
    same = next((option for option in options if option.lower() == lower), None)
    close = [same] if same else get_close_matches(name, options, n=1) or get_close_matches(lower, options, n=1)
    return close[0] if close else None


def hint(name: str, allowed: Iterable[str]) -> str:
    """What else may be meant, to be put behind what is wrong: `; did you mean 'price'?`, or nothing."""
    close = nearest(name, allowed)
    return f"; did you mean {close!r}?" if close else ""


def listed(names: Iterable[str], most: int = MOST) -> str:
    """Names for a message, not too many."""
    every = list(names)
    return ", ".join(every[:most]) + (", ..." if len(every) > most else "")


def unknown(what: str, names: str | Sequence[str], allowed: Iterable[str], plural: str = "") -> str:
    """Which names are not there, what they may mean, and which there are.

        no column 'pric'; did you mean 'price'? There are price, sold
        no columns 'pric' (did you mean 'price'?), 'colour'; there are price, sold

    `what` is the noun, `plural` that of several where it is not `what` with an s.
    """
    wrong, options = [names] if isinstance(names, str) else list(names), list(allowed)
    there = f"here are {listed(options)}" if len(options) > 1 else f"here is {listed(options) or 'none'}"
    if len(wrong) == 1:
        meant = hint(wrong[0], options)
        return f"no {what} {wrong[0]!r}{meant}{' T' if meant else '; t'}{there}"
    near = {name: nearest(name, options) for name in wrong}
    described = [f"{name!r} (did you mean {close!r}?)" if close else repr(name) for name, close in near.items()]
    return f"no {plural or what + 's'} {listed(described)}; t{there}"
