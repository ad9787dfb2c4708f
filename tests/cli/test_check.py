"""`nnctl check`: what it says before training, and what makes it say no."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.process import ROOT, nnctl

IRIS = ROOT / "configs" / "iris.yaml"


def report(tmp_path: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(nnctl("check", IRIS, "--json", *arguments, cwd=tmp_path, code=code).stdout)
    return document


def settings(*pairs: str) -> list[str]:
    return [part for pair in pairs for part in ("--set", pair)]


def test_layers_parameters_and_chance(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert [(row["name"], row["shape"], row["parameters"]) for row in found["layers"]] == [
        ("dense1", [16], 4 * 16 + 16),
        ("relu1", [16], 0),
        ("dense2", [3], 16 * 3 + 3),
    ]
    assert found["parameters"] == 131
    assert found["memory"]["parameters"] == 4 * 131
    assert found["memory"]["optimizer"] == 2 * 4 * 131  # Adam keeps two vectors
    assert found["chance_loss"] == pytest.approx(math.log(3), rel=1e-6)
    assert sum(found["rows"].values()) == 150
    assert found["learning_rate"]["first"] == 0.01


def test_zero_weights_start_at_chance_and_are_warned_about(tmp_path: Path) -> None:
    found = report(tmp_path, *settings("model.init=zeros"))
    assert found["initial_loss"] == pytest.approx(math.log(3), rel=1e-6)
    assert any("dense1 starts with equal weights" in warning for warning in found["warnings"])


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("model.activation=step", "a step, whose derivative is 0"),
        ("model.output_init={type: normal, deviation: 100.0}", "times what chance gives"),
        ("schedule={type: cosine, warmup: 200}", "schedule.warmup is 200 epochs and training.epochs is 100"),
        ("training.early_stopping.warmup=100", "training.early_stopping.warmup is 100 epochs"),
    ],
)
def test_warnings(tmp_path: Path, setting: str, words: str) -> None:
    assert words in nnctl("check", IRIS, *settings(setting), cwd=tmp_path).stderr


def test_early_stopping_is_not_recommended_where_it_is(tmp_path: Path) -> None:
    large = settings("model.hidden=[4000]", "regularization.l2=0")
    without = nnctl("check", IRIS, *large, *settings("training.early_stopping=null"), cwd=tmp_path).stderr
    assert "can memorise them" in without
    assert "can memorise them" not in nnctl("check", IRIS, *large, cwd=tmp_path).stderr


def test_a_single_row_is_no_constant_target(tmp_path: Path) -> None:
    assert "every row" not in nnctl("check", IRIS.with_name("worked-example.yaml"), cwd=tmp_path).stderr


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error"])
def test_a_constant_target_is_named(tmp_path: Path, loss: str) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},5.5\n" for i in range(30)))
    (tmp_path / "t.yaml").write_text(f"data: {{source: {{type: csv, path: t.csv}}, target: y}}\nloss: {loss}\n")
    done = nnctl("check", "t.yaml", cwd=tmp_path)
    assert "the target 'y' is 5.5 in every row of training; there is nothing to learn" in done.stderr
    assert "chance" not in done.stderr


def test_a_duplicate_across_splits_and_a_constant_column_are_named(tmp_path: Path) -> None:
    rows = [f"{i},{i % 7},5,{'ab'[i % 2]}\n" for i in range(30)]
    (tmp_path / "t.csv").write_text("x,z,same,y\n" + "".join(rows * 2))
    (tmp_path / "t.yaml").write_text("data: {source: {type: csv, path: t.csv}, target: y}\n")
    said = nnctl("check", "t.yaml", cwd=tmp_path).stderr
    assert "'same' is" in said
    assert "also in the training split" in said


@pytest.mark.parametrize(("wide", "shown"), [(0, True), (36, True), (37, False)])
def test_the_kind_of_every_column(tmp_path: Path, wide: int, shown: bool) -> None:
    name = "a name that is longer than " + "x" * 80
    more = [f"m{k}" for k in range(wide)]
    rows: list[list[Any]] = [
        [i * i % 31, "pqr"[i % 3], f"2020-01-{i % 28 + 1:02}", i, *[i * k % 7 for k in range(wide)]] for i in range(60)
    ]
    lines = [",".join([name, "city", "when", "id", *more, "y"]), *(",".join(map(str, [*r, r[0] % 2])) for r in rows)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "t.yaml").write_text("data: {source: {type: csv, path: t.csv}, target: y, exclude: [id]}\n")
    kinds = json.loads(nnctl("check", "t.yaml", "--json", cwd=tmp_path).stdout)["columns"]
    expected = {name: "numeric", "city": "categorical, 3 different", "when": "date"}
    assert kinds == expected | dict.fromkeys(more, "numeric") | {"id": "excluded"}
    text = nnctl("check", "t.yaml", cwd=tmp_path).stdout
    words = [line.split() for line in text.splitlines()]
    assert (["city", "categorical,", "3", "different"] in words) == shown
    assert (f"41 columns: numeric {wide + 1}, categorical 1, date 1, excluded 1" in text) == (not shown)
    assert name not in text
    assert all(len(line) <= 80 for line in text.splitlines() if "numeric" in line)


TABLES = {
    "iris": "species",
    "wine": "cultivar",
    "breast_cancer": "diagnosis",
    "digits": "digit",
    "diabetes": "progression",
    "moons": "label",
    "imbalance": "label",
    "multilabel": "label1 label2 label3",
    "xor": "label",
}


@pytest.mark.parametrize("table", TABLES)
def test_check_does_not_object_to_what_init_wrote(tmp_path: Path, table: str) -> None:
    targets = [part for name in TABLES[table].split() for part in ("--target", name)]
    (tmp_path / "t.csv").write_bytes((ROOT / "datasets" / f"{table}.csv").read_bytes())
    (tmp_path / "t.yaml").write_text(nnctl("init", "t.csv", *targets, cwd=tmp_path).stdout)
    warnings = json.loads(nnctl("check", "t.yaml", "--json", cwd=tmp_path).stdout)["warnings"]
    of_the_data = (
        "also in the training split",
        "classes are unbalanced",
        "is the same in every",
        "in every training row",
    )
    assert [warning for warning in warnings if not any(words in warning for words in of_the_data)] == []


def test_a_healthy_network_learns_a_batch_by_heart(tmp_path: Path) -> None:
    found = report(tmp_path, "--overfit")
    assert found["overfit"]["learned"] is True
    assert found["overfit"]["after"] < 0.05 * found["overfit"]["before"]


BLOCK = """
data: {source: {type: generated, generator: {type: moons, size: 80}}, target: label}
optimizer: {type: adam, learning_rate: 0.03}
model:
  layers:
    - {dense: 32, activation: tanh}
    - type: residual
      layers: [{dense: 32, init: zeros}, relu, {dense: 32, init: zeros}, {dropout: 0.99}]
      shortcut: [{dropout: 0.99}]
    - dense: 1
