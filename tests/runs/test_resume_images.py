"""Convolutional networks on augmented images: killed and resumed, and on any number of threads, the same bits."""

import json
import signal
from pathlib import Path

import pytest

from tests.data.pictures import shades, write
from tests.process import end, nnctl, start, wait_for
from tests.runs.test_resume import assert_same_result, rows

CONFIG = """\
name: images
seed: 4
data:
  source: {type: image_folder, path: images, color: grey}
  split: {validation: 0.2}
  augment:
    - {type: flip, horizontal: true}
    - {type: shift, pixels: 2}
    - {type: rotate, degrees: 10}
    - {type: scale, range: [0.9, 1.1]}
    - {type: crop, padding: 2}
    - {type: brightness, amount: 0.2}
    - {type: contrast, range: [0.8, 1.2]}
    - {type: noise, deviation: 3.0}
    - {type: cutout, size: 4}
    - {type: mixup}
model:
  layers: LAYERS
optimizer: {type: adam, learning_rate: 0.003}
training: {epochs: 20, batch_size: 64}
metrics: []
runtime: {checkpoint_seconds: 0.05, threads: 1}
"""
#: Every kind of layer for images; the first cuts its batches into shards, the second may not.
NETWORKS = {
    "shards": """
    - {conv: 16, activation: relu}
    - {conv: 16, groups: 16}
    - {type: group_normalization, groups: 4}
    - max_pool: 2
    - {type: residual, layers: [{conv: 16}, relu, {conv: 16}]}
    - {type: dropout, rate: 0.2, by: channel}
    - {type: parallel, branches: [[{conv: 8, dilation: 2}], [{type: conv_transpose2d, filters: 8, stride: 1}]]}
    - {type: average_pool2d}
    - {type: upsample, factor: 2}
    - global_average_pool""",
    "whole": """
    - {conv: 8, bias: false}
    - batch_normalization
    - relu
    - max_pool: 2
    - type: residual
      layers: [{conv: 8, stride: 2}, batch_normalization]
      shortcut: [{conv: 8, kernel: 1, stride: 2}]
    - global_average_pool""",
}


@pytest.fixture(scope="module", params=list(NETWORKS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, an experiment, and a run of it that nothing disturbed."""
    place = tmp_path_factory.mktemp(request.param)
    write(place / "images", shades(80, (24, 24)))
    (place / "images.yaml").write_text(CONFIG.replace("LAYERS", NETWORKS[request.param]))
    nnctl("train", "images.yaml", "--quiet", cwd=place)
    return place


def test_kill_9_then_resume_on_two_threads(folder: Path) -> None:
    process = start("train", "images.yaml", "--runs", "killed", cwd=folder)
    run = folder / "killed" / "images-0001"
    wait_for(lambda: (run / "metrics.jsonl").exists() and len(rows(run)) >= 2, process)
    end(process, signal.SIGKILL)
    assert json.loads((run / "run.json").read_text())["status"] == "running"
    nnctl("train", "--resume", run, "--quiet", "--set", "runtime.threads=2", cwd=folder)
    assert_same_result(run, folder / "runs" / "images-0001")


def test_threads_and_a_signal_change_no_bit(folder: Path) -> None:
    process = start("train", "images.yaml", "--set", "runtime.threads=2", cwd=folder)
    run = folder / "runs" / "images-0002"
    wait_for(lambda: (run / "metrics.jsonl").exists() and len(rows(run)) >= 1, process)
    assert end(process, signal.SIGTERM)[0] == 143
    nnctl("train", "--resume", run, "--quiet", "--set", "runtime.threads=1", cwd=folder)
    assert_same_result(run, folder / "runs" / "images-0001")
