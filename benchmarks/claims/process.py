"""A whole process: from digits.csv to a saved model, as a user would do it on each side."""

import json

from benchmarks.claim import PEERS, Claim, Run, Setting, Side, Tolerance, peak_megabytes, peer_over_ours, whole_seconds
from benchmarks.harness import ROOT

EPOCHS, QUICK_EPOCHS = 20, 2
DIGITS = ROOT / "datasets" / "digits.csv"
EXPERIMENT = {
    "name": "digits",
    "data": {
        "source": {"type": "csv", "path": str(DIGITS)},
        "target": "digit",
        "split": {"validation": 0.15, "test": 0.15, "stratify": True},
        "preprocess": {"numeric": "standardize"},
    },
    "model": {"hidden": [64, 32], "init": "glorot_uniform"},
    "loss": "cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.003},
    "training": {"epochs": EPOCHS, "batch_size": 32},
    "metrics": ["accuracy"],
}
#: Accuracy on 270 test rows, of which each side draws its own.
TOLERANCE = Tolerance(relative=0.0, absolute=0.04)


def sides(setting: Setting, script: str, needs: tuple[str, ...]) -> tuple[Side, Side]:
    """The command of nnctl and a script that does the same."""
    epochs = QUICK_EPOCHS if setting.quick else EPOCHS
    config = setting.folder / "digits.yaml"
    config.write_text(json.dumps(EXPERIMENT))
    keys = ("--set", f"training.epochs={epochs}", "--set", "runtime.threads={threads}")
    ours = ("-m", "nnctl", "train", str(config), *keys, "--quiet", "--json", "--runs", str(setting.folder / "runs"))
    model = str(setting.folder / "model.npz")
    return Side(ours), Side((str(PEERS / script), str(DIGITS), model, str(epochs), "{threads}"), needs)


def accuracy(run: Run) -> float:
    return float(run.said["evaluation"]["test"]["accuracy"])


WORK = f"whole process: digits.csv to its saved model, {EPOCHS} epochs"
TORCH, SKLEARN = ("torch_digits.py", ("torch",)), ("sklearn_digits.py", ("sklearn",))

CLAIMS = (
    Claim(
        "process-torch",
        WORK,
        "PyTorch script",
        5.0,
        lambda setting: sides(setting, *TORCH),
        peer_over_ours(whole_seconds),
        whole_seconds,
        quality=accuracy,
        tolerance=TOLERANCE,
    ),
    Claim(
        "process-sklearn",
        WORK,
        "scikit-learn script",
        2.5,
        lambda setting: sides(setting, *SKLEARN),
        peer_over_ours(whole_seconds),
        whole_seconds,
        quality=accuracy,
        tolerance=TOLERANCE,
    ),
    Claim(
        "memory-torch",
        f"peak memory of the {WORK}",
        "PyTorch script",
        2.0,
        lambda setting: sides(setting, *TORCH),
        peer_over_ours(peak_megabytes),
        whole_seconds,
        peak_megabytes,
        "MB",
        quality=accuracy,
        tolerance=TOLERANCE,
    ),
)
