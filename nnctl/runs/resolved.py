"""config.yaml of a run: the resolved experiment, and how it is recognised."""

from hashlib import sha256

from nnctl.config.dumping import dump_yaml
from nnctl.config.paths import relocated
from nnctl.runs.directory import RunDirectory
from nnctl.training.job import Job


def write_config(run: RunDirectory, job: Job) -> None:
    """Write config.yaml, with paths relative to the run, and its hash into run.json."""
    text = dump_yaml(relocated(job.experiment, job.base, run.path).model_dump(mode="json"))
    if not run.config.exists() or run.config.read_text() != text:
        run.write_config(text)
    run.update(config=config_digest(text))


def config_digest(text: str) -> str:
    """SHA-256 of config.yaml: a run is only continued with the experiment it was begun with."""
    return sha256(text.encode()).hexdigest()
