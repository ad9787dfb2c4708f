"""A convolutional network of the usual size for MNIST."""

import sys
from subprocess import run

from benchmarks.claim import Claim, epoch_seconds, peer_over_ours
from benchmarks.claims.work import Work

WORK = Work((28, 28, 1), (128,), 64, 4096, epochs=3, filters=(32, 64))
LAYERS = {"conv2d", "max_pool2d"}


def lacks() -> str | None:
    """The layers nnctl does not have yet."""
    look = "import nnctl.layers as l; print(*[c.model_fields['type'].default for c in l.AnyLayer.__args__[0].__args__])"
    there = run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    absent = sorted(LAYERS - set(there))
    return f"nnctl has no layer {' or '.join(absent)} yet" if absent else None


CLAIMS = (
    Claim(
        "cnn-torch",
        "conv 32, pool, conv 64, pool, dense 128 on 28x28, Adam, batch 64",
        "PyTorch, default Adam",
        1.7,
        lambda setting: WORK.sides(setting, "torch_epochs.py", ("torch",)),
        peer_over_ours(epoch_seconds),
        epoch_seconds,
        lacks=lacks,
    ),
)
