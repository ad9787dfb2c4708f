"""Beginning a run, reopening one, and what is said of it at the end."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nnctl import __version__
from nnctl.config.dumping import dump_yaml
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.config.paths import relocated
from nnctl.engine import blas
from nnctl.engine.workers import processors
from nnctl.errors import ConfigError, DataError
from nnctl.runs.directory import RunDirectory
from nnctl.training.assemble import job_of
from nnctl.training.job import Job

LIBRARIES = ("numpy", "polars", "pydantic", "safetensors")


def begin(job: Job, root: Path) -> RunDirectory:
    """Make the directory of a new run, with its resolved configuration and its facts."""
    run = RunDirectory.create(root, job.experiment.name)
    run.write_config(config_text(job, run.path))
    run.update(
        status="created",
        name=job.experiment.name,
        seed=job.experiment.seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        parameters=job.network.layout.size,
        rows={split: len(data) for split, data in job.splits()},
        **environment(),
        data={os.path.relpath(job.base / name, run.path): digest for name, digest in job.data.report.files.items()},
    )
    run.log(f"created by: nnctl {' '.join(sys.argv[1:])}")
    return run


def config_text(job: Job, folder: Path) -> str:
    """The resolved experiment as YAML, its paths relative to the folder it is written to."""
    return dump_yaml(relocated(job.experiment, job.base, folder).model_dump(mode="json"))


def environment() -> dict[str, Any]:
    """What may change a result from machine to machine."""
    return {
        "versions": {"nnctl": __version__, "python": platform.python_version(), **{n: version(n) for n in LIBRARIES}},
        "platform": platform.platform(),
        "blas": blas.describe(),
        "processors": processors(),
    }


def resume(path: Path, overrides: Sequence[str]) -> tuple[RunDirectory, Job]:
    """Open a run to go on with it.

    `overrides` may extend it (`training.epochs`, `training.early_stopping`) or change how it is computed
    (`runtime.threads`).

    Raises:
        DataError: where the path is no run, or its data changed.
        ConfigError: where an override would make it another experiment.
    """
    run = RunDirectory.open(path)
    before = load_experiment(run.config, (), Experiment).spec
    loaded = load_experiment(run.config, overrides, Experiment)
    _only_extends(before, loaded.spec)
    job = job_of(loaded)
    _same_data(run, job)
    if overrides:
        run.write_config(config_text(job, run.path))
    return run, job


#: What may differ between a run and its continuation.
_MAY_CHANGE = {"training": {"epochs", "early_stopping"}, "runtime": {"threads", "checkpoint_seconds"}}


def _only_extends(before: Experiment, after: Experiment) -> None:
    for key, value in before:
        changed = getattr(after, key)
        if changed == value:
            continue
        allowed = _MAY_CHANGE.get(key) or set()
        inner = {k for k, v in value if getattr(changed, k, None) != v} if hasattr(value, "model_fields_set") else {key}
        if not inner <= allowed or type(changed) is not type(value):
            raise ConfigError(
                f"--resume continues the same experiment: {key} cannot change "
                "(training.epochs, training.early_stopping and runtime.threads can); start a new run for another one"
            )


def _same_data(run: RunDirectory, job: Job) -> None:
    known = run.info().get("data", {})
    for name, digest in job.data.report.files.items():
        if known.get(name, digest) != digest:
            raise DataError(f"{name}: has changed since the run began; a resumed run needs the same data")
