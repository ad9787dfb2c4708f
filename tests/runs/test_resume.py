"""Kill it at any moment: what is resumed ends in the same bits as what was never interrupted."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.runs.tensors import read_tensors, write_tensors
from tests.process import end, nnctl, start, wait_for

CONFIG = """\
name: kill
seed: 3
data:
  source: {type: generated, generator: {type: spiral, size: 400, noise: 0.2, seed: 1}}
  target: label
  split: {validation: 0.2, test: 0.1}
model:
  layers:
    - {type: dense, units: 48}
    - {type: batch_normalization}
    - {type: activation, function: relu}
    - {type: dropout, rate: 0.2}
    - {type: dense, units: 24, activation: tanh}
optimizer: {type: nadam, learning_rate: 0.003}
schedule: {type: reduce_on_plateau, patience: 3, factor: 0.5}
training: {epochs: 18, batch_size: 16, restarts: 2, early_stopping: {patience: 9}}
metrics: [accuracy, roc_auc]
runtime: {checkpoint_seconds: 0.05}
"""
TIMINGS = ("seconds", "examples_per_second")


def rows(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMINGS} for line in lines]


def assert_same_result(a: Path, b: Path) -> None:
    assert rows(a) == rows(b)
    assert (a / "model.safetensors").read_bytes() == (b / "model.safetensors").read_bytes()
    last_a, values_a = read_tensors(a / "checkpoints" / "last.safetensors")
    last_b, values_b = read_tensors(b / "checkpoints" / "last.safetensors")
    assert values_a == values_b
    for name, array in last_a.items():
        assert array.tobytes() == last_b[name].tobytes(), name


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "kill.yaml").write_text(CONFIG)
    return folder / nnctl("train", "kill.yaml", "--quiet", cwd=folder).stdout.strip()


def interrupted_run(folder: Path, number: int, epochs: int) -> tuple[Path, tuple[int, str, str]]:
    """Start a run, and end it by a signal once it has done some epochs."""
    (folder / "kill.yaml").write_text(CONFIG)
    process = start("train", "kill.yaml", cwd=folder)
    run = folder / "runs" / "kill-0001"
    metrics = run / "metrics.jsonl"
    wait_for(lambda: metrics.exists() and metrics.read_text().count("\n") >= epochs, process)
    return run, end(process, number)


@pytest.mark.parametrize("epochs", [1, 5, 22])
def test_kill_9_then_resume_gives_the_same_bits(uninterrupted: Path, tmp_path: Path, epochs: int) -> None:
    run, (code, _, _) = interrupted_run(tmp_path, signal.SIGKILL, epochs)
    assert code == -signal.SIGKILL
    assert json.loads((run / "run.json").read_text())["status"] == "running"
    nnctl("train", "--resume", run, "--quiet", cwd=tmp_path)
    assert_same_result(run, uninterrupted)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_says_so(uninterrupted: Path, tmp_path: Path, number: int, code: int) -> None:
    run, (exit_code, out, err) = interrupted_run(tmp_path, number, 6)
    assert exit_code == code
    assert out == ""
    assert "stopping after this batch" in err
    assert f"--resume {run.relative_to(tmp_path)}" in err
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    done = nnctl("train", "--resume", run, "--set", "runtime.threads=2", cwd=tmp_path)
    assert done.stdout.strip() == str(run)
    assert_same_result(run, uninterrupted)


def test_interrupted_again_and_again(uninterrupted: Path, tmp_path: Path) -> None:
    run, _ = interrupted_run(tmp_path, signal.SIGKILL, 3)
    for epochs in (9, 20):
        process = start("train", "--resume", run, cwd=tmp_path)
        wait_for(lambda n=epochs: len(rows(run)) >= n, process)
        end(process)
    nnctl("train", "--resume", run, "--quiet", cwd=tmp_path)
    assert_same_result(run, uninterrupted)


def test_threads_do_not_change_a_bit(uninterrupted: Path, tmp_path: Path) -> None:
    (tmp_path / "kill.yaml").write_text(CONFIG)
    out = nnctl("train", "kill.yaml", "--quiet", "--set", "runtime.threads=1", cwd=tmp_path).stdout.strip()
    again = tmp_path / out
    ours, _ = read_tensors(again / "model.safetensors")
    theirs, _ = read_tensors(uninterrupted / "model.safetensors")
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert rows(again) == rows(uninterrupted)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(uninterrupted: Path, tmp_path: Path) -> None:
    run, _ = interrupted_run(tmp_path, signal.SIGTERM, 12)
    last = run / "checkpoints" / "last.safetensors"
    content = bytearray(last.read_bytes())
    content[-20] ^= 1
    last.write_bytes(content)
    done = nnctl("train", "--resume", run, cwd=tmp_path)
    assert "checksum does not match" in done.stderr
    assert_same_result(run, uninterrupted)


def test_a_finished_run_can_be_extended(tmp_path: Path) -> None:
    short = CONFIG.replace("restarts: 2, early_stopping: {patience: 9}", "restarts: 1")
    (tmp_path / "kill.yaml").write_text(short)
    whole = tmp_path / nnctl("train", "kill.yaml", "-q", "--set", "training.epochs=12", cwd=tmp_path).stdout.strip()
    part = tmp_path / nnctl("train", "kill.yaml", "-q", "--set", "training.epochs=5", cwd=tmp_path).stdout.strip()
    assert len(rows(part)) == 5
    nnctl("train", "--resume", part, "-q", "--set", "training.epochs=12", cwd=tmp_path)
    assert rows(part) == rows(whole)
    ours, _ = read_tensors(part / "model.safetensors")
    theirs, _ = read_tensors(whole / "model.safetensors")
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_another_experiment_is_not_a_continuation(tmp_path: Path) -> None:
    (tmp_path / "kill.yaml").write_text(CONFIG)
    run = nnctl("train", "kill.yaml", "-q", "--set", "training.epochs=2", cwd=tmp_path).stdout.strip()
    done = nnctl("train", "--resume", run, "--set", "optimizer.learning_rate=0.1", cwd=tmp_path, code=2)
    assert "optimizer cannot change" in done.stderr


def test_changed_data_are_noticed(tmp_path: Path) -> None:
    table = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(table)
    (tmp_path / "t.yaml").write_text("data: {source: {type: csv, path: t.csv}, target: y}\ntraining: {epochs: 3}\n")
    run = nnctl("train", "t.yaml", "-q", cwd=tmp_path).stdout.strip()
    (tmp_path / "t.csv").write_text(table + "99,a\n")
    done = nnctl("train", "--resume", run, "--set", "training.epochs=5", cwd=tmp_path, code=3)
    assert "has changed since the run began" in done.stderr


@pytest.mark.parametrize("patience", [1, 9])
def test_killed_while_the_model_was_written(tmp_path: Path, patience: int) -> None:
    """The last checkpoint knows that training is over; what is missing is written, to the same bytes."""
    (tmp_path / "kill.yaml").write_text(CONFIG.replace("patience: 9", f"patience: {patience}"))
    run = tmp_path / nnctl("train", "kill.yaml", "-q", cwd=tmp_path).stdout.strip()
    model, seen = (run / "model.safetensors").read_bytes(), rows(run)
    (run / "model.safetensors").unlink()
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "status": "running"}))
    nnctl("train", "--resume", run, "-q", cwd=tmp_path)
    assert (run / "model.safetensors").read_bytes() == model
    assert rows(run) == seen


def test_a_checkpoint_of_another_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Those written before trials had no format, and lack what is needed now."""
    (tmp_path / "kill.yaml").write_text(CONFIG)
    run = tmp_path / nnctl("train", "kill.yaml", "--quiet", "--set", "training.epochs=1", cwd=tmp_path).stdout.strip()
    last = run / "checkpoints" / "last.safetensors"
    arrays, values = read_tensors(last)
    write_tensors(last, arrays, {key: value for key, value in values.items() if key not in ("format", "trial")})
    before = {path: path.read_bytes() for path in run.rglob("*") if path.suffix in (".safetensors", ".jsonl")}
    refused = nnctl("train", "--resume", str(run), "--set", "training.epochs=3", cwd=tmp_path, code=3)
    assert "last.safetensors: written by another version of nnctl" in refused.stderr
    assert "train anew from its config.yaml" in refused.stderr
    assert before == {path: path.read_bytes() for path in before}
