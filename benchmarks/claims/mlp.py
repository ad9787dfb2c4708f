"""A multilayer perceptron of the size of MNIST, at three batch sizes, against three peers."""

from benchmarks.claim import Claim, epoch_seconds, peer_over_ours
from benchmarks.claims.work import Work

MLP = {batch: Work((784,), (256, 128), batch, rows) for batch, rows in ((32, 16_384), (128, 16_384), (512, 32_768))}
TORCH, SKLEARN = ("torch_epochs.py", ("torch",)), ("sklearn_epochs.py", ("sklearn",))
PEERS = (
    ("torch", "PyTorch, default Adam", (*TORCH,), (2.0, 2.0, 2.0)),
    ("torch-fused", "PyTorch, fused Adam", (*TORCH, "--fused"), (1.6, 1.6, 1.6)),
    ("sklearn", "scikit-learn MLPClassifier", SKLEARN, (2.5, 2.0, 2.0)),
)

CLAIMS = tuple(
    Claim(
        f"mlp-{peer}-{batch}",
        f"MLP 784-256-128-10, Adam, batch {batch}",
        title,
        target,
        lambda setting, work=work, script=script: work.sides(setting, *script),  # type: ignore[misc]
        peer_over_ours(epoch_seconds),
        epoch_seconds,
    )
    for peer, title, script, targets in PEERS
    for (batch, work), target in zip(MLP.items(), targets, strict=True)
)
