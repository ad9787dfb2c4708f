"""One training on threads, on ranks, and on ranks that are killed: the same bytes, and nothing left behind."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from nnctl.engine.ranks import can_fork
from tests.process import nnctl, start, wait_for

pytestmark = pytest.mark.skipif(not can_fork(), reason="processes do not share memory here")

#: As much of what a step may do as fits: several shards, groups of batches, limits, averages, restarts.
CONFIG = """
name: ranks
data:
  source: {type: generated, generator: {type: moons, size: 700, noise: 0.2}}
  target: label
model: {hidden: [512, 256], activation: relu, dropout: 0.2}
optimizer: {type: adam, learning_rate: 0.001}
regularization: {l2: 1.0e-4, max_norm: 4.0}
metrics: [accuracy, roc_auc]
training:
  epochs: 3
  batch_size: 240
  clip_norm: 1.0
  accumulate: 2
  averaging: {decay: 0.9}
  restarts: 2
  early_stopping: {patience: 2, restore_best: true}
runtime: {kernels: numpy, checkpoint_seconds: 0}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ranks.yaml").write_text(CONFIG)
    return tmp_path


def trained(folder: Path, *settings: str) -> tuple[bytes, list[dict[str, Any]]]:
    """The model, and the lines of metrics.jsonl without their timings."""
    arguments = [part for setting in settings for part in ("--set", setting)]
    return what_is_in(folder / nnctl("train", "ranks.yaml", "--quiet", *arguments, cwd=folder).stdout.strip())


def what_is_in(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    timed = ("seconds", "examples_per_second")
    return (run / "model.safetensors").read_bytes(), [{k: v for k, v in r.items() if k not in timed} for r in rows]


def test_any_number_of_ranks_gives_the_same_bytes(folder: Path) -> None:
    expected = trained(folder, "runtime.threads=1")
    for ranks in (2, 3):
        assert trained(folder, f"runtime.ranks={ranks}") == expected
    facts = json.loads((folder / "runs" / "ranks-0003" / "run.json").read_text())
    assert facts["ranks"] == 3
    shown = nnctl("runs", "show", "runs/ranks-0003", cwd=folder).stdout
    assert ["ranks", "3"] in [line.split() for line in shown.splitlines()]


def test_a_network_that_couples_examples(folder: Path) -> None:
    """Batch normalisation is one shard, whose statistics all ranks need."""
    settings = ("model.normalization=batch", "training.restarts=1")
    assert trained(folder, *settings, "runtime.ranks=2") == trained(folder, *settings)


def others(process: subprocess.Popen[str]) -> list[int]:
    """The ranks that a training has started."""
    done = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


#: Long enough to be interrupted.
LONG = ("--set", "training.epochs=12", "--set", "training.early_stopping.patience=12")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[dict[str, Any]]]:
    """What a training gives that nobody interrupts."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "ranks.yaml").write_text(CONFIG)
    return what_is_in(folder / nnctl("train", "ranks.yaml", "--quiet", *LONG, cwd=folder).stdout.strip())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("whom", "number", "code"),
    [
        ("other", signal.SIGKILL, 6),
        ("first", signal.SIGKILL, -signal.SIGKILL),
        ("first", signal.SIGINT, 130),
        ("first", signal.SIGTERM, 143),
    ],
)
def test_whoever_is_ended_the_run_goes_on_to_the_same_bytes(
    folder: Path, undisturbed: Any, whom: str, number: int, code: int
) -> None:
    process = start("train", "ranks.yaml", "--quiet", *LONG, "--set", "runtime.ranks=3", cwd=folder)
    run = folder / "runs" / "ranks-0001"
    wait_for(lambda: (run / "metrics.jsonl").exists() and (run / "metrics.jsonl").stat().st_size, process)
    ranks = others(process)
    assert len(ranks) == 2
    os.kill(ranks[0] if whom == "other" else process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    if whom == "other":
        assert "ended by signal 9" in said
        assert f"nnctl train --resume {Path('runs') / 'ranks-0001'}" in said
    until = time.monotonic() + 5
    while time.monotonic() < until and any(map(alive, ranks)):
        time.sleep(0.01)
    assert not any(map(alive, ranks))
    nnctl("train", "--resume", run, "--quiet", "--set", "runtime.ranks=2", cwd=folder)
    assert what_is_in(run) == undisturbed


def test_where_processes_cannot_share_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnctl.cli.main import main
    from nnctl.runs import record

    monkeypatch.setattr(record, "can_fork", lambda: False)
    monkeypatch.chdir(folder)
    assert main(["train", "ranks.yaml", "--quiet", "--set", "runtime.ranks=2"]) == 2
