"""Runs as training leaves them, made without training: the weights are those of the start."""

from pathlib import Path

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.config.paths import relocated
from nnctl.runs import session
from nnctl.runs.facts import ModelFacts
from nnctl.runs.model import Model, save_model
from nnctl.training.assemble import assemble
from nnctl.training.report import trivial_answers


def make_run(folder: Path, config: str, **data: str) -> Path:
    """Write data files (name to text, `_` for the dot) and an experiment; return the path of its run."""
    for name, text in data.items():
        (folder / name.replace("_", ".")).write_text(text)
    file = folder / "experiment.yaml"
    file.write_text(config)
    loaded = load_experiment(file, (), Experiment)
    job = assemble(loaded.spec, loaded.base)
    run = session.begin(job, folder / "runs")
    theta = job.network.layout.initial(job.experiment.seed, dtype=job.experiment.runtime.dtype)
    facts = ModelFacts(epoch=0, baseline={n: tuple(a.tolist()) for n, a in trivial_answers(job).items()})
    experiment = relocated(job.experiment, job.base, run.path)
    save_model(run.model, Model(experiment, job.data.fitted, job.network, job.heads, theta, facts))
    run.update(status="finished")
    return run.path
