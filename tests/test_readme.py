"""The README says what is so: its YAML is valid, its commands exist, its examples print what it shows."""

import re
from pathlib import Path

import pytest
import yaml

from nnctl.cli.main import COMMANDS
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.engine.batch import OUTPUT
from nnctl.training.assemble import assemble
from tests.process import ROOT, nnctl

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_first_commands_are_the_promise() -> None:
    first, second = README.split("\n\n")[2].splitlines()
    assert first.strip().startswith("pip install . && nnctl train configs/digits.yaml")
    assert second.strip().startswith("pip install '.[test]' && pytest")


def test_the_experiment_can_be_trained(tmp_path: Path) -> None:
    text = blocks(README, "yaml")[0]
    (tmp_path / "experiment.yaml").write_text(text.replace("datasets/", f"{ROOT}/datasets/"))
    loaded = load_experiment(tmp_path / "experiment.yaml", (), Experiment)
    job = assemble(loaded.spec, loaded.base)
    assert job.network.shape_of(OUTPUT) == (10,)


def test_two_commands_make_a_model(tmp_path: Path) -> None:
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    init, train = re.findall(r"^\$ nnctl (.*)$", blocks(README, "console")[0], re.MULTILINE)
    arguments, _, target = init.partition(" > ")
    (tmp_path / target).write_text(nnctl(*arguments.split(), cwd=tmp_path).stdout)
    run = nnctl(*train.split(), cwd=tmp_path).stdout.strip()
    assert (tmp_path / run / "model.safetensors").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_exists(page: Path) -> None:
    named = re.findall(r"(?:^|[$`(] ?)nnctl ([a-z]+)", page.read_text(), re.MULTILINE)
    assert not set(named) - set(COMMANDS)


def test_every_command_is_in_the_readme() -> None:
    assert set(re.findall(r"^\| `nnctl ([a-z]+)", README, re.MULTILINE)) == set(COMMANDS)


def test_the_error_is_as_shown() -> None:
    block = next(b for b in blocks(README, "console") if "error:" in b)
    command, error = block.strip().splitlines()
    done = nnctl(*command.removeprefix("$ nnctl ").split(), cwd=ROOT, code=2)
    assert done.stderr.strip() == error


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_yaml_in_the_guides_is_yaml(page: Path) -> None:
    for text in blocks(page.read_text(), "yaml"):
        assert yaml.safe_load(text) is not None


def test_the_test_command_is_the_one_of_the_gate() -> None:
    gate = Path(ROOT / ".ci" / "run").read_text()
    assert "pip install --quiet ." in gate
    assert "pytest" in gate
