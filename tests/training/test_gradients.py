"""The check of whole models: what they hold still, what they leave out, where they are at odds with a derivative."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.activations.rectifiers import Relu
from nnctl.activations.sigmoids import Sigmoid, Tanh
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.data.dataset import Dataset
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.gradcheck import Settings, TensorCheck
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.errors import Diverged
from nnctl.initializers import Constant, Normal, Zeros
from nnctl.layers import Activation, BatchNormalization, Dense, Dropout
from nnctl.losses import CrossEntropy
from nnctl.losses.base import LossSpec
from nnctl.losses.regression import MeanSquaredError, SquaredError
from nnctl.regularization import Penalty, Regularization
from nnctl.training.assemble import assemble
from nnctl.training.gradients import ALL, GradientReport, check_job
from nnctl.training.job import Job
from tests.experiments import SHIPPED
from tests.networks import arrays, chain, check_network

ROOT = Path(__file__).parents[2]
SPREAD = Normal(deviation=0.5)
RANDOM = np.random.default_rng(4)
X, T = RANDOM.normal(size=(8, 4)), RANDOM.normal(size=(8, 2))
LABELS, WEIGHTS = RANDOM.integers(0, 2, 8), RANDOM.uniform(0, 3, 8)
EVERY = Settings(samples=None)
HALF_SQUARES = SquaredError()


def dense(units: int, **settings: Any) -> Dense:
    return Dense(**{"units": units, "init": SPREAD, "bias_init": SPREAD, **settings})


def checked(
    layers: Sequence[Layer],
    x: Array = X,
    t: Array = T,
    w: Array | None = None,
    loss: LossSpec = HALF_SQUARES,
    theta: Array | None = None,
    settings: Settings = EVERY,
    **penalties: float,
) -> tuple[GradientReport, dict[str, TensorCheck]]:
    network = chain(layers, x.shape[1:])
    theta = network.layout.initial(3, dtype="f8") if theta is None else theta
    penalty = Penalty(Regularization(**penalties), network.layout) if penalties else None
    report = check_network(network, loss, theta, x, t, w, penalty, 1, settings)
    return report, {check.name: check for check in report.checks}


def test_one_line_a_tensor_one_for_all_and_one_for_the_input() -> None:
    report, lines = checked([dense(3), Activation(function=Tanh()), dense(2)])
    assert list(lines) == ["dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias", ALL, INPUT]
    assert report.worst.worst < 1e-7
    assert lines[INPUT].shape == (8, 4)
    assert lines[INPUT].checked == 32
    assert (lines[ALL].checked, lines[ALL].projection_error is None) == (0, False)
    assert (report.examples, report.penalty, report.frozen, report.failed) == (8, 0.0, [], [])


def test_one_tensor_is_all_parameters_too() -> None:
    report, lines = checked([dense(2, bias=False)])
    assert list(lines) == ["dense1.weight", ALL, INPUT]
    assert report.verdict == "passed"


def test_whole_numbers_are_never_nudged() -> None:
    """Tokens stand for words: there is none between two of them, and no gradient."""
    seen: list[Array] = []

    class Watching(Dense):
        def forward(self, p: Any, x: Array, slot: Slot) -> Array:
            seen.append(x.copy())
            return super().forward(p, x.astype(slot.dtype), slot)

    tokens = RANDOM.integers(0, 9, (8, 4))
    report, lines = checked([Watching(units=2, init=SPREAD)], x=tokens)
    assert list(lines) == ["dense1.weight", "dense1.bias", ALL]
    assert report.verdict == "passed"
    assert {x.dtype for x in seen} == {tokens.dtype}
    assert all((x == tokens).all() for x in seen)


@pytest.mark.parametrize("factor", [-3.0, 0.0, 1.3])
def test_a_wrong_backward_pass_never_passes(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for targets of any size: where rounding hides it, the check says that it cannot tell."""
    right, layers = Tanh.backward, [dense(3), Activation(function=Tanh()), dense(2)]
    sizes = [10.0**digits for digits in range(18)]
    assert {checked(layers, t=size * T)[0].verdict for size in sizes} == {"passed", "undecided"}
    monkeypatch.setattr(Tanh, "backward", lambda self, dy, x, y, out: right(self, factor * dy, x, y, out))
    assert {checked(layers, t=size * T)[0].verdict for size in sizes} == {"failed", "undecided"}


