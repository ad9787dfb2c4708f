"""Whether a training runs compiled kernels."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, prod

import numpy as np

from nnctl.engine.compiled import using
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError
from nnctl.kernels import table
from nnctl.optimizers.stepper import Stepper
from nnctl.training.job import Job

#: What loading costs is seconds; what is saved is estimated, so that it has to be worth a good deal more.
WORTHWHILE_SECONDS = 3.0
#: Saved an entry, measured with float32: of the parameters by Adam's one pass in place of ten, and of what an example
#: gives in every layer by rectifiers and pooling.
SAVED_A_PARAMETER, SAVED_A_VALUE = 1.0e-9, 0.3e-9


def seconds_saved(job: Job) -> float:
    """About how much less time a whole training takes with compiled kernels."""
    training = job.experiment.training
    values = sum(signal.repeats * prod(signal.shape) for signal in job.network.signals.values())
    rows = len(job.data.train)
    steps = ceil(ceil(rows / job.batch_size) / training.accumulate)
    an_epoch = steps * job.layout.trained.stop * SAVED_A_PARAMETER + rows * values * SAVED_A_VALUE
    return training.epochs * training.restarts * an_epoch


@contextmanager
def kernels(job: Job) -> Iterator[str]:
    """Run what is made inside on the kernels that the experiment asks for; yields which, and why not compiled ones.

    Raises:
        ConfigError: where compiled ones are asked for and numba is not installed.
    """
    asked = job.experiment.runtime.kernels
    if asked == "numpy" or (asked == "auto" and seconds_saved(job) < WORTHWHILE_SECONDS):
        yield "numpy"
        return
    try:
        compiled = table()
        with using(compiled):
            rehearse(job)
    except ModuleNotFoundError as error:
        if asked == "compiled":
            raise ConfigError(
                "runtime.kernels: compiled needs numba, not installed here: pip install 'nnctl[fast]', or write auto"
            ) from error
        yield "numpy"
        return
    except Exception as error:  # noqa: BLE001 - whatever numba cannot do, NumPy can; the log says what it was
        yield f"numpy, as compiling failed: {type(error).__name__}: {error}"
        return
    with using(compiled):
        yield "compiled"


def rehearse(job: Job) -> None:
    """Take a step that is thrown away, so that all that the training needs is compiled, or is known to fail."""
    theta = job.layout.initial(job.experiment.seed, 0, job.experiment.runtime.dtype)
    objective = job.objective(theta, theta, 0, Workers())
    batch = next(iter(objective.batches(0, 0, 0)))
    objective([batch], last=False)
    stepper = Stepper(job.experiment.optimizer, job.layout, theta.dtype)
    stepper.step(theta, np.array(objective.gradient), 0.0)
