"""Thirty steps of a convolutional network against a recorded run of PyTorch."""

from pathlib import Path

import numpy as np
import pytest

from nnctl.activations import Relu
from nnctl.config.architecture import settle
from nnctl.engine import shards
from nnctl.engine.parameters import Array, Layout
from nnctl.layers import Conv2d, Dense, Flatten, MaxPool2d
from nnctl.losses import CrossEntropy
from nnctl.optimizers import SGD, Stepper
from tests.networks import MeanLoss, chain

RUN = np.load(Path(__file__).parents[1] / "reference/train/cnn_momentum.npz")
LAYERS = settle(
    [
        Conv2d(filters=3, padding=1, activation=Relu()),
        MaxPool2d(),
        Conv2d(filters=4, padding="valid", activation=Relu()),
        Flatten(),
        Dense(units=4),
    ]
)
NAMES = {"c1": "conv2d1", "c2": "conv2d2", "fc": "dense1"}
X = np.moveaxis(RUN["in.x"], 1, -1)


def ours(name: str, a: Array) -> Array:
    """PyTorch's tensors with our axes; `fc` sees (channels, height, width) flattened, ours channels last."""
    if a.ndim == 4:
        return a.transpose(2, 3, 1, 0)
    return a.reshape(4, 4, 2, 2).transpose(2, 3, 1, 0).reshape(16, 4) if name == "fc" and a.ndim == 2 else a


def theta_of(layout: Layout, moment: str) -> Array:
    theta = np.empty(layout.size)
    for theirs, name in NAMES.items():
        for part in ("weight", "bias"):
            layout.view(theta, f"{name}.{part}")[...] = ours(theirs, RUN[f"{moment}.{theirs}.{part}"])
    return theta


@pytest.mark.parametrize("rows", [8, 3])
def test_a_recorded_run_with_nesterov_momentum(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one shard, and in shards of at most three examples."""
    monkeypatch.setattr(
        shards, "plan_shards", lambda _, n, most: [slice(a, min(a + rows, n)) for a in range(0, n, rows)]
    )
    network = chain(LAYERS, (8, 8, 1))
    theta = theta_of(network.layout, "param_before")
    objective = MeanLoss(network, CrossEntropy(), theta, most_shards=100)
    stepper = Stepper(SGD(learning_rate=0.05, momentum=0.9, nesterov=True), network.layout, theta.dtype)
    losses = []
    for step, batch in enumerate(RUN["in.batches"]):
        losses.append(objective(X[batch], RUN["in.y"][batch]))
        if step == 0:
            expected = theta_of(network.layout, "first_grad")
            np.testing.assert_allclose(objective.gradient, expected, rtol=1e-10, atol=1e-14)
        stepper.step(theta, objective.gradient, 0.05)
    np.testing.assert_allclose(losses, RUN["out.losses"], rtol=1e-10)
    np.testing.assert_allclose(theta, theta_of(network.layout, "param_after"), rtol=1e-10, atol=1e-12)
    outputs = np.empty((24, 4))
    objective(X, RUN["in.y"], outputs=outputs, backward=False, training=False)
    np.testing.assert_allclose(outputs, RUN["out.eval_output"], rtol=1e-10)
