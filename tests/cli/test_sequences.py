"""Sequences of numbers as a process: padding changes not one bit, and every command works on such a run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.process import nnctl

RANDOM = np.random.default_rng(5)
COUNT, STEPS = 60, 7
LENGTHS = RANDOM.integers(0, STEPS + 1, COUNT)
Y = RANDOM.integers(0, 2, COUNT)
PARTS = [RANDOM.normal(size=(n, 2)).astype("f4") * [1, 20] + y for n, y in zip(LENGTHS, Y, strict=True)]
MODEL = """
  target: y
  split: {validation: 0.2, test: 0.2}
model:
  layers:
    - {conv1d: 3, kernel: 3, activation: tanh}
    - max_pool1d
    - {average_pool1d: 2, padding: same}
    - {type: upsample, factor: 2}
    - global_average_pool
training: {epochs: 2, batch_size: 8}
"""
ARRAYS = """
name: arrays
data:
  source: {type: npz, path: a.npz, inputs: [x, n], labels: y}
  inputs:
    signal: {type: sequence, array: x, lengths: n}
"""
LINES = """
name: lines
data:
  source: {type: jsonl, path: a.jsonl}
  inputs:
    signal: {type: sequence, column: signal}
"""


def save(folder: Path, fill: float, steps: int = STEPS) -> None:
    x = np.full((COUNT, steps, 2), fill, "f4")
    for row, part in zip(x, PARTS, strict=True):
        row[: len(part)] = part
    np.savez(folder / "a.npz", x=x, n=LENGTHS, y=Y)


def trained(folder: Path) -> tuple[bytes, Any, str, str]:
    """The weights, the lines of metrics.jsonl without timings, and what eval and predict print."""
    (folder / "e.yaml").write_text(ARRAYS + MODEL)
    run = nnctl("train", "e.yaml", "--quiet", cwd=folder).stdout.strip()
    lines = [json.loads(line) for line in (folder / run / "metrics.jsonl").read_text().splitlines()]
    metrics = [{k: v for k, v in line.items() if "second" not in k} for line in lines]
    weights = load_file(folder / run / "model.safetensors")
    data = b"".join(weights[name].tobytes() for name in sorted(weights))
    told = [nnctl(*words, "--data", "a.npz", cwd=folder).stdout for words in (("eval", run), ("predict", run))]
    return data, metrics, told[0], told[1]


def test_what_lies_in_the_padding_changes_not_one_bit(tmp_path: Path) -> None:
    results = []
    for i, (fill, steps) in enumerate([(0.0, STEPS), (1e30, STEPS), (np.nan, STEPS), (-np.inf, STEPS + 9)]):
        folder = tmp_path / str(i)
        folder.mkdir()
        save(folder, fill, steps)
        results.append(trained(folder))
    assert results[0][0]
    assert all(result == results[0] for result in results[1:])


@pytest.mark.parametrize("kind", ["arrays", "lines"])
def test_every_command(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    save(tmp_path, 0.0)
    rows = [{"signal": part.tolist(), "y": int(y)} for part, y in zip(PARTS, Y, strict=True)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "e.yaml").write_text((ARRAYS if kind == "arrays" else LINES) + MODEL)
    checked = nnctl("check", "e.yaml", cwd=tmp_path).stdout
    assert "missing values" in checked
    shapes = {line.split()[0]: line for line in reversed(checked.splitlines()) if line}  # columns are named below
    assert "time x 2 " in shapes["signal"]
    assert "time x 3 " in shapes["max_pool1d1"]
    assert "time" not in shapes["global_average_pool1"]
    assert "passed" in nnctl("gradcheck", "e.yaml", cwd=tmp_path).stdout
    run = nnctl("train", "e.yaml", "--quiet", cwd=tmp_path).stdout.strip()
    data = "a.npz" if kind == "arrays" else "a.jsonl"
    predicted = nnctl("predict", run, "--data", data, cwd=tmp_path).stdout.splitlines()
    assert len(predicted) == COUNT + 1
    measured = json.loads(nnctl("eval", run, "--data", data, "--json", cwd=tmp_path).stdout)
    right = np.mean([line.split(",")[0] == str(y) for line, y in zip(predicted[1:], Y, strict=True)])
    assert measured["metrics"]["accuracy"] == pytest.approx(right)
    assert "conv1d1" in nnctl("explain", "e.yaml", cwd=tmp_path).stdout
    for what in ("curves", "activations", "filters"):
        picture = nnctl("plot", run, "--what", what, cwd=tmp_path).stdout.strip()
        assert (tmp_path / picture).stat().st_size
    if kind == "lines":  # the first row alone, from a pipe, and lists that CSV cannot hold
        one = nnctl("predict", run, "--data", "-", cwd=tmp_path, text_in=json.dumps(rows[3]) + "\n").stdout
        assert one.splitlines()[1].split(",")[0] == predicted[4].split(",")[0]
        kept = ("predict", run, "--data", data, "--keep", "signal")
        assert "CSV has no place for the lists of column 'signal'" in nnctl(*kept, cwd=tmp_path, code=2).stderr
        first = json.loads(nnctl(*kept, "--format", "jsonl", cwd=tmp_path).stdout.splitlines()[0])
        assert first["signal"] == rows[0]["signal"]


def test_a_length_that_cannot_be_is_told_with_its_row_or_left_out(tmp_path: Path) -> None:
    save(tmp_path, 0.0)
    held = dict(np.load(tmp_path / "a.npz"))
    held["n"][4] = STEPS + 1
    np.savez(tmp_path / "a.npz", **held)
    (tmp_path / "e.yaml").write_text(ARRAYS + MODEL)
    told = nnctl("train", "e.yaml", cwd=tmp_path, code=3).stderr
    assert f"error: a.npz, row 5: array 'n' holds {STEPS + 1}; a length is a whole number from 0 to {STEPS}" in told
    assert "row 5" in nnctl("check", "e.yaml", "--set", "data.malformed=skip", cwd=tmp_path).stderr
