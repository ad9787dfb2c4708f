"""Results as text and as Markdown."""

from collections.abc import Sequence
from statistics import median
from typing import Any

HEAD = ("benchmark", "work", "compared with", "ratio", "spread", "target", "result", "nnctl", "peer")


def cells(result: dict[str, Any]) -> tuple[str, ...]:
    """One row of the table."""
    sign = "at most" if result["at_most"] else "at least"
    target = f"{sign} {result['target']:g}"
    sides = [
        f"{figure:.3g} {result['unit']}, {t} thread{'s' * (t > 1)}"
        for figure, t in zip(result["figures"], result["threads"], strict=True)
    ]  # fmt: skip
    sides += ["-"] * (2 - len(sides))
    if result["problem"] is not None:
        reason = result["problem"].splitlines()[0]
        return (result["name"], result["work"], result["peer"], "-", "-", target, reason, *sides)
    ratios = result["ratios"]
    return (
        result["name"], result["work"], result["peer"], f"{median(ratios):.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}",
        target, "met" if result["met"] else "missed", *sides,
    )  # fmt: skip


def text(results: Sequence[dict[str, Any]]) -> str:
    """Columns for a terminal."""
    rows = [HEAD, *map(cells, results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def markdown(results: Sequence[dict[str, Any]]) -> str:
    """A table for README.md."""
    rows = [HEAD, ("---",) * len(HEAD), *map(cells, results)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def heading(machine: dict[str, Any], results: Sequence[dict[str, Any]]) -> str:
    """What was measured where."""
    versions = {name: v for result in results for name, v in result["versions"].items()}
    peers = "".join(f", {name} {v}" for name, v in versions.items() if name not in machine)
    return (
        f"{machine['date']}: {machine['processor']}, {machine['cores']} cores, {machine['system']}; "
        f"Python {machine['python']}, nnctl {machine['nnctl']}, NumPy {machine['numpy']} ({machine['blas']}){peers}"
    )
