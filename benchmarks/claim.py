"""What a performance claim is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Side:
    """A process to measure: what follows the interpreter, `{threads}` to be filled in.

    `needs` are the modules a peer's interpreter must have; nnctl's own side needs none.
    """

    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One process: its wall-clock seconds, its peak memory in bytes, and the JSON object it printed."""

    seconds: float
    peak: int
    said: dict[str, Any]


@dataclass(frozen=True)
class Tolerance:
    """How far apart the final losses (or other figures of quality) of two sides may be."""

    relative: float = 0.15
    absolute: float = 0.02

    def complaint(self, ours: float, theirs: float) -> str | None:
        """What is wrong where two figures are too far apart; not a number is."""
        if abs(ours - theirs) <= self.absolute + self.relative * min(abs(ours), abs(theirs)):
            return None
        return f"both sides should learn alike, and end at {ours:.4g} (nnctl) and {theirs:.4g} (peer)"


@dataclass(frozen=True)
class Setting:
    """Where a claim's files go, and whether it is only to be tried out, on a fraction of the data."""

    folder: Path
    quick: bool


def epoch_seconds(run: Run) -> float:
    """The median epoch of a process that trains epoch by epoch."""
    return float(run.said["epoch_seconds"])


def whole_seconds(run: Run) -> float:
    """The whole process, from its start to its end."""
    return run.seconds


def peak_megabytes(run: Run) -> float:
    """The most memory the process held."""
    return run.peak / 1e6


def final_loss(run: Run) -> float:
    """The training loss of the last epoch."""
    return float(run.said["loss"])


def peer_over_ours(figure: Callable[[Run], float]) -> Callable[[Sequence[Run]], float]:
    """How many times as much of something the peer takes."""
    return lambda runs: figure(runs[1]) / figure(runs[0])


@dataclass(frozen=True)
class Claim:
    """A row of the table.

    Attributes:
        work, peer: what is done, and what it is compared with.
        target: the least ratio, or with `at_most` the largest.
        sides: writes the data and returns the processes, nnctl's first.
        ratio: of one run a side.
        cost: which thread setting is a side's best: that with the least of this, in seconds.
        figure, unit: what the table shows of a side beside its threads; its cost unless told otherwise.
        quality: the figure that must agree between the sides, None where there is nothing to compare.
        verify: looks at what the sides wrote; what is wrong with it, or None.
        lacks: what nnctl does not have yet, if anything, which the claim is about.
    """

    name: str
    work: str
    peer: str
    target: float
    sides: Callable[[Setting], Sequence[Side]]
    ratio: Callable[[Sequence[Run]], float]
    cost: Callable[[Run], float]
    figure: Callable[[Run], float] | None = None
    unit: str = "s"
    at_most: bool = False
    quality: Callable[[Run], float] | None = final_loss
    tolerance: Tolerance = Tolerance()
    verify: Callable[[Path], str | None] = lambda _: None
    lacks: Callable[[], str | None] = lambda: None

    def met(self, ratio: float) -> bool:
        """Whether a ratio keeps the claim."""
        return ratio <= self.target if self.at_most else ratio >= self.target
