"""Several outputs of different kinds, and inputs besides columns: what is written, and that it trains."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.suggest.experiment import suggest
from nnctl.training import checks
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from tests.data.pictures import shades, write
from tests.process import nnctl

N = 120
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=N).round(3)
WORDS = ("a good and cheap car that never failed us", "an old loud thing which nobody should ever buy")
COLUMNS: dict[str, Any] = {
    "x": X,
    "colour": RANDOM.choice(["red", "blue"], N),
    "price": (3 * X + RANDOM.normal(size=N)).round(2),
    "sold": np.where(X > 0, "yes", "no"),
    "flag": (RANDOM.random(N) > 0.5).astype(int),
    "cost": (2 * X).round(2),
    "note": [f"{WORDS[int(x > 0)]} {i}" for i, x in enumerate(X)],
}


def job(folder: Path, names: str, *targets: str) -> tuple[Job, str]:
    """What `init` writes for some of the columns above."""
    pl.DataFrame({name: COLUMNS[name] for name in names.split()}).write_csv(folder / "t.csv")
    text = suggest(str(folder / "t.csv"), targets, folder).text
    (folder / "e.yaml").write_text(text)
    loaded = load_experiment(folder / "e.yaml", (), Experiment)
    return assemble(loaded.spec, loaded.base), text


# Columns of the table, targets, the outputs with their tasks; of one without a name, its task alone.
OUTPUTS = {
    "a number and a class": ("x price sold", ["price", "sold"], {"price": "regression", "sold": "classification"}),
    "a number and a flag": ("x price flag", ["price", "flag"], {"price": "regression", "flag": "classification"}),
    "numbers": ("x price cost colour", ["price", "cost"], {"output": "regression"}),
    "labels": ("x flag sold", ["flag", "sold"], {"output": "multilabel"}),
    "two classes": ("x colour sold price", ["colour", "sold"], {"colour": "classification", "sold": "classification"}),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_columns_of_different_kinds_are_outputs_with_names(tmp_path: Path, name: str) -> None:
    columns, targets, tasks = OUTPUTS[name]
    made, _ = job(tmp_path, columns, *targets)
    assert {output: target.task for output, target in made.data.targets.items()} == tasks
    assert set(made.metrics) == set(tasks)


def test_a_row_without_one_of_the_targets_still_teaches_the_other(tmp_path: Path) -> None:
    frame = pl.DataFrame({name: COLUMNS[name] for name in ("x", "price", "sold")})
    gaps = pl.when(pl.int_range(N) % 3 == 0).then(None).otherwise("price").alias("price")
    frame.with_columns(gaps).write_csv(tmp_path / "t.csv")
    text = suggest(str(tmp_path / "t.csv"), ["price", "sold"], tmp_path).text
    (tmp_path / "e.yaml").write_text(text)
    loaded = load_experiment(tmp_path / "e.yaml", (), Experiment)
    report = assemble(loaded.spec, loaded.base).data.report
    assert sum(report.rows.values()) == N
    assert sum(report.known["price"].values()) == N - N // 3


def test_names_that_inputs_and_outputs_cannot_have_are_changed(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": X, "1 price (EUR)": COLUMNS["price"], "facts": COLUMNS["sold"]})
    frame.write_csv(tmp_path / "t.csv")
    text = suggest(str(tmp_path / "t.csv"), ["1 price (EUR)", "facts"], tmp_path).text
    (tmp_path / "e.yaml").write_text(text)
    outputs = load_experiment(tmp_path / "e.yaml", (), Experiment).spec.data.outputs
    assert {name: output.columns for name, output in outputs.items()} == {
        "column_1_price_EUR": ("1 price (EUR)",),
        "facts": ("facts",),
    }


def test_free_text_is_an_input_beside_the_columns(tmp_path: Path) -> None:
    made, text = job(tmp_path, "x colour note sold", "sold")
    assert {name: fitted.type for name, fitted in made.data.inputs.items()} == {"facts": "columns", "text": "text"}
    assert "- embedding: 16" in text
    assert "join: concatenate" in text


def test_text_alone_needs_no_join(tmp_path: Path) -> None:
    made, text = job(tmp_path, "note sold", "sold")
    assert list(made.data.inputs) == ["text"]
    assert "join" not in text


def test_why_a_column_is_left_out_is_said_where_the_inputs_have_names(tmp_path: Path) -> None:
    COLUMNS["id"] = range(N)
    _, text = job(tmp_path, "id x note sold", "sold")
    assert "left out: id (a number given to each row" in text


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A table with a column of paths, of dark images where x is below 0."""
    images = shades(N, (12, 12), ("dark", "light"))
    paths = [f"{'light' if x > 0 else 'dark'}/{i:03}.png" for i, x in enumerate(X)]
    write(tmp_path, {path: images[path] for path in paths})
    frame = pl.DataFrame({"photo": paths, **{name: COLUMNS[name] for name in ("x", "colour", "price", "sold")}})
    frame.with_columns(x=pl.Series(RANDOM.normal(size=N).round(3))).write_csv(tmp_path / "cars.csv")
    return tmp_path


def test_images_beside_columns_are_learned_from_together(pictures: Path) -> None:
    (pictures / "e.yaml").write_text(
        nnctl("init", "cars.csv", "--target", "sold", "--target", "price", cwd=pictures).stdout
    )
    data = load_experiment(pictures / "e.yaml", (), Experiment).spec.data
    assert {name: each.type for name, each in data.inputs.items()} == {"facts": "columns", "picture": "image"}
    done = nnctl("check", "e.yaml", cwd=pictures)
    assert "nothing looks wrong" in done.stdout
    assert "test classes of sold" in done.stdout
    run = nnctl("-q", "train", "e.yaml", cwd=pictures).stdout.strip()
    nnctl("eval", run, "--fail-under", "sold.accuracy=0.9", cwd=pictures)


def test_a_list_of_images_alone_stays_one(pictures: Path) -> None:
    pl.read_csv(pictures / "cars.csv").select("photo", "sold").write_csv(pictures / "list.csv")
    assert "type: image_manifest" in suggest(str(pictures / "list.csv"), ["sold"], pictures).text


def test_an_output_that_would_have_all_of_the_gradient_counts_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnctl.suggest.experiment.OVERBEARING", 0.3)
    made, text = job(tmp_path, "x price sold", "price", "sold")
    heavier = max(checks.shares(made), key=checks.shares(made).__getitem__)
    assert "weight: " in text
    assert "of the gradient at the start" in text
    assert heavier in made.heads
