"""Curves as text."""

from collections.abc import Mapping, Sequence
from math import isfinite, log10

#: Curves that span more than this are drawn on a logarithmic scale.
LOGARITHMIC = 50


def plot(curves: Mapping[str, Sequence[float | None]], width: int = 64, height: int = 12) -> list[str]:
    """The lines of a plot of one value an epoch, each curve drawn with the first letter of its name.

    Where curves meet, the later one is seen. Values that are missing or not finite are left out.
    """
    known = [v for curve in curves.values() for v in curve if v is not None and isfinite(v)]
    length = max(map(len, curves.values()), default=0)
    if not known:
        return []
    low, high = min(known), max(known)
    logarithmic = low > 0 and high > LOGARITHMIC * low
    if logarithmic:
        low, high = log10(low), log10(high)
    grid = [[" "] * min(width, length) for _ in range(height)]
    for name, curve in curves.items():
        for i, value in enumerate(curve):
            if value is None or not isfinite(value):
                continue
            level = ((log10(value) if logarithmic else value) - low) / ((high - low) or 1.0)
            column = i if length <= width else i * (width - 1) // (length - 1)
            grid[round((1 - level) * (height - 1))][column] = name[0]
    return [*_framed(grid, low, high, logarithmic=logarithmic), _axis(len(grid[0]), length, logarithmic=logarithmic)]


def _framed(grid: list[list[str]], low: float, high: float, *, logarithmic: bool) -> list[str]:
    """The rows of the grid, every third with its value at the left."""
    lines = []
    for i, row in enumerate(grid):
        level = high - (high - low) * i / (len(grid) - 1)
        label = f"{10**level if logarithmic else level:.3g}" if i % 3 == 0 or i == len(grid) - 1 else ""
        lines.append(f"{label:>9} |{''.join(row)}".rstrip())
    return lines


def _axis(width: int, length: int, *, logarithmic: bool) -> str:
    end = f"epoch {length}"
    return f"{'':>9}  1{end:>{max(width - 1, len(end) + 2)}}" + ("  (logarithmic)" if logarithmic else "")
