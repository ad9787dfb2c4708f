"""What all figures share: letters, colours, and files that are the same every time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnctl.errors import ConfigError
from nnctl.files import writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Two colours that everybody can tell apart, also in grey. Source: Okabe and Ito, "Color universal design" (2002).
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#666666"
#: Amounts from dark to light. Source: Nunez, Anderton and Renslow, "Optimizing colormaps with consideration for
#: color vision deficiency", PLOS ONE 13 (2018).
SEQUENTIAL = "cividis"
#: Below zero red, above zero blue, zero white; no one confuses these two.
DIVERGING = "RdBu"

STYLE: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e2e2e2",
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "image.interpolation": "nearest",
    "text.parse_math": False,  # a `$` in the name of a class is a dollar
    "svg.hashsalt": "nnctl",  # the same names inside every file
}
#: In the warning about a letter that the font lacks.
MISSING_LETTER = "missing from font"
#: No dates and no versions, so that equal figures are equal files.
METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save in the style of this program, whatever the user's own settings of Matplotlib.

    Raises:
        ConfigError: where Matplotlib is not installed.
    """
    try:
        import matplotlib.style
    except ImportError:
        raise ConfigError("plots need Matplotlib, which is not installed here: pip install 'nnctl[plot]'") from None
    with matplotlib.style.context(STYLE, after_reset=True):
        yield


def new_figure(width: float, height: float, title: str) -> Figure:
    """A figure of a size in inches, its title at the left."""
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    figure.suptitle(title, x=0.012, ha="left")
    return figure


def panels(figure: Figure, count: int, columns: int) -> list[Axes]:
    """`count` axes, row by row."""
    rows = -(-count // columns)
    return [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def shortened(text: str, longest: int) -> str:
    """A text cut in the middle, for names tell themselves apart at their ends."""
    if len(text) <= longest:
        return text
    end = longest // 2
    return f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"


def check_output(path: Path) -> str:
    """The format a file's ending means.

    Raises:
        ConfigError: where it is not one that can be drawn.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in METADATA:
        raise ConfigError(f"--output {path}: plots are written as .png or .svg; give the file one of these endings")
    return form


def save(figure: Figure, path: Path, dpi: int, warn: Callable[[str], None]) -> None:
    """Write a figure whole or not at all; `warn` is told of letters that the font lacks."""
    form = check_output(path)
    with writing(path) as file, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure.savefig(file, format=form, dpi=dpi, metadata=METADATA[form])
    messages = dict.fromkeys(str(warning.message) for warning in caught)
    if any(MISSING_LETTER in message for message in messages):
        warn(f"{path}: some letters are drawn as boxes, for Matplotlib's font does not have them")
    for message in messages:
        if MISSING_LETTER not in message:
            warn(f"{path}: {message}")
