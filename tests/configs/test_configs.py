"""Every experiment of configs/ keeps the promise of its header, with three seeds."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.engine.workers import Workers
from nnctl.training.assemble import assemble
from nnctl.training.loop import Finished, start, train
from nnctl.training.report import evaluate_splits, trivial_answers
from tests.process import nnctl

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
SEEDS = 3
EXPECTED = re.compile(r"(train|validation|test)\.([a-z0-9_.]+) (>=|<=) ([0-9.e-]+)")


#: Configs that take longer than this are trained where NNCTL_FULL is set, and their data are there.
LONG = 60


def seconds(path: Path) -> float:
    time = re.search(r"^# Time: (?:under )?([0-9.]+) second", path.read_text(), re.MULTILINE)
    assert time is not None, path
    return float(time[1])


def each_config(*, trained: bool) -> pytest.MarkDecorator:
    skip = "takes minutes: set NNCTL_FULL=1 and fetch its data to train it"
    long = [pytest.mark.skipif("NNCTL_FULL" not in os.environ, reason=skip)] if trained else []
    marked = [pytest.param(path, id=path.stem, marks=long if seconds(path) > LONG else []) for path in CONFIGS]
    return pytest.mark.parametrize("path", marked)


def header(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("#")]


def expectations(path: Path) -> list[tuple[str, str, str, str]]:
    text = " ".join(line.lstrip("# ") for line in header(path))
    return EXPECTED.findall(text[text.index("Expected:") :])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], list[str]]:
    """What `--set` has to say where a config's header has a command that makes its data."""
    folder = tmp_path_factory.mktemp("data")

    def settings(path: Path) -> list[str]:
        command = re.search(r"^# Data: nnctl (.*) --output (\S+)$", path.read_text(), re.MULTILINE)
        if command is None:
            return []
        assert load_experiment(path, (), Experiment).spec.data.source.path == f"../{command[2]}"
        file = folder / Path(command[2]).name
        if not file.exists():
            nnctl(*command[1].split(), "--output", file, cwd=folder)
        return [f"data.source.path={file}"]

    return settings


def figures(path: Path, settings: list[str]) -> dict[str, dict[str, float]]:
    loaded = load_experiment(path, settings, Experiment)
    job = assemble(loaded.spec, loaded.base)
    with Workers() as workers, np.errstate(all="ignore"):
        *_, last = train(job, start(job, workers))
        assert isinstance(last, Finished)
        return evaluate_splits(job, last.theta, trivial_answers(job), workers)[0]


def test_the_configs_there_must_be() -> None:
    needed = {"worked-example", "perceptron", "xor", "moons", "iris", "wine", "breast-cancer", "digits", "diabetes"}
    assert needed | {"multilabel", "imbalance", "cars", "purchase"} <= {path.stem for path in CONFIGS}


@each_config(trained=False)
def test_the_header_says_what_to_expect_and_how_long_it_takes(path: Path) -> None:
    assert expectations(path), "the header needs a line such as `# Expected: test.accuracy >= 0.9`"
    assert any(re.match(r"# Time: .*seconds? on 2 cores", line) for line in header(path))


@each_config(trained=True)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_expected_figures_are_reached(path: Path, seed: int, made: Callable[[Path], list[str]]) -> None:
    own = load_experiment(path, (), Experiment).spec.seed
    reached = figures(path, [f"seed={own + seed}", *made(path)])
    for split, metric, relation, limit in expectations(path):
        value = reached[split][metric]
        assert value >= float(limit) if relation == ">=" else value <= float(limit), f"{split}.{metric} is {value}"
