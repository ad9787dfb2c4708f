"""Every command on cars: a table and pictures in, a price and an answer out."""

import json
from pathlib import Path

import pytest
import yaml

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.training.assemble import assemble
from tests.process import ROOT, nnctl
from tests.test_readme import blocks

SHORT = ("--set", "training.epochs=2", "--set", "schedule=constant", "--quiet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiment of configs/ and few of its cars."""
    folder = tmp_path_factory.mktemp("cars")
    nnctl("datasets", "make", "cars", "--size", 60, "--output", "cars/cars.csv", cwd=folder)
    text = (ROOT / "configs" / "cars.yaml").read_text()
    (folder / "cars.yaml").write_text(text.replace("../datasets/cars/", "cars/"))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> str:
    return nnctl("train", "cars.yaml", *SHORT, cwd=folder).stdout.strip()


def test_check_shows_every_branch(folder: Path) -> None:
    lines = nnctl("check", "cars.yaml", cwd=folder).stdout.splitlines()
    shapes = dict(line.split(maxsplit=1) for line in reversed(lines) if " " in line)  # columns are named below
    assert shapes["picture"] == "16 x 24 x 3            0"
    for layer, shape in (
        ("facts.dense1", "32"),
        ("picture.conv2d2", "8 x 12 x 16"),
        ("join", "64"),
        ("sold.dense1", "1"),
    ):
        assert f" {shape} " in shapes[layer], layer


def test_the_gradient_of_every_branch_is_right(folder: Path) -> None:
    assert "passed" in nnctl("gradcheck", "cars.yaml", cwd=folder).stdout


def test_tables_and_columns_for_each_output(folder: Path, run: str) -> None:
    told = json.loads(nnctl("eval", run, "--json", cwd=folder).stdout)
    assert {name: list(each["metrics"]) for name, each in told["outputs"].items()} == {
        "price": ["r2", "mae"], "sold": ["accuracy"],
    }  # fmt: skip
    assert told["loss"] == pytest.approx(sum(each["loss"] for each in told["outputs"].values()))
    lines = nnctl("predict", run, "--data", "cars/cars.csv", "--keep", "year", cwd=folder).stdout.splitlines()
    assert lines[0] == "year,prediction_price,prediction_sold,probability_sold_no,probability_sold_yes"
    assert len(lines) == 61


def test_what_is_shown_of_a_run(folder: Path, run: str) -> None:
    shown = nnctl("runs", "show", run, cwd=folder).stdout
    assert "inputs     facts, picture\n" in shown
    assert "outputs    price, sold\n" in shown
    assert "network    15 layers;" in shown
    assert "picture.conv2d1" in nnctl("explain", "cars.yaml", cwd=folder).stdout
    assert (folder / nnctl("plot", run, cwd=folder).stdout.strip()).exists()


def test_more_epochs_are_those_of_a_longer_training(folder: Path, run: str) -> None:
    longer = nnctl("train", "cars.yaml", *SHORT, "--set", "training.epochs=3", cwd=folder).stdout.strip()
    told = nnctl("runs", "diff", run, longer, cwd=folder).stdout
    assert ["training.epochs", "2", "3"] in [line.split() for line in told.splitlines()]
    nnctl("train", "--resume", run, "--set", "training.epochs=3", "--quiet", cwd=folder)
    one, other = ([row["validation.loss"] for row in rows(folder / each)] for each in (run, longer))
    assert one == other
    assert len(one) == 3


def rows(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_the_networks_of_the_guide_are_networks() -> None:
    """Of the experiment that the guide names, with layers that have the names it gives them."""
    guide = (ROOT / "docs" / "inputs-and-outputs.md").read_text()
    models = [text for text in blocks(guide, "yaml") if text.startswith("model:")]
    joins = []
    for text in models:
        settings = [f"model={json.dumps(yaml.safe_load(text)['model'])}"]
        loaded = load_experiment(ROOT / "configs" / "purchase.yaml", settings, Experiment)
        network = assemble(loaded.spec, loaded.base).network
        joins.append(network.nodes["join"].layer.type)
        assert {"customer.dense1", "dense1"} <= set(network.nodes)
    assert joins == ["multiply", "concatenate"]
    assert network.nodes["past.use1"].owner == "customer.dense2"
