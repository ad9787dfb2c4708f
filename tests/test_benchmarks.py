"""The benchmarks run, say what they lack, and fail where the sides do not do the same work."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import profiling, table
from benchmarks.__main__ import join, parse
from benchmarks.claim import Claim, Run, Side, Tolerance, epoch_seconds, peer_over_ours
from benchmarks.claims import CLAIMS
from benchmarks.floor import Products
from benchmarks.harness import Result, as_json, measure, missing
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.engine.workers import Workers
from nnctl.training.assemble import job_of
from nnctl.training.job import Job

ROOT = Path(__file__).parents[1]
#: A benchmark of each kind.
KINDS = {
    "digits-torch": "needs PyTorch",
    "mlp-sklearn-32": "needs scikit-learn",
    "cnn-torch": "needs PyTorch",
    "process-torch": "needs PyTorch",
    "predict-torch": "needs PyTorch and pandas",
    "floor-mlp": None,
    "growth-memory": None,
}


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An interpreter that has nothing installed."""
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    script.chmod(0o755)
    return script


def test_list() -> None:
    done = run("--list")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [claim.name for claim in CLAIMS]


def test_names_are_told_apart_by_their_beginning() -> None:
    assert parse(["mlp-torch-f", "cnn"]).names == [f"mlp-torch-fused-{n}" for n in (32, 128, 512)] + ["cnn-torch"]
    with pytest.raises(SystemExit):
        parse(["mpl"])


@pytest.mark.parametrize("name", KINDS)
def test_without_the_peers(name: str, bare: Path, tmp_path: Path) -> None:
    done = run(name, "--repeat", 1, "--threads", 1, "--quick", "--python", bare, "--json", tmp_path / "out.json")
    (result,) = json.loads((tmp_path / "out.json").read_text())["results"]
    assert len(result["figures"]) >= 1, done.stderr  # nnctl's own side was measured
    assert all(figure > 0 for figure in result["figures"])
    if KINDS[name] is None:
        assert done.returncode == 0
        assert len(result["ratios"]) == 1
    else:
        assert done.returncode == 1
        assert result["problem"].startswith(KINDS[name])
        assert "nnctl[bench]" in result["problem"]
        assert result["problem"] in done.stdout


# The harness, on processes that only claim to have trained.


def saying(tmp_path: Path, name: str, loss: float | str, *seconds: float, needs: tuple[Any, ...] = ()) -> Side:
    """A process that says what it is told to; what it takes rises and falls from run to run."""
    script, log = tmp_path / f"{name}.py", tmp_path / "log"
    script.write_text(
        f"import sys, json\nlog = open({str(log)!r}, 'a+'); log.seek(0)\n"
        f"n = log.read().count({name!r}); print({name!r} + sys.argv[1], file=log)\n"
        f"print(json.dumps({{'epoch_seconds': {seconds}[n % {len(seconds)}], 'loss': {loss}}}))\n"
    )
    return Side((str(script), "{threads}"), needs)


def claim(*sides: Side, **changes: Any) -> Claim:
    settings = {"target": 2.0, "sides": lambda _: sides, "ratio": peer_over_ours(epoch_seconds), "cost": epoch_seconds}
    return Claim("fake", "work", "peer", **{**settings, **changes})


def measured(held: Claim, repeat: int = 3, threads: tuple[int, ...] = (1,)) -> Result:
    return measure(held, sys.executable, repeat, threads, quick=False, tell=lambda _: None)


def test_ratios_are_of_runs_in_turn(tmp_path: Path) -> None:
    result = measured(claim(saying(tmp_path, "a", 0.3, 1.0, 2.0, 1.0), saying(tmp_path, "b", 0.31, 4.0, 2.0, 3.0)))
    assert result.ratios == [4.0, 1.0, 3.0]
    assert result.met
    assert (tmp_path / "log").read_text().split() == ["a1", "b1"] * 3
    assert table.cells(vars(result))[3:7] == ("3.00", "1.00-4.00", "at least 2", "met")


def test_each_side_is_taken_at_its_best_threads(tmp_path: Path) -> None:
    # Runs go 1, 2, 1, 2: the first is faster on 2 threads, the second on 1.
    sides = saying(tmp_path, "a", 0.3, 3.0, 1.0), saying(tmp_path, "b", 0.3, 2.0, 8.0)
    result = measured(claim(*sides), repeat=2, threads=(1, 2))
    assert (result.threads, result.figures, result.ratios) == ([2, 1], [1.0, 2.0], [2.0, 2.0])


@pytest.mark.parametrize(("ours", "theirs"), [(0.3, 0.5), (0.5, 0.3), ("float('nan')", 0.3)])
def test_sides_that_learn_differently_fail(tmp_path: Path, ours: float | str, theirs: float) -> None:
    result = measured(claim(saying(tmp_path, "a", ours, 1.0), saying(tmp_path, "b", theirs, 9.0)))
    assert "learn alike" in (result.problem or "")
    assert not result.ratios
    assert result.met is None


def test_a_side_that_dies_fails_and_shows_why(tmp_path: Path) -> None:
    (tmp_path / "dies.py").write_text("raise SystemExit('out of luck')")
    result = measured(claim(saying(tmp_path, "a", 0.3, 1.0), Side((str(tmp_path / "dies.py"),))))
    assert "out of luck" in (result.problem or "")


def test_what_the_sides_wrote_is_looked_at(tmp_path: Path) -> None:
    sides = saying(tmp_path, "a", 0.3, 1.0), saying(tmp_path, "b", 0.3, 2.0)
    assert measured(claim(*sides, verify=lambda _: "they differ")).problem == "they differ"


