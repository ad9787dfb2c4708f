"""Every loss in every combination of options, and outputs and targets to try them on."""

import numpy as np

from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.losses.base import LossSpec
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy, Logistic
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.focal import Focal
from nnctl.losses.kl_divergence import KLDivergence
from nnctl.losses.margin import Hinge, Perceptron
from nnctl.losses.ordinal import Ordinal
from nnctl.losses.poisson import Poisson
from nnctl.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Quantile,
    SmoothL1,
    SquaredError,
)

K = 4
WEIGHTS = (0.5, 2.0, 1.0, 3.0)

BINARY = [
    loss(**options)
    for loss in (BinaryCrossEntropy, Logistic)
    for options in (
        {},
        {"positive_weight": 2.5},
        {"positive_weight": WEIGHTS},
        {"label_smoothing": 0.2},
        {"class_weights": WEIGHTS},
        {"class_weights": WEIGHTS, "label_smoothing": 0.1, "positive_weight": 3.0},
        {"input": "probabilities"},
        {"input": "probabilities", "positive_weight": WEIGHTS, "label_smoothing": 0.1, "class_weights": WEIGHTS},
    )
]
CATEGORICAL = [
    CrossEntropy(**options)
    for options in (
        {},
        {"class_weights": WEIGHTS},
        {"label_smoothing": 0.1},
        {"class_weights": WEIGHTS, "label_smoothing": 0.1, "temperature": 0.7},
        {"temperature": 2.5},
        {"input": "probabilities"},
        {"input": "probabilities", "class_weights": WEIGHTS, "label_smoothing": 0.3},
    )
]
FOCAL = [
    Focal(), Focal(alpha=None), Focal(gamma=0.0, alpha=None), Focal(gamma=0.5, alpha=0.8), Focal(class_weights=WEIGHTS),
]  # fmt: skip
MARGIN = [
    Hinge(), Hinge(squared=True), Hinge(class_weights=WEIGHTS), Hinge(class_weights=WEIGHTS, squared=True),
    Perceptron(), Perceptron(class_weights=WEIGHTS),
]  # fmt: skip
RESIDUAL = [
    SquaredError(), MeanSquaredError(), MeanAbsoluteError(), Huber(), Huber(delta=0.3), SmoothL1(), SmoothL1(beta=0.3),
    LogCosh(), Quantile(), Quantile(level=0.9),
]  # fmt: skip
WEIGHTED = [SquaredError(class_weights=WEIGHTS), MeanSquaredError(class_weights=WEIGHTS)]
ORDERED = [Ordinal(), Ordinal(class_weights=(*WEIGHTS, 1.5))]
ALL = [*CATEGORICAL, *ORDERED, *BINARY, *FOCAL, *MARGIN, *RESIDUAL, *WEIGHTED, KLDivergence(), Poisson()]


def named(loss: LossSpec) -> str:
    return "-".join(f"{v}" for v in loss.model_dump(exclude_defaults=True).values()) or loss.type


def softmax(z: Array) -> Array:
    e: Array = np.exp(z - z.max(axis=-1, keepdims=True))
    p: Array = e / e.sum(axis=-1, keepdims=True)
    return p


def outputs(loss: Loss, shape: tuple[int, ...], seed: int = 0) -> Array:
    """Outputs of the kind the loss takes, away from every kink."""
    y = np.random.default_rng(seed).normal(0, 2, shape)
    if getattr(loss, "input", "") == "probabilities":
        return 0.05 + 0.8 * softmax(y) if isinstance(loss, CrossEntropy) else 0.05 + 0.9 / (1 + np.exp(-y))
    return np.where(np.abs(y) < 0.01, 0.5, y)


def classes(loss: Loss, k: int = K) -> int:
    """How many classes, labels or numbers k outputs tell."""
    return k + 1 if isinstance(loss, Ordinal) else k


def targets(loss: Loss, shape: tuple[int, ...], seed: int = 1, soft: bool = False) -> Array:
    random = np.random.default_rng(seed)
    if loss in RESIDUAL:
        return random.normal(0, 2, shape)
    if isinstance(loss, KLDivergence) or soft:
        return softmax(random.normal(0, 2, (*shape[:-1], classes(loss, shape[-1]))))
    if loss.encoding == "index":
        return random.integers(classes(loss, shape[-1]), size=shape[:-1])
    if isinstance(loss, Poisson):
        return random.poisson(2.0, shape).astype(float)
    return random.integers(2, size=shape).astype(float)


def run(loss: Loss, y: Array, t: Array, scale: Array | None = None) -> tuple[Array, Array]:
    """Losses and gradient."""
    slot = Slot(y.dtype)
    value = loss.forward(y, t, slot)
    return value, loss.backward(np.ones_like(value) if scale is None else scale, slot)


def mean(loss: Loss, y: Array, t: Array) -> tuple[float, Array]:
    """J and its gradient, as the engine takes them over a batch."""
    mass = loss.mass(t)
    mass = np.ones(y.shape[:-1]) if mass is None else mass
    scale = np.full(y.shape[:-1], 1 / mass.sum())
    value, gradient = run(loss, y, t, scale)
    return (scale * value).sum(), gradient