def test_frozen_tensors_are_listed_and_not_checked() -> None:
    layers = [dense(3, trainable=False), BatchNormalization(), dense(2, train_bias=False)]
    report, lines = checked(layers)
    assert set(lines) == {"batch_normalization1.gain", "batch_normalization1.shift", "dense2.weight", ALL, INPUT}
    assert set(report.frozen) == {
        "dense1.weight", "dense1.bias", "dense2.bias",
        "batch_normalization1.running_mean", "batch_normalization1.running_variance",
    }  # fmt: skip
    assert report.worst.worst < 1e-6


def test_the_arguments_are_left_as_they_were() -> None:
    layers = [dense(3), BatchNormalization(), Dropout(rate=0.5), dense(2)]
    theta = chain(layers, (4,)).layout.initial(3, dtype="f8")
    x = X.copy()
    theta.flags.writeable = x.flags.writeable = False
    assert not checked(layers, x=x, theta=theta)[0].failed


def test_dropout_masks_stand_still_and_drop() -> None:
    layers = [dense(3), Activation(function=Tanh()), Dropout(rate=0.5), dense(2)]
    report, _ = checked(layers)
    assert report.worst.worst < 1e-7
    assert report.loss != checked([*layers[:2], layers[3]])[0].loss


def test_weights_of_examples_and_classes_count() -> None:
    reports = [
        checked([dense(2)], t=LABELS, w=weights, loss=CrossEntropy(class_weights=classes))[0]
        for weights, classes in ((None, None), (WEIGHTS, None), (None, (0.3, 2.0)), (WEIGHTS, (0.3, 2.0)))
    ]
    assert len({report.loss for report in reports}) == 4
    assert max(report.worst.worst for report in reports) < 1e-7


def test_the_penalty_is_part_of_j() -> None:
    layers = [dense(3), Activation(function=Tanh()), dense(2)]
    report, _ = checked(layers, l1=0.05, l2=0.1)
    network = chain(layers, (4,))
    theta = network.layout.initial(3, dtype="f8")
    weights = theta[network.layout.decayed]
    assert report.loss == pytest.approx(checked(layers)[0].loss)
    assert report.penalty == pytest.approx(0.05 * np.abs(weights).sum() + 0.05 * (weights**2).sum())
    assert report.worst.worst < 1e-7


def test_l1_has_a_kink_at_zero() -> None:
    report, lines = checked([dense(2, init=Zeros())], l1=0.1)
    assert (lines["dense1.weight"].kinks, lines["dense1.weight"].checked) == (8, 0)
    assert lines["dense1.bias"].kinks == 0
    assert not report.failed


def test_zero_inputs_and_biases_put_rectifiers_on_their_kink() -> None:
    x = X.copy()
    x[2] = 0
    layers = [dense(3, bias_init=Zeros()), Activation(function=Relu()), dense(2)]
    report, lines = checked(layers, x=x)
    assert lines["dense1.bias"].kinks == 3
    assert lines["dense1.weight"].kinks == 0
    assert lines[INPUT].kinks == 4
    assert not report.failed


@pytest.mark.parametrize(
    ("layers", "silent"),
    [
        ([dense(3, bias_init=Constant(value=-100.0)), Activation(function=Relu()), dense(2)], {"dense2.weight"}),
        ([dense(3), dense(2, init=Zeros())], set()),
    ],
    ids=["dead units", "zero weights"],
)
def test_dead_units_and_zero_weights_show_as_zero_gradients(layers: Sequence[Layer], silent: set[str]) -> None:
    report, lines = checked(layers)
    assert {name for name, check in lines.items() if check.zero} == {"dense1.weight", "dense1.bias", INPUT} | silent
    assert not report.failed


def test_vanishing_gradients_are_no_errors_and_are_counted() -> None:
    deep = [layer for _ in range(24) for layer in (dense(3), Activation(function=Sigmoid()))]
    report, lines = checked([*deep, dense(2)], settings=Settings())
    first, last = lines["dense1.weight"], lines["dense25.weight"]
    assert (first.zero, first.unresolved, last.unresolved) == (False, first.checked, 0)
    assert report.worst.worst < 1e-6


