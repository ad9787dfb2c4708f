"""Names that are not there, and those that may be meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

#: More names than this hide the one that was meant.
MOST = 12


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that is meant by another: the same but for capitals, or else the closest, if any is close."""
    options = list(allowed)
    small = {option.lower(): option for option in reversed(options)}  # of several that differ in capitals, the first
    if name.lower() in small:
        return small[name.lower()]
    close = get_close_matches(name, options, n=1) or get_close_matches(name.lower(), small, n=1)
    return small.get(close[0], close[0]) if close else None


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
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
        meant = did_you_mean(wrong[0], options)
        rest = "" if meant and len(options) > MOST else f"{' T' if meant else '; t'}{there}"
        return f"no {what} {wrong[0]!r}{meant}{rest}"
    near = {name: nearest(name, options) for name in wrong}
    described = [f"{name!r} (did you mean {close!r}?)" if close else repr(name) for name, close in near.items()]
    return f"no {plural or what + 's'} {listed(described)}; t{there}"
