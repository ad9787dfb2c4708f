"""Ten times the rows: ten times the time, and no more memory where the data are mapped from disk."""

from collections.abc import Sequence

from benchmarks.claim import Claim, Run, Setting, Side, epoch_seconds
from benchmarks.claims.work import Work

TIMES = 10
WORK = Work((784,), (256, 128), 128, 20_480, epochs=3)


def sides(setting: Setting) -> tuple[Side, Side]:
    """The same training on some rows and on ten times as many; both sides are nnctl."""
    small, large = (WORK.ours(WORK.write(setting, scale)[0], "--memory") for scale in (1, TIMES))
    return small, large


def time_a_row(runs: Sequence[Run]) -> float:
    return epoch_seconds(runs[1]) / epoch_seconds(runs[0]) / TIMES


def own_megabytes(run: Run) -> float:
    """What the process holds of its own: pages of the mapped file do not count, the system takes them back."""
    return float(run.said["memory"]) / 1e6


def more_memory(runs: Sequence[Run]) -> float:
    return own_megabytes(runs[1]) / own_megabytes(runs[0])


CLAIMS = (
    Claim(
        "growth-time",
        f"epoch time a row with {TIMES} times the rows",
        "itself",
        1.1,
        sides,
        time_a_row,
        epoch_seconds,
        at_most=True,
        quality=None,
    ),
    Claim(
        "growth-memory",
        f"own memory with {TIMES} times the rows mapped from .npy",
        "itself",
        1.1,
        sides,
        more_memory,
        epoch_seconds,
        own_megabytes,
        "MB",
        at_most=True,
        quality=None,
    ),
)