@pytest.mark.parametrize("size", [1e-6, 1e3, 1e6])
def test_targets_of_any_size(size: float) -> None:
    report, _ = checked([dense(3), Activation(function=Tanh()), dense(2)], t=size * T, loss=MeanSquaredError())
    assert report.worst.worst < 1e-6


@pytest.mark.parametrize("size", [1e-3, 1e3, 1e5])
def test_inputs_of_any_size(size: float) -> None:
    report, _ = checked([dense(3), Activation(function=Tanh()), dense(2)], x=size * X)
    assert report.worst.worst < 1e-6


def test_a_loss_that_is_not_finite_has_no_gradient() -> None:
    with pytest.raises(Diverged, match="the loss of the checked batch is inf"):
        checked([dense(2)], x=1e200 * X)


def job_of(config: str, *overrides: str) -> Job:
    loaded = load_experiment(ROOT / "configs" / config, overrides, Experiment)
    return assemble(loaded.spec, loaded.base)


def test_a_job_at_its_start_and_at_other_weights() -> None:
    job = job_of("iris.yaml", "regularization.l1=0.001", "model.dropout=0.2", "model.normalization=batch")
    report = check_job(job)
    assert report.examples == 16
    assert report.penalty > 0
    assert report.worst.worst < 1e-6
    assert report == check_job(job, job.network.layout.initial(job.experiment.seed, dtype="f8"))
    theta = np.full(job.network.layout.size, 0.1, np.float32)
    elsewhere = check_job(job, theta, batch=5)
    assert elsewhere.examples == 5
    assert elsewhere.loss != report.loss
    assert not elsewhere.failed


def test_a_job_with_weighted_examples() -> None:
    job = job_of("iris.yaml")
    train = replace(job.data.train, w=np.linspace(0, 3, len(job.data.train)))
    weighted = check_job(replace(job, data=replace(job.data, train=train)))
    assert weighted.loss != check_job(job).loss
    assert not weighted.failed


def test_the_batch_is_drawn_from_all_of_the_training_data(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, take = [], Dataset.take
    monkeypatch.setattr(Dataset, "take", lambda self, rows, dtype: (taken.append(rows), take(self, rows, dtype))[1])
    job = job_of("iris.yaml")
    check_job(job)
    (rows,) = taken
    assert len(set(rows)) == 16
    assert max(rows) >= len(job.data.train) / 2


def test_a_batch_is_never_larger_than_the_data() -> None:
    job = job_of("xor.yaml")
    assert check_job(job, batch=10_000).examples == len(job.data.train)


def test_the_same_seed_gives_the_same_report() -> None:
    assert check_job(job_of("iris.yaml")) == check_job(job_of("iris.yaml"))


@pytest.mark.parametrize("config", [path.name for path in SHIPPED])
def test_every_shipped_configuration_passes(config: str) -> None:
    report = check_job(job_of(config))
    assert report.verdict == ("undecided" if config == "perceptron.yaml" else "passed"), report.worst
    assert report.worst.worst < 1e-7


def test_a_start_on_a_kink_is_checked_beside_it(tmp_path: Path) -> None:
    """Over the black ground of images the net of a convolution is its bias, 0 at the start."""
    images = np.zeros((40, 12, 12), np.uint8)
    images[:, 4:8, 4:8] = RANDOM.integers(0, 256, (40, 4, 4))
    np.savez(tmp_path / "images.npz", x=images, y=np.arange(40) % 3)
    layers = [{"conv": 4}, {"max_pool": 2}, "relu", {"conv": 4}, "relu", "flatten"]
    made = Experiment.model_validate(
        {"data": {"source": {"type": "npz", "path": "images.npz"}}, "model": {"layers": layers}}
    )
    job = assemble(made, tmp_path)
    at_start = check_network(
        job.network, job.heads[OUTPUT].loss, job.network.layout.initial(made.seed, dtype="f8"),
        *arrays(job.data.train.take(slice(0, 16), "f8"))[:2],
    )  # fmt: skip
    assert "conv2d1.bias" in [check.name for check in at_start.undecided]
    report = check_job(job)
    assert (report.undecided, report.failed, report.aside) == ([], [], 0.01)
    trained = check_job(job, job.network.layout.initial(made.seed, dtype="f8"))
    assert trained.undecided and trained.aside == 0  # given parameters are checked where they are
