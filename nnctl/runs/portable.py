"""An experiment as it is written into a run: the same from whichever folder it was started."""

import os
from pathlib import Path

from nnctl.config.experiment import Experiment
from nnctl.data.sources import Source
from nnctl.data.sources.files import STDIN


def relocated(experiment: Experiment, base: Path, folder: Path) -> Experiment:
    """The experiment with its relative paths starting from another folder."""
    sources = {name: source for name, source in experiment.data if isinstance(source, Source)}
    moved = {name: _moved(source, base, folder) for name, source in sources.items()}
    return experiment.model_copy(update={"data": experiment.data.model_copy(update=moved)})


def _moved(source: Source, base: Path, folder: Path) -> Source:
    files = {path for path in source.files() if path != STDIN and not Path(path).is_absolute()}
    paths = {name: os.path.relpath(base / value, folder) for name, value in source if value in files}
    return source.model_copy(update=paths)