def test_a_ratio_has_a_right_side(tmp_path: Path) -> None:
    sides = saying(tmp_path, "a", 0.3, 1.0), saying(tmp_path, "b", 0.3, 2.5)
    assert measured(claim(*sides)).met
    assert not measured(claim(*sides, at_most=True)).met


def test_missing_names_what_to_install(bare: Path) -> None:
    assert missing(sys.executable, ("json",)) is None
    assert "PyTorch" in (missing(str(bare), ("torch",)) or "")


def test_tolerance() -> None:
    assert Tolerance(0.1, 0.0).complaint(1.0, 1.09) is None
    assert Tolerance(0.1, 0.0).complaint(1.0, 1.2) is not None
    assert Tolerance(0.0, 0.1).complaint(float("nan"), 1.0) is not None


def show_peak(script: Any) -> None:
    """Measure a script and print its peak memory."""
    seen = []
    measured(claim(Side((script,)), cost=lambda run: seen.append(run) or 1.0, ratio=lambda _: 1.0, quality=None))
    assert isinstance(seen[0], Run)
    print(seen[0].peak)


def test_peak_memory_is_the_process_own(tmp_path: Path) -> None:
    """Measured from a small process, as the benchmarks are: the kernel counts what a fork had before its exec."""
    script = tmp_path / "big.py"
    script.write_text("x = bytearray(200_000_000)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('{}')")
    code = f"from tests.test_benchmarks import show_peak; show_peak({str(script)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 200e6 < float(done.stdout.split()[-1]) < 300e6


def test_tables_are_joined_the_last_one_wins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = {"date": "d", "processor": "p", "cores": 2, "system": "s", "python": "3", "nnctl": "0", "numpy": "2"}
    sides = saying(tmp_path, "a", 0.3, 1.0), saying(tmp_path, "b", 0.3, 2.5)
    result = measured(claim(*sides))
    result.name = "cnn-torch"
    for name, ratios in (("first", [1.0]), ("second", [7.0])):
        result.ratios = ratios
        (tmp_path / name).write_text(as_json([result], {**machine, "blas": "b"}))
    join([str(tmp_path / "first"), str(tmp_path / "second")])
    out = capsys.readouterr().out
    assert "| 7.00 |" in out
    assert "| 1.00 |" not in out


# The floor and the profile.


def config(tmp_path: Path, rows: int = 96, batch: int = 32, hidden: tuple[int, ...] = (16,)) -> Path:
    random = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", random.normal(size=(rows, 8)).astype("float32"))
    np.save(tmp_path / "y.npy", random.integers(3, size=rows))
    file = tmp_path / "experiment.yaml"
    experiment = {
        "data": {"train": {"type": "npy", "path": "x.npy", "labels": "y.npy"}},
        "model": {"hidden": hidden},
        "training": {"epochs": 9, "batch_size": batch},
    }
    file.write_text(json.dumps(experiment))
    return file


def job(*arguments: Any, **settings: Any) -> Job:
    return job_of(load_experiment(config(*arguments, **settings), (), Experiment))


def test_the_floor_has_every_product_of_a_step(tmp_path: Path) -> None:
    with Workers() as workers:
        products = Products(job(tmp_path), workers)
    # Forward 8 x 16 and 16 x 3; backward both weights, and the second layer's input.
    assert products.multiply_adds == 32 * (2 * 8 * 16 + 3 * 16 * 3)
    assert products.steps == 3


def test_the_floor_repeats_the_same_products(tmp_path: Path) -> None:
    with Workers() as workers:
        products = Products(job(tmp_path), workers)
        gradient = products.shards[0][2].kwargs["out"]  # of the last layer's weights, from the loss
        expected = gradient.copy()
        gradient[...] = 0
        products.step()
    np.testing.assert_array_equal(gradient, expected)
    assert np.any(expected)


def test_the_floor_notices_products_it_does_not_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.floor.FUNCTIONS", ("dot",))
    with Workers() as workers, pytest.raises(RuntimeError, match="FUNCTIONS"):
        Products(job(tmp_path), workers)


def test_functions_are_put_back(tmp_path: Path) -> None:
    before = np.matmul, profiling.loop.norm, profiling.Feed.take
    profiling.profile(job(tmp_path), 1)
    assert before == (np.matmul, profiling.loop.norm, profiling.Feed.take)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_profile_adds_up(tmp_path: Path, threads: int) -> None:
    lines = profiling.profile(job(tmp_path, rows=4096, batch=512, hidden=(512, 256)), threads).splitlines()
    total = float(next(line for line in lines if "with the wrappers" in line).split()[5])
    rows = [line.split() for line in lines[4:]]
    assert sum(float(row[0]) for row in rows) == pytest.approx(total, rel=0.1)
    text = "\n".join(lines)
    for label in ("matrix products", "optimizer", "gather", "dense1: forward", "relu2: backward", "loss: forward"):
        assert label in text
    others = sum(float(row[4]) for row in rows)
    assert (others > 0) == (threads > 1)


def test_profile_from_the_command_line(tmp_path: Path) -> None:
    done = run("profile", config(tmp_path), "--threads", 1, "--set", "training.batch_size=48")
    assert done.returncode == 0, done.stderr
    assert "times the floor" in done.stdout


def test_the_harness_stays_small() -> None:
    """A child's peak memory is never told as less than its parent's."""
    look = "import benchmarks.__main__, sys; print(*{'numpy', 'pydantic', 'nnctl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert (ROOT / "benchmarks" / "README.md").exists()
