"""Learning curves: which start, which epoch, which scale."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.errors import DataError
from nnctl.plot.canvas import styled
from nnctl.plot.curves import axis_label, curves_of, draw
from nnctl.runs.directory import RunDirectory
from nnctl.training.history import EpochRow

CONFIG = """\
data: {target: price}
loss: {type: LOSS}
training: {early_stopping: STOPPING}
metrics: [{type: accuracy}, {type: log_loss}]
"""


def run_of(
    folder: Path, rows: Sequence[dict[str, Any]], loss: str = "cross_entropy", stopping: str = "null", **info: Any
) -> RunDirectory:
    run = RunDirectory(folder)
    run.write_config(CONFIG.replace("LOSS", loss).replace("STOPPING", stopping))
    run.update(status="finished", **info)
    for row in rows:
        run.append_row(EpochRow.of_json(row))
    return run


def rows_of(losses: Sequence[float | None], key: str = "validation.loss", **more: int) -> list[dict[str, Any]]:
    return [{"epoch": i, "train.loss": 1.0, key: loss, **more} for i, loss in enumerate(losses, 1)]


BEST = [
    ("null", [3.0, 1.0, 2.0], "validation.loss", 2),
    ("null", [3.0, 1.0, 1.0], "validation.loss", 2),
    ("null", [None, 2.0, 3.0], "validation.loss", 2),
    ("null", [None, None], "validation.loss", None),
    ("{monitor: validation.accuracy}", [0.3, 0.9, 0.5, 0.9], "validation.accuracy", 2),
    ("{monitor: validation.log_loss}", [0.3, 0.9, 0.2], "validation.log_loss", 3),
]


@pytest.mark.parametrize(("stopping", "values", "key", "best"), BEST)
def test_the_best_epoch(
    tmp_path: Path, stopping: str, values: Sequence[float | None], key: str, best: int | None
) -> None:
    found = curves_of(run_of(tmp_path, rows_of(values, key), stopping=stopping, best_epoch=len(values)))
    assert (found.best, found.monitor, found.model) == (best, key, len(values))


def test_without_validation_the_training_loss_counts(tmp_path: Path) -> None:
    rows = [{"epoch": i, "train.loss": loss} for i, loss in enumerate([2.0, 0.5, 1.0], 1)]
    assert curves_of(run_of(tmp_path, rows)).best == 2


def test_the_start_that_was_kept_is_in_colour(tmp_path: Path) -> None:
    rows = rows_of([5, 4], restart=1) + rows_of([3, 1], restart=2) + rows_of([6, 7, 8], restart=3)
    scores = [
        {"restart": i, "epoch": epoch, "epochs": epoch, "value": value, "stop_reason": None}
        for i, (epoch, value) in enumerate([(2, 4), (2, 1), (3, 8)], 1)
    ]
    found = curves_of(run_of(tmp_path, rows, restarts=scores, best_epoch=2, best_value=1))
    assert [len(start) for start in found.restarts] == [2, 2, 3]
    assert found.kept == 1
    with styled():
        lines: dict[Any, Any] = {line.get_label(): line.get_ydata() for line in draw(found, "", 8).axes[0].lines}
    np.testing.assert_array_equal(lines["validation"], [3, 1])
    np.testing.assert_array_equal(lines["other starts, validation"], [5, 4])
    assert sum(len(y) == 3 for y in lines.values()) == 1


def test_a_run_that_goes_on_shows_its_newest_start(tmp_path: Path) -> None:
    found = curves_of(run_of(tmp_path, rows_of([1, 2], restart=1) + rows_of([3], restart=2)))
    assert (found.kept, found.model) == (-1, None)


def test_what_is_drawn_are_the_figures_of_the_epochs(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"epoch": 1, "train.loss": 1.0, "validation.loss": 2.0, "train.accuracy": 0.5, "gradient_norm": 9.0},
        {"epoch": 2, "train.loss": 0.5, "validation.loss": None, "train.accuracy": 0.75},
    ]
    with styled():
        loss, accuracy = draw(curves_of(run_of(tmp_path, rows, best_epoch=1)), "a-0001: curves", 8).axes
    assert [a.get_ylabel() for a in (loss, accuracy)] == ["loss: cross entropy (nats)", "accuracy"]
    assert loss.get_xlabel() == "epoch"
    lines: dict[Any, Any] = {line.get_label(): line.get_ydata() for line in loss.lines}
    np.testing.assert_array_equal(lines["train"], [1.0, 0.5])
    np.testing.assert_array_equal(lines["validation"], [2.0, np.nan])
    assert "best epoch: 1 (validation.loss)" in lines
    assert not any("model" in label for label in lines)


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([1.0, 0.5], "linear"), ([100.0, 1.0], "log"), ([100.0, 0.0], "linear"), ([-5.0, 900.0], "linear")],
)
def test_the_scale_of_the_loss(tmp_path: Path, losses: Sequence[float], scale: str) -> None:
    with styled():
        assert draw(curves_of(run_of(tmp_path, rows_of(losses))), "", 8).axes[0].get_yscale() == scale


@pytest.mark.parametrize(
    ("key", "loss", "label"),
    [
        ("loss", "huber", "loss: huber"),
        ("loss", "binary_cross_entropy", "loss: binary cross entropy (nats)"),
        ("rmse", "huber", "rmse (units of price)"),
        ("log_loss", "huber", "log loss (nats)"),
        ("macro_f1", "huber", "macro f1"),
    ],
)
def test_labels(key: str, loss: str, label: str) -> None:
    metrics = ["rmse", "log_loss", {"type": "f1", "average": "macro"}]
    settings = {"loss": {"type": loss}, "data": {"target": "price"}, "metrics": metrics}
    assert axis_label(key, settings) == label


OUTPUTS = {
    "price": {"target": "price_eur", "loss": "huber", "metrics": ["rmse"]},
    "sold": {"target": "sold", "loss": {"type": "binary_cross_entropy"}, "metrics": ["accuracy", "f1_at_0.3"]},
}


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("loss", "loss"),
        ("price.loss", "price, loss: huber"),
        ("price.rmse", "price, rmse (units of price eur)"),
        ("sold.loss", "sold, loss: binary cross entropy (nats)"),
        ("sold.f1_at_0.3", "sold, f1 at 0.3"),
    ],
)
def test_labels_of_several_outputs(key: str, label: str) -> None:
    assert axis_label(key, {"data": {"outputs": OUTPUTS}}) == label


def test_the_best_epoch_by_one_output(tmp_path: Path) -> None:
    run = run_of(tmp_path, rows_of([0.3, 0.9, 0.5], "validation.sold.accuracy"))
    stopping = {"early_stopping": {"monitor": "validation.sold.accuracy"}}
    run.write_config(json.dumps({"data": {"outputs": OUTPUTS}, "training": stopping}))
    assert curves_of(run).best == 2


def test_labels_of_several_targets_have_no_unit() -> None:
    assert axis_label("rmse", {"data": {"target": ["price", "age"]}, "metrics": ["rmse"]}) == "rmse"


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no epoch is done yet \(finished\)"):
        curves_of(run_of(tmp_path, []))


def test_rows_may_lack_keys(tmp_path: Path) -> None:
    run = run_of(tmp_path, [])
    run.metrics.write_text(json.dumps({"epoch": 1, "train.loss": 1.0}) + "\n{cut")
    assert len(curves_of(run).restarts[0]) == 1
