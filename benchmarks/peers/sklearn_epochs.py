"""scikit-learn's side of the training claims; prints one JSON object."""

import argparse
import json
import os
import warnings
from statistics import median
from time import perf_counter

parser = argparse.ArgumentParser()
parser.add_argument("x")
parser.add_argument("t")
parser.add_argument("--threads")
parser.add_argument("--batch", type=int)
parser.add_argument("--epochs", type=int)
parser.add_argument("--learning-rate", type=float)
parser.add_argument("--hidden", type=int, nargs="+")
options = parser.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = options.threads  # before NumPy

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

stamps = []


class Timed(MLPClassifier):
    """Notes when each epoch ends; the last thing an epoch does is to compare its loss."""

    def _update_no_improvement_count(self, *args, **kwargs):
        super()._update_no_improvement_count(*args, **kwargs)
        stamps.append(perf_counter())


warnings.simplefilter("ignore", ConvergenceWarning)  # it was told how many epochs to take
model = Timed(
    options.hidden, alpha=0, batch_size=options.batch, learning_rate_init=options.learning_rate,
    max_iter=options.epochs, n_iter_no_change=options.epochs + 1, tol=0, random_state=0,
)  # fmt: skip
model.fit(np.load(options.x), np.load(options.t))
seconds = median(np.diff(stamps))
print(
    json.dumps(
        {"epoch_seconds": seconds, "loss": float(model.loss_), "versions": {"scikit-learn": sklearn.__version__}}
    )
)
