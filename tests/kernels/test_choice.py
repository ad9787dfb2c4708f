"""Which kernels a training runs on, what run.json says of it, and that no bit depends on it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.kernels import choice
from nnctl.training.assemble import job_of
from tests.process import ROOT, nnctl

CONFIG = """
name: kernels
data:
  source: {type: generated, generator: {type: moons, size: 200}}
  target: label
model:
  hidden: [8]
  activation: relu
optimizer: {type: adam, learning_rate: 0.01}
training: {epochs: 3, batch_size: 16}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kernels.yaml").write_text(CONFIG)
    return tmp_path


def trained(folder: Path, *settings: str, **environment: Any) -> tuple[dict[str, Any], bytes, str]:
    """The facts, the model and the log of a run."""
    arguments = [part for setting in settings for part in ("--set", setting)]
    done = nnctl("train", "kernels.yaml", "--json", "--quiet", *arguments, cwd=folder, **environment)
    path = folder / json.loads(done.stdout)["run"]
    facts = json.loads((path / "run.json").read_text())
    return facts, (path / "model.safetensors").read_bytes(), (path / "log.txt").read_text()


@pytest.fixture(scope="module")
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that is filled by the first test that needs it."""
    return tmp_path_factory.mktemp("kernels") / "cache"


def test_the_same_model_on_either(folder: Path, compiled_once: Path) -> None:
    pytest.importorskip("numba", reason="compiled kernels need the extra [fast]")
    cache = {"NNCTL_CACHE_DIR": str(compiled_once)}
    facts, plain, _ = trained(folder, "runtime.kernels=numpy")
    assert facts["kernels"] == "numpy"
    facts, compiled, _ = trained(folder, "runtime.kernels=compiled", **cache)
    assert facts["kernels"] == "compiled"
    assert compiled == plain
    assert list(compiled_once.rglob("*.nbc"))
    facts, threaded, _ = trained(folder, "runtime.kernels=compiled", "runtime.threads=2", **cache)
    assert (facts["kernels"], threaded) == ("compiled", plain)


def test_a_short_training_is_not_worth_loading_them(folder: Path) -> None:
    facts, _, log = trained(folder)
    assert facts["kernels"] == "numpy"
    assert "kernels:" not in log


def test_a_long_training_is(folder: Path) -> None:
    job = job_of(load_experiment(str(folder / "kernels.yaml"), ("model.hidden=[2000,2000]",), Experiment))
    assert choice.seconds_saved(job) < choice.WORTHWHILE_SECONDS
    longer = ("model.hidden=[2000,2000]", "training.epochs=300")
    assert choice.seconds_saved(job_of(load_experiment(str(folder / "kernels.yaml"), longer, Experiment))) > 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write where nobody may")
def test_a_cache_that_cannot_be_written_is_no_error(folder: Path) -> None:
    pytest.importorskip("numba", reason="compiled kernels need the extra [fast]")
    (folder / "cache").mkdir(mode=0o500)
    facts, _, _ = trained(folder, "runtime.kernels=compiled", NNCTL_CACHE_DIR=str(folder / "cache"))
    assert facts["kernels"] == "compiled"


def test_a_cache_that_is_a_file_is_no_error(folder: Path) -> None:
    pytest.importorskip("numba", reason="compiled kernels need the extra [fast]")
    (folder / "cache").write_text("not a folder")
    facts, _, _ = trained(folder, "runtime.kernels=compiled", NNCTL_CACHE_DIR=str(folder / "cache"))
    assert facts["kernels"] in ("compiled", "numpy")


def test_a_damaged_cache_is_no_error(folder: Path, compiled_once: Path) -> None:
    pytest.importorskip("numba", reason="compiled kernels need the extra [fast]")
    _, plain, _ = trained(folder, "runtime.kernels=compiled", NNCTL_CACHE_DIR=str(compiled_once))
    cache = {"NNCTL_CACHE_DIR": str(shutil.copytree(compiled_once, folder / "cache"))}
    for file in (folder / "cache").rglob("*.nb?"):
        file.write_bytes(file.read_bytes()[:50])
    facts, model, log = trained(folder, "runtime.kernels=compiled", **cache)
    assert model == plain
    assert facts["kernels"] == "compiled" or "kernels: numpy, as compiling failed" in log


def test_what_cannot_be_compiled_runs_in_numpy_and_the_log_says_so(folder: Path) -> None:
    """As on a Python or NumPy that numba does not know."""
    (folder / "broken").mkdir()
    (folder / "broken" / "numba.py").write_text("raise RuntimeError('no such Python')")
    path = os.pathsep.join([str(folder / "broken"), str(ROOT)])
    facts, _, log = trained(folder, "runtime.kernels=compiled", PYTHONPATH=path)
    assert facts["kernels"] == "numpy"
    assert "kernels: numpy, as compiling failed: RuntimeError: no such Python" in log


def test_the_missing_extra_is_named(folder: Path) -> None:
    (folder / "without").mkdir()
    (folder / "without" / "numba.py").write_text("raise ModuleNotFoundError('numba')")
    path = os.pathsep.join([str(folder / "without"), str(ROOT)])
    done = nnctl("train", "kernels.yaml", "--set", "runtime.kernels=compiled", cwd=folder, code=2, PYTHONPATH=path)
    assert "pip install 'nnctl[fast]'" in done.stderr
