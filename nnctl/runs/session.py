"""Beginning a run, reopening one, and what is said of it at the end."""

import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from typing import Any, NoReturn

from nnctl import __version__
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.config.paths import moved_path
from nnctl.engine import blas
from nnctl.engine.workers import processors
from nnctl.errors import ConfigError, DataError
from nnctl.runs.directory import RunDirectory
from nnctl.runs.facts import RunFacts
from nnctl.runs.resolved import config_digest, write_config
from nnctl.spec import Spec
from nnctl.training.assemble import job_of
from nnctl.training.checks import training_warnings
from nnctl.training.job import Job
from nnctl.training.loop import EARLY

LIBRARIES = ("numpy", "polars", "pydantic", "safetensors")


def begin(job: Job, root: Path) -> RunDirectory:
    """Make the directory of a new run, with its resolved configuration and its facts."""
    run = RunDirectory.create(root, job.experiment.name)
    try:
        _describe(run, job)
    except BaseException:
        rmtree(run.path, ignore_errors=True)  # a run that never began
        raise
    return run


def _describe(run: RunDirectory, job: Job) -> None:
    write_config(run, job)
    facts: RunFacts = {
        "status": "created",
        "name": job.experiment.name,
        "seed": job.experiment.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": job.network.layout.size,
        "rows": {split: len(data) for split, data in job.splits()},
        **environment(),
        "data": hashes(job, run.path),
        "malformed": len(job.data.report.malformed),
        "dropped": job.data.report.dropped,
        "warnings": warnings(job),
    }
    run.update(**facts)
    run.log(f"created by: nnctl {' '.join(sys.argv[1:])}")
    for message in warnings(job):
        run.log(f"warning: {message}")
    if job.data.report.malformed:
        run.log("\n  ".join(["left out as malformed:", *job.data.report.malformed]))


def warnings(job: Job) -> list[str]:
    """What is to be said before training, of the settings and of the data."""
    return [*training_warnings(job), *(problem.message for problem in job.data.report.problems)]


def environment() -> RunFacts:
    """What may change a result from machine to machine."""
    # Asking the modules is much quicker than reading what was installed, and says what is in use.
    libraries = {name: import_module(name).__version__ for name in LIBRARIES}
    return {
        "versions": {"nnctl": __version__, "python": platform.python_version(), **libraries},
        "platform": platform.platform(),
        "blas": blas.describe(),
        "processors": processors(),
    }


def hashes(job: Job, folder: Path) -> dict[str, str]:
    """SHA-256 of each data file, by its path as config.yaml in `folder` has it."""
    return {moved_path(name, job.base, folder): digest for name, digest in job.data.report.files.items()}


def resume(run: RunDirectory, overrides: Sequence[str]) -> Job:
    """The job of a run that is to go on; nothing is written. Hold the run's lock.

    `overrides` may extend it (`training.epochs`, `training.early_stopping.patience`) or change how it is
    computed (`runtime.threads`).

    Raises:
        DataError: where its data changed.
        ConfigError: where config.yaml was edited, or an override would make it another experiment.
    """
    info = run.info()
    if info.get("config") not in (None, config_digest(run.config.read_text("utf-8", "replace"))):
        raise ConfigError(
            f"{run.config}: was edited after the run began; give changes by --set, or train it as a new run"
        )
    before = load_experiment(run.config, (), Experiment).spec
    loaded = load_experiment(run.config, overrides, Experiment)
    _only_extends(before, loaded.spec)
    _extends_something(before, loaded.spec, info)
    job = job_of(loaded)
    if info.get("data") != hashes(job, run.path):
        names = ", ".join(job.data.report.files) or "the data"
        raise DataError(f"{names}: has changed since the run began; a resumed run needs the same data")
    return job


#: What may differ between a run and its continuation.
_MAY_CHANGE = {
    "training": {"epochs", "early_stopping"},
    "runtime": {"threads", "ranks", "kernels", "checkpoint_seconds"},
}
_EARLY_STOPPING_MAY_CHANGE = {"patience"}


def _only_extends(before: Experiment, after: Experiment) -> None:
    for key, value in before:
        changed = getattr(after, key)
        if changed == value:
            continue
        if not _changed_keys(value, changed) <= _MAY_CHANGE.get(key, set()):
            _refuse(key)
    old, new = before.training.early_stopping, after.training.early_stopping
    if not _changed_keys(old, new) <= _EARLY_STOPPING_MAY_CHANGE:
        _refuse("training.early_stopping")


def _extends_something(before: Experiment, after: Experiment, info: RunFacts) -> None:
    """Refuse more epochs for a run that early stopping ended: it would stop at once again."""
    more = after.training.epochs > before.training.epochs
    same = after.training.early_stopping == before.training.early_stopping
    if more and same and info.get("stop_reason", "").startswith(EARLY):
        raise ConfigError(
            "training.epochs: the run was ended by early stopping, and more epochs would end at once; raise "
            "training.early_stopping.patience as well"
        )


def _changed_keys(old: Any, new: Any) -> set[str]:
    """Names of the fields in which two values of one section differ; `type` where they are of two kinds."""
    if old == new:
        return set()
    if not isinstance(old, Spec) or type(old) is not type(new):
        return {"type"}
    return {name for name, value in old if getattr(new, name) != value}


def _refuse(key: str) -> NoReturn:
    raise ConfigError(
        f"--resume continues the same experiment: {key} cannot change (training.epochs, "
        "training.early_stopping.patience and runtime.threads can); start a new run for another one"
    )