"""


def test_check_looks_inside_blocks(tmp_path: Path) -> None:
    (tmp_path / "block.yaml").write_text(BLOCK)
    found = json.loads(nnctl("check", "block.yaml", "--overfit", "--json", cwd=tmp_path).stdout)
    assert found["overfit"]["learned"] is True
    equal = [warning.partition(" ")[0] for warning in found["warnings"] if "equal weights" in warning]
    assert equal == ["residual1.layers.dense1"]


def test_one_that_cannot_exits_4(tmp_path: Path) -> None:
    done = nnctl("check", IRIS, "--overfit", *settings("model.init=zeros"), cwd=tmp_path, code=4)
    assert "cannot memorise 16 examples" in done.stderr


def test_a_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    done = nnctl("check", IRIS, *settings("data.target=specis"), cwd=tmp_path, code=2)
    assert "data.target" in done.stderr
    assert "did you mean 'species'?" in done.stderr
    text = IRIS.read_text().replace("target: species", "target: specis").replace("../datasets", str(ROOT / "datasets"))
    (tmp_path / "iris.yaml").write_text(text)
    line = text.splitlines().index("  target: specis") + 1
    assert f"iris.yaml:{line}: data.target" in nnctl("check", "iris.yaml", cwd=tmp_path, code=2).stderr
