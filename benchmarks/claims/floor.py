"""How much of an epoch is matrix products; the rest is what nnctl adds."""

from benchmarks.claim import Claim, Run, Setting, Side, epoch_seconds
from benchmarks.claims import cnn
from benchmarks.claims.mlp import MLP
from benchmarks.claims.work import Work


def sides(setting: Setting, work: Work) -> tuple[Side]:
    """One process, in which training and bare products alternate epoch by epoch."""
    return (work.ours(work.write(setting)[0], "--floor"),)


def over_floor(runs: list[Run]) -> float:
    return float(runs[0].said["epoch_seconds"] / runs[0].said["floor_seconds"])


FLOOR = "its matrix products alone"

CLAIMS = (
    Claim(
        "floor-mlp",
        "epoch of the MLP 784-256-128-10, batch 128",
        FLOOR,
        1.6,
        lambda setting: sides(setting, MLP[128]),
        lambda runs: over_floor(list(runs)),
        epoch_seconds,
        at_most=True,
    ),
    Claim(
        "floor-cnn",
        "epoch of the convolutional network, batch 64",
        FLOOR,
        2.0,
        lambda setting: sides(setting, cnn.WORK),
        lambda runs: over_floor(list(runs)),
        epoch_seconds,
        at_most=True,
        lacks=cnn.lacks,
    ),
)
