"""The scikit-learn script a user would write: digits from CSV to a saved model. CSV MODEL EPOCHS THREADS."""

import json
import os
import sys
import warnings

file, model_file, epochs, threads = sys.argv[1:]
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads  # before NumPy

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

warnings.simplefilter("ignore", ConvergenceWarning)  # it was told how many epochs to take
table = np.loadtxt(file, delimiter=",", skiprows=1, dtype=np.float32)
x, t = table[:, :-1], table[:, -1].astype(np.int64)
x, x_test, t, t_test = train_test_split(x, t, test_size=0.3, stratify=t, random_state=0)
network = MLPClassifier(
    (64, 32), alpha=0, batch_size=32, learning_rate_init=0.003, max_iter=int(epochs), n_iter_no_change=int(epochs),
    random_state=0,
)  # fmt: skip
model = make_pipeline(StandardScaler(), network).fit(x, t)
joblib.dump(model, model_file)
accuracy = model.score(x_test, t_test)
print(json.dumps({"evaluation": {"test": {"accuracy": accuracy}}, "versions": {"scikit-learn": sklearn.__version__}}))
