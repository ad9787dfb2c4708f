"""Settings that contradict others, or the data: each is refused or told, with its key."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.errors import ConfigError
from nnctl.training.assemble import job_of
from nnctl.training.checks import training_warnings
from nnctl.training.job import Job

CSV = {"type": "csv", "path": "t.csv"}
CLASSES = {"data": {"source": CSV, "target": "y", "exclude": ["g", "w"]}, "model": {"hidden": [3]}}
NUMBERS = {"data": {"source": CSV, "target": "g", "exclude": ["y", "w"]}}
NO_WORDS = {"data": {"source": CSV, "target": "y", "features": ["a", "b"]}}
ARRAYS = {"data": {"source": {"type": "npy", "path": "x.npy", "labels": "y.npy"}}}
NAMED = {"data": {"source": {"type": "npz", "path": "m.npz", "inputs": ["l", "r"]}, "task": "classification"}}
LEFT = {"l": {"type": "array", "array": "l"}}

#: Experiment, what is set in it, and the beginning of what is said of it.
TOLD: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (ARRAYS, {"data.preprocess": {"categorical": "ordinal"}}, "data.preprocess.categorical: is ordinal, and no input"),
    (ARRAYS, {"data.preprocess": {"missing": "median"}}, "data.preprocess.missing: is median, and no input"),
    (ARRAYS, {"data.preprocess": {"unseen": "other"}}, "data.preprocess.unseen: is other, and no input"),
    (ARRAYS, {"data.preprocess": {"max_categories": 5}}, "data.preprocess.max_categories: is 5, and no input"),
    (ARRAYS, {"data.preprocess": {"columns": {"a": {}}}}, "data.preprocess.columns: names a, and no input"),
    (CLASSES, {"data.preprocess": {"numeric": "scale"}}, "data.preprocess.numeric: is scale, which is for arrays"),
    (CLASSES, {"data.preprocess": {"by": "channel"}}, "data.preprocess.by: is channel, and every input"),
    (
        NO_WORDS,
        {"data.preprocess": {"categorical": "ordinal"}},
        "data.preprocess.categorical: is ordinal, and no",
    ),
    (NO_WORDS, {"data.preprocess": {"max_categories": 5}}, "data.preprocess.max_categories: is 5, and no column"),
    (
        NO_WORDS,
        {"data.preprocess": {"columns": {"a": {"categorical": "ordinal"}}}},
        "data.preprocess.columns.a.categorical: is ordinal, and the column is numeric",
    ),
    (
        CLASSES,
        {"data.preprocess": {"columns": {"c": {"numeric": "robust"}}}},
        "data.preprocess.columns.c.numeric: is robust, and the column is categorical",
    ),
    (
        CLASSES,
        {"data.preprocess": {"columns": {"a": {"unseen": "other"}}}},
        "data.preprocess.columns.a.unseen: is other, and the column is numeric",
    ),
    (CLASSES, {"data.preprocess": {"columns": {"y": {}}}}, "data.preprocess.columns.y: the column is not learned from"),
    (CLASSES, {"data.preprocess": {"columns": {"g": {}}}}, "data.preprocess.columns.g: the column is not learned from"),
    (CLASSES, {"data.preprocess": {"target": "standardize"}}, "data.preprocess.target: is standardize, and nothing"),
    (NAMED, {}, "data.source.inputs: lists r, which no input"),
    (NAMED, {"data.inputs": LEFT}, "data.source.inputs: lists r, which no input"),
    (CLASSES, {"model": {"dropout": 0.5}}, "model.dropout: is 0.5, and there is no hidden layer"),
    (CLASSES, {"model": {"activation": "tanh"}}, "model.activation: is tanh, and there is no hidden layer"),
    (CLASSES, {"model": {"normalization": "batch"}}, "model.normalization: is batch, and there is no hidden layer"),
    (CLASSES, {"model.join": "add"}, "model.join: is add, and there is one input"),
    (CLASSES, {"metrics": ["top_5_accuracy"]}, "metrics: top_5_accuracy is 1 whatever is predicted of 2 classes"),
    (CLASSES, {"training": {"clip_norm": 1.0, "clip_value": 5.0}}, "training.clip_value: is 5, and no entry"),
    (CLASSES, {"training": {"shuffle": False, "batch_size": "full"}}, "training.shuffle: is false, and a full batch"),
    (CLASSES, {"training": {"batch_size": 4000}}, "training.batch_size: is 4000, and training has 42 examples"),
    (CLASSES, {"training": {"accumulate": 40}}, "training.accumulate: is 40 batches a step, and an epoch has 2"),
    (CLASSES, {"training": {"shards": 64}}, "training.shards: is 64, and a batch is cut into"),
    (CLASSES, {"runtime": {"ranks": 64}}, "runtime.ranks: is 64, and a batch is cut into"),
    (
        CLASSES,
        {"model.normalization": "batch", "runtime": {"ranks": 2}},
        "runtime.ranks: is 2, and a batch is cut",
    ),
    (CLASSES, {"runtime": {"ranks": 2, "threads": 3}}, "runtime.threads: is 3, and ranks train in place"),
    (
        NUMBERS,
        {
            "data.target": "y",
            "data.exclude": ["g"],
            "data.weight": "w",
            "loss": {"type": "binary_cross_entropy", "class_weights": "balanced"},
        },
        "loss.class_weights: stand beside data.weight",
    ),
    (
        CLASSES,
        {"loss": {"type": "binary_cross_entropy", "class_weights": "balanced", "positive_weight": 2.0}},
        "loss.positive_weight: stands beside class_weights",
    ),
]
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (CLASSES, {"data.source": {**CSV, "quote": ","}}, "separator and quote are both ','"),
    (CLASSES, {"data.source": {**CSV, "quote": None, "decimal": ","}}, "separator is ',', and numbers are written"),
    (CLASSES, {"data.source": {**CSV, "units": {"zz": "kg"}}}, "data.source.units: t.csv has no column 'zz'"),
    (CLASSES, {"loss": {"type": "binary_cross_entropy", "class_weights": [0.0, 0.0]}}, "loss.class_weights: are all 0"),
    (CLASSES, {"model": {"hidden": [3], "layers": [{"dense": 3}]}}, "`hidden` belongs to the short form"),
    (NUMBERS, {"data.split": {"stratify": True}}, "data.split.stratify: needs classes"),
    (NUMBERS, {"data.order": [1, 2]}, "data.order: is of classes, and the task is regression"),
    (NUMBERS, {"loss": {"type": "mean_squared_error", "class_weights": "balanced"}}, "loss.class_weights: weights"),
    (ARRAYS, {"data.types": {"a": "numeric"}}, "data.types: names columns"),
    (CLASSES, {"data.augment": [{"type": "noise"}]}, "data.augment: changes arrays"),
    (CLASSES, {"data.preprocess": {"target": "log"}}, "data.preprocess.target: is log, and the task is classification"),
    (CLASSES, {"schedule": {"type": "reduce_on_plateau", "monitor": "validation.roc_auc"}}, "schedule.monitor: valid"),
    (CLASSES, {"optimizer": {"type": "sgd", "nesterov": True}}, "Nesterov's rule needs a momentum"),
    (CLASSES, {"data.split": {"column": "a"}}, "data.split: column is a, and by is row"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"{i * 0.5},{(i * 7) % 13},{'uvw'[i % 3]},{i % 2},{(i * i) % 17}.5,{1 + i % 2}" for i in range(60)]
    (tmp_path / "t.csv").write_text("a,b,c,y,g,w\n" + "\n".join(rows) + "\n")
    x = np.random.default_rng(0).standard_normal((40, 3))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", np.arange(40) % 2)
    np.savez(tmp_path / "m.npz", l=x, r=x, y=np.arange(40) % 2)
    return tmp_path


def job(folder: Path, experiment: dict[str, Any], changes: dict[str, Any]) -> Job:
    settings = deepcopy(experiment)
    for key, value in changes.items():
        section, _, last = key.rpartition(".")
        (settings.setdefault(section, {}) if section else settings)[last] = value
    (folder / "e.yaml").write_text(yaml.safe_dump(settings))
    return job_of(load_experiment(folder / "e.yaml", (), Experiment))


@pytest.mark.parametrize(("experiment", "changes", "words"), TOLD, ids=[words for *_, words in TOLD])
def test_a_setting_without_effect_is_told_once(
    folder: Path, experiment: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    told = [message for message in training_warnings(job(folder, experiment, changes)) if message.startswith(words)]
    assert len(told) == 1
    assert any(advice in told[0] for advice in ("; take", "; write", "; learn"))


@pytest.mark.parametrize(("experiment", "changes", "words"), REFUSED, ids=[words for *_, words in REFUSED])
def test_a_contradiction_is_refused_with_its_line(
    folder: Path, experiment: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=r"e\.yaml:\d+: ") as error:
        job(folder, experiment, changes)
    assert words in str(error.value)


@pytest.mark.parametrize("experiment", [CLASSES, NUMBERS, NO_WORDS, ARRAYS])
def test_nothing_is_said_of_settings_that_have_an_effect(folder: Path, experiment: dict[str, Any]) -> None:
    assert list(training_warnings(job(folder, experiment, {"training": {"clip_norm": 5.0, "clip_value": 1.0}}))) == []
