"""A trained network at work: a CSV file in, a CSV file out."""

import csv
import json
from importlib.util import find_spec
from pathlib import Path

from benchmarks.claim import PEERS, Claim, Setting, Side, peer_over_ours, whole_seconds
from benchmarks.harness import execute_ours, helper

ROWS, QUICK_ROWS, FEATURES = 1_000_000, 2_000, 20
EXPERIMENT = {
    "data": {
        "source": {"type": "csv", "path": "train.csv"},
        "target": "label",
        "preprocess": {"numeric": "standardize"},
    },
    "model": {"hidden": [64, 32]},
    "training": {"epochs": 5},
}
CLASSES = {"low", "middle", "high"}
#: float32 sums in another order may change the answer where two classes are equally likely.
AGREEMENT = 0.9999


def sides(setting: Setting) -> tuple[Side, Side]:
    """`nnctl predict`, and a script with the same weights."""
    folder = setting.folder
    data, output = folder / "data.csv", folder / "ours.csv"
    helper("data", "columns", folder / "train.csv", 2_000, FEATURES)
    helper("data", "columns", data, QUICK_ROWS if setting.quick else ROWS, FEATURES)
    config = folder / "experiment.yaml"
    config.write_text(json.dumps(EXPERIMENT))
    execute_ours("nnctl", "train", config, "--quiet", "--json", "--runs", folder)
    (run,) = folder.glob("run-*")
    helper("data", "weights", run, folder / "weights.npz")
    ours = ("-m", "nnctl", "predict", str(run), "--data", str(data), "--output", str(output), "--quiet")
    theirs = (PEERS / "torch_predict.py", folder / "weights.npz", data, folder / "theirs.csv", "{threads}")
    return Side(ours), Side(tuple(map(str, theirs)), ("torch", "pandas"))


def verify(folder: Path) -> str | None:
    """Both files must give the same class to the same rows."""
    ours, theirs = classes(folder / "ours.csv"), classes(folder / "theirs.csv")
    if len(ours) != len(theirs):
        return f"{len(ours)} predictions by nnctl and {len(theirs)} by the peer"
    same = sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(ours)
    return None if same >= AGREEMENT else f"only {same:.2%} of the predictions are the same"


def classes(file: Path) -> list[str]:
    """The predicted classes: the first column that holds nothing else."""
    with file.open(newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    column = next(i for i, value in enumerate(rows[0]) if value in CLASSES)
    return [row[column] for row in rows]


def lacks() -> str | None:
    return None if find_spec("nnctl.cli.predict") else "nnctl has no command `predict` yet"


CLAIMS = (
    Claim(
        "predict-torch",
        f"prediction on {ROWS:,} rows of {FEATURES} columns, CSV to CSV, MLP",
        "PyTorch + pandas script",
        3.0,
        sides,
        peer_over_ours(whole_seconds),
        whole_seconds,
        quality=None,
        verify=verify,
        lacks=lacks,
    ),
)
