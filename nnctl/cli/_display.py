"""What a training under way looks like.

The command feeds the display; on a terminal it is redrawn a few times a second from the last figures, so
that feeding it costs next to nothing. Figures are named as in metrics.jsonl.
"""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

    from nnctl.training.history import EpochRow

#: Often enough to look alive, seldom enough to leave the processor to the training.
FRAMES_PER_SECOND = 5


class Batch(NamedTuple):
    """Where training is; epochs and steps count from 1."""

    epoch: int
    epochs: int
    step: int
    steps: int | None
    loss: float
    rate: float
    examples_per_second: float

    @property
    def done(self) -> float:
        """Epochs done, with the fraction of the one under way where its length is known."""
        return self.epoch - 1 + (self.step / self.steps if self.steps else 0)


class Display:
    """Takes the figures and shows nothing (`--quiet`); the others extend it."""

    first: Batch | None = None
    last: Batch | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def batch(
        self, epoch: int, epochs: int, step: int, steps: int | None, loss: float, rate: float, speed: float
    ) -> None:
        """Step `step` of `steps` (None: not known) in epoch `epoch` of `epochs`, all counted from 1, is done."""
        self.last = Batch(epoch, epochs, step, steps, loss, rate, speed)
        if self.first is None:
            self.first = self.last

    def epoch(self, row: "EpochRow", best: "EpochRow | None" = None) -> None:
        """An epoch is done: its line of metrics.jsonl, and that of the best epoch so far."""


class LineDisplay(Display):
    """One plain line an epoch."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write = write

    def epoch(self, row: "EpochRow", best: "EpochRow | None" = None) -> None:
        of = f"/{self.last.epochs}" if self.last else ""
        parts = [f"epoch {row.epoch}{of}", *(f"{key} {figure(value)}" for key, value in row.figures.items())]
        parts += [f"rate {figure(row.learning_rate)}", f"examples/s {figure(row.examples_per_second)}"]
        if best:
            parts.append(f"best {best.epoch}")
        self.write("  ".join(parts))


class LiveDisplay(Display):
    """Progress of epoch and batch, time left, and a table of the figures: now and at the best epoch."""

    def __init__(self, console: "Console", title: str) -> None:
        from rich.live import Live

        self.title = title
        self.started = monotonic()
        self.row: EpochRow | None = None
        self.best: EpochRow | None = None
        # Standard output is the result's and must not be drawn into; messages go above the display.
        self.live = Live(
            console=console,
            get_renderable=self.render,
            refresh_per_second=FRAMES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=True,
        )

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()

    def epoch(self, row: "EpochRow", best: "EpochRow | None" = None) -> None:
        self.row, self.best = row, best

    def render(self) -> "Group":
        """One frame."""
        from rich.console import Group

        parts = [*([self._bars(self.last)] if self.last else []), *([self._figures(self.row)] if self.row else [])]
        return Group(*parts)

    def _time_left(self, now: Batch) -> str:
        """At the pace so far (a resumed run starts in the middle), were it to run all epochs."""
        progress = now.done - (self.first or now).done
        return clock((monotonic() - self.started) * (now.epochs - now.done) / progress) if progress > 0 else "-:--"

    def _bars(self, now: Batch) -> "Table":
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bars = Table.grid(padding=(0, 2), expand=True)
        bars.add_column(no_wrap=True)
        bars.add_column(no_wrap=True, ratio=1)
        bars.add_column(no_wrap=True, justify="right", min_width=18)
        status = f"loss {figure(now.loss)}   learning rate {figure(now.rate)}"
        passed = f"{clock(monotonic() - self.started)} passed"
        bars.add_row(Text(self.title, style="bold"), status, Text(passed, style="dim"))
        epochs = ProgressBar(total=now.epochs, completed=now.done)
        bars.add_row(f"epoch {now.epoch}/{now.epochs}", epochs, f"{self._time_left(now)} left")
        steps = ProgressBar(total=now.steps, completed=now.step)
        bars.add_row(f"batch {now.step}/{now.steps or '?'}", steps, f"{now.examples_per_second:,.0f} examples/s")
        return bars

    def _figures(self, row: "EpochRow") -> "Table":
        from rich import box
        from rich.table import Table

        best = self.best
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(f"after epoch {row.epoch}", min_width=16)
        for heading in ("train", "validation", f"best: epoch {best.epoch}" if best else "best"):
            table.add_column(heading, justify="right", min_width=12)
        at_best = best.figures if best else {}
        for name in dict.fromkeys(key.partition(".")[2] for key in row.figures):
            kept = at_best.get(f"validation.{name}", at_best.get(f"train.{name}"))
            figures = (row.figures.get(f"train.{name}"), row.figures.get(f"validation.{name}"), kept)
            table.add_row(name, *map(figure, figures))
        return table


def figure(value: float | None) -> str:
    """Four significant digits; nothing as a dash."""
    if value is None:
        return "-"
    if isinstance(value, int) or value >= 10_000:
        return f"{value:.0f}"
    return f"{value:.4g}"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: 1:02:03, or 2:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
