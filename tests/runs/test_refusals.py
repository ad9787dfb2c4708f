"""What a resumed run refuses, and that a refusal changes nothing."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.process import ROOT, nnctl

IRIS = ROOT / "configs" / "iris.yaml"


def train(folder: Path, *settings: str, **options: Any) -> Path:
    arguments = [part for setting in settings for part in ("--set", setting)]
    return folder / nnctl("train", IRIS, "-q", *arguments, cwd=folder, **options).stdout.strip()


def contents(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("first", "then", "message"),
    [
        (["training.epochs=3"], "training.epochs=2", "3 epochs are done; 2 are fewer"),
        (["training.epochs=2", "training.restarts=2"], "training.epochs=5", "train anew"),
        (["training.epochs=3"], "training.early_stopping.monitor=validation.accuracy", "cannot change"),
        (["training.epochs=3"], "training.early_stopping=null", "cannot change"),
        (["training.epochs=3"], "seed=8", "seed cannot change"),
        (["training.early_stopping.patience=1", "optimizer.learning_rate=0.3"], "training.epochs=200", "patience"),
    ],
)
def test_a_refused_resume_changes_nothing(tmp_path: Path, first: Sequence[str], then: str, message: str) -> None:
    run = train(tmp_path, *first)
    before = contents(run)
    done = nnctl("train", "--resume", run, "--set", then, cwd=tmp_path, code=2)
    assert message in done.stderr
    assert contents(run) == before
    nnctl("train", "--resume", run, "-q", cwd=tmp_path)


def test_an_edited_config_is_not_continued(tmp_path: Path) -> None:
    run = train(tmp_path, "training.epochs=2")
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("seed: 7", "seed: 8"))
    done = nnctl("train", "--resume", run, "--set", "training.epochs=4", cwd=tmp_path, code=2)
    assert "was edited after the run began" in done.stderr


def test_changed_data_of_an_absolute_path_are_noticed(tmp_path: Path) -> None:
    table = (ROOT / "datasets" / "iris.csv").read_text()
    (tmp_path / "d.csv").write_text(table)
    run = train(tmp_path, f"data.source.path={tmp_path / 'd.csv'}", "training.epochs=2")
    nnctl("train", "--resume", run, "-q", "--set", "training.epochs=3", cwd=tmp_path)
    (tmp_path / "d.csv").write_text(table.replace("5.1", "5.2", 1))
    done = nnctl("train", "--resume", run, "--set", "training.epochs=4", cwd=tmp_path, code=3)
    assert "has changed since the run began" in done.stderr


def test_runs_behind_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    out = nnctl("train", IRIS, "-q", "--runs", "link", "--set", "training.epochs=2", cwd=tmp_path).stdout.strip()
    nnctl("train", "--resume", out, "-q", "--set", "training.epochs=3", cwd=tmp_path)


def test_weights_that_are_not_finite_after_the_last_step_are_a_divergence(tmp_path: Path) -> None:
    settings = ["training.epochs=1", "training.batch_size=full", "optimizer.type=sgd", "optimizer.learning_rate=1e300"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    done = nnctl("train", IRIS, "-q", *arguments, cwd=tmp_path, code=5)
    assert "the weights are not finite" in done.stderr
    assert json.loads((tmp_path / "runs" / "iris-0001" / "run.json").read_text())["status"] == "diverged"
    assert done.stdout == ""


def test_batch_normalisation_of_single_examples_is_refused(tmp_path: Path) -> None:
    arguments = ["--set", "model.normalization=batch", "--set", "training.batch_size=1"]
    done = nnctl("train", IRIS, *arguments, cwd=tmp_path, code=2)
    assert "training.batch_size: batch normalisation needs at least 2" in done.stderr


def test_after_a_fallback_the_damaged_checkpoint_is_gone(tmp_path: Path) -> None:
    run = train(tmp_path, "training.epochs=4", "runtime.checkpoint_seconds=0")
    last = run / "checkpoints" / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-3])
    nnctl("train", "--resume", run, cwd=tmp_path)
    nnctl("train", "--resume", run, "-q", cwd=tmp_path)


def test_training_goes_on_when_nobody_reads_its_messages(tmp_path: Path) -> None:
    import subprocess

    from tests.process import command

    closed = subprocess.run(
        f"{command()} train {IRIS} --set training.epochs=3 2>/dev/full",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert closed.returncode == 0
    assert closed.stdout.strip() == "runs/iris-0001"
