"""The only module that prints.

Results go to standard output; notes, warnings, errors and progress to standard error, so that
`run=$(nnctl train ...)` holds the result alone. Colour and animation are for terminals: a pipe, a file,
`TERM=dumb` and, for colour, `NO_COLOR` get plain text. `--quiet` leaves results and errors.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import rich.console

    from nnctl.cli._display import Display

Cell = str | int | float | None


class Console:
    """Standard output and standard error, as the commands use them."""

    quiet = False

    def result(self, text: str) -> None:
        """What the command was asked for, on standard output."""
        self._write(sys.stdout, text)

    def note(self, text: str) -> None:
        """Something good to know."""
        if not self.quiet:
            self._write(sys.stderr, text)

    def warn(self, text: str) -> None:
        """Something that probably is not what was meant."""
        if not self.quiet:
            self._write(sys.stderr, f"{self._styled('warning:', 33)} {text}")

    def error(self, text: str) -> None:
        """Why the command could not do what it was asked."""
        self._write(sys.stderr, f"{self._styled('error:', 31)} {text}")

    def json(self, value: Any) -> None:
        """A result as one JSON document; NaN and infinities, which JSON lacks, become null."""
        import json

        self.result(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], title: str | None = None) -> None:
        """A result as a table: ruled on a terminal, aligned columns in a pipe. Numbers go right."""
        texts = [[cell_text(cell) for cell in row] for row in rows]
        right = [all(not isinstance(row[i], str) for row in rows) for i in range(len(columns))]
        if animates(sys.stdout):
            self._ruled_table(columns, texts, right, title)
        else:
            if title:
                self.result(title)
            self.result(aligned([list(columns), *texts], right))

    def progress(self, title: str = "") -> "Display":
        """The display of a training under way: live on a terminal, else a line an epoch; a context manager."""
        from nnctl.cli._display import Display, LineDisplay, LiveDisplay

        if self.quiet:
            return Display()
        if animates(sys.stderr):
            return LiveDisplay(self._rich(sys.stderr), title)
        return LineDisplay(self.note)

    def _ruled_table(
        self, columns: Sequence[str], texts: list[list[str]], right: list[bool], title: str | None
    ) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
        for name, numeric in zip(columns, right, strict=True):
            table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
        for row in texts:
            table.add_row(*map(Text, row))
        self._rich(sys.stdout).print(table)

    def _rich(self, stream: TextIO) -> "rich.console.Console":
        import rich.console

        return rich.console.Console(file=stream, highlight=False)

    def _write(self, stream: TextIO | None, text: str) -> None:
        if stream is None:
            return  # the shell has closed it
        try:
            stream.write(text + "\n")
            stream.flush()
        except OSError:
            # A message that nobody can read must not end a training; a result that cannot be written must.
            if stream is not sys.stderr:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def _styled(self, text: str, colour: int) -> str:
        """The text in bold colour, where standard error shows colour."""
        coloured = animates(sys.stderr) and not os.environ.get("NO_COLOR")
        return f"\x1b[1;{colour}m{text}\x1b[0m" if coloured else text


def animates(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that can move its cursor; a closed one is None."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def plain(value: Any) -> Any:
    """The value in JSON's own types; NumPy's scalars and arrays, tuples and paths included."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if abs(value) < float("inf") else None
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case Sequence():
            return [plain(item) for item in value]
        case os.PathLike():
            return os.fspath(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def cell_text(cell: Cell) -> str:
    """A table's cell: floats to six digits, nothing as a dash."""
    if cell is None:
        return "-"
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def aligned(rows: list[list[str]], right: list[bool]) -> str:
    """Rows of text in columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    )


#: The console of this process.
console = Console()
