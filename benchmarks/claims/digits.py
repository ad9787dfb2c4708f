"""A small network, where calling costs more than computing."""

from benchmarks.claim import Claim, epoch_seconds, peer_over_ours
from benchmarks.claims.work import Work

WORK = Work((64,), (64, 32), 32, 8192, epochs=8)

CLAIMS = (
    Claim(
        "digits-torch",
        "MLP 64-64-32-10, Adam, batch 32",
        "PyTorch, default Adam",
        4.0,
        lambda setting: WORK.sides(setting, "torch_epochs.py", ("torch",)),
        peer_over_ours(epoch_seconds),
        epoch_seconds,
    ),
)
