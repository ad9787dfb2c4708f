"""What is said before training."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from nnctl.config.experiment import Experiment
from nnctl.training.assemble import assemble
from nnctl.training.checks import InitialLoss, initial_loss, loss_warning, training_warnings
from nnctl.training.job import Job


@pytest.mark.parametrize(
    ("loss", "chance", "words"),
    [
        (math.nan, 1.0, "not a finite number"),
        (math.inf, 1.0, "not a finite number"),
        (12.0, 1.0, "is 12.0 times what chance gives"),
        (4.0, 1.0, None),
        (0.4, 0.0, None),  # the perceptron's criterion, or a constant target: nothing to compare with
        (0.4, 1e-33, None),  # the same after rounding
    ],
)
def test_the_initial_loss(loss: float, chance: float, words: str | None) -> None:
    said = loss_warning(InitialLoss(loss, chance))
    assert said is None if words is None else words in (said or "")


def test_inputs_that_are_scaled_are_not_blamed() -> None:
    assert "not scaled" in (loss_warning(InitialLoss(12.0, 1.0)) or "")
    assert "not scaled" not in (loss_warning(InitialLoss(12.0, 1.0), scaled=True) or "")


def job_of(rows: list[dict[str, float | None]], loss: dict[str, str] | None = None) -> Job:
    data = {
        "source": {"type": "inline", "rows": rows},
        "inputs": {"x": {"columns": ["a"]}},
        "outputs": {"p": {"target": "y", "loss": loss} if loss else {"target": "y"}, "q": {"target": "z"}},
        "split": {"validation": 0.25, "test": 0.0},
    }
    heads = {"p": [{"dense": 1}, "sigmoid"], "q": []} if loss else {}
    return assemble(Experiment.model_validate({"data": data, "model": {"outputs": heads}}), Path())


def test_chance_of_probabilities_is_that_of_not_knowing() -> None:
    rows: list[dict[str, float | None]] = [{"a": i, "y": i % 2, "z": i / 7} for i in range(40)]
    nets, shares = job_of(rows), job_of(rows, {"type": "binary_cross_entropy", "input": "probabilities"})
    assert initial_loss(shares).chance == pytest.approx(initial_loss(nets).chance, rel=1e-12)


def test_a_split_that_says_nothing_of_an_output() -> None:
    rows: list[dict[str, float | None]] = [{"a": i, "y": i % 2, "z": i / 7} for i in range(40)]
    assert not [said for said in training_warnings(job_of(rows)) if "split" in said]
    held_out = job_of(rows).data.validation
    assert held_out is not None
    for number in held_out.numbers:
        rows[number - 1]["z"] = None
    assert "no row of the validation split says anything of q" in " ".join(training_warnings(job_of(rows)))


def one_class_or_both(monitor: str, **settings: object) -> Job:
    held_out = [{"x": 1.0, "y": 0.0}, {"x": 2.0, "y": 0.0}]
    data = {
        "train": {"type": "inline", "rows": [{"x": i, "y": i % 2} for i in range(8)]},
        "validation": {"type": "inline", "rows": held_out},
        "target": "y",
        **settings,
    }
    metrics = [monitor.partition(".")[2]]
    training = {"early_stopping": {"monitor": monitor}}
    return assemble(Experiment.model_validate({"data": data, "metrics": metrics, "training": training}), Path())


@pytest.mark.parametrize(
    ("monitor", "task", "undefined"),
    [
        ("validation.roc_auc", "classification", "examples of one class alone"),
        ("validation.r2", "regression", "examples whose target is the same in all"),
        ("validation.mape", "regression", "examples whose target is 0"),
        ("validation.accuracy", "classification", None),
        ("validation.rmse", "regression", None),
        ("train.roc_auc", "classification", None),
        ("train.r2", "regression", None),
    ],
)
def test_a_monitored_figure_that_cannot_be_a_number(monitor: str, task: str, undefined: str | None) -> None:
    told = [each for each in training_warnings(one_class_or_both(monitor, task=task)) if monitor in each]
    assert len(told) == (undefined is not None)
    assert all(f"undefined for {undefined}" in each and "training.early_stopping.monitor: " in each for each in told)


def test_the_figure_that_a_schedule_watches_is_looked_at_too() -> None:
    job = one_class_or_both("validation.r2", task="regression")
    plateau = Experiment.model_validate(
        {
            "data": {"train": {"type": "inline", "rows": [{}]}},
            "schedule": {"type": "reduce_on_plateau", "monitor": "validation.r2"},
        }
    ).schedule
    both = replace(job, experiment=job.experiment.model_copy(update={"schedule": plateau}))
    assert sum("write schedule.monitor: validation.loss" in each for each in training_warnings(both)) == 1
