"""The recorded numbers: against published ones, finite differences and update rules on paper."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.activations import Relu, Sigmoid, Tanh
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.engine.batch import OUTPUT
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.workers import Workers
from nnctl.errors import Diverged
from nnctl.explain.trace import Rules, Trace, milestones, trace
from nnctl.layers import Activation, BatchNormalization, Dropout, GaussianNoise, LayerNormalization, PRelu
from nnctl.losses import AnyLoss, BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from nnctl.optimizers import SGD, Adam
from nnctl.regularization import Regularization
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from nnctl.training.loop import EpochDone, start, train
from tests.explain.conftest import Case
from tests.networks import MeanLoss

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def job() -> Job:
    loaded = load_experiment(CONFIGS / "worked-example.yaml", (), Experiment)
    return assemble(loaded.spec, loaded.base)


@pytest.fixture(scope="module")
def classic(job: Job) -> Trace:
    batch = job.data.train.take(np.array([0]), np.float64)
    theta = job.network.layout.initial(job.experiment.seed, dtype=np.float64)
    rules = Rules(job.experiment.optimizer, lambda _step: 0.5, job.penalty())
    return trace(job.network, job.heads, theta, rules, batch, steps=10_000)


PUBLISHED = [
    ("out_h1", "0.593269992", lambda c: c.layers[1].y[0]),
    ("out_h2", "0.596884378", lambda c: c.layers[1].y[1]),
    ("net_o1", "1.105905967", lambda c: c.layers[2].y[0]),
    ("out_o1", "0.75136507", lambda c: c.outputs[0].y[0]),
    ("out_o2", "0.772928465", lambda c: c.outputs[0].y[1]),
    ("E_o1", "0.274811083", lambda c: c.outputs[0].terms[0]),
    ("E_o2", "0.023560026", lambda c: c.outputs[0].terms[1]),
    ("E", "0.298371109", lambda c: c.curve[0].error),
    ("dE/dw5", "0.082167041", lambda c: c.layers[2].parameters["weight"].gradient[0, 0]),
    ("dE/dw1", "0.000438568", lambda c: c.layers[0].parameters["weight"].gradient[0, 0]),
    ("w5+", "0.35891648", lambda c: c.layers[2].parameters["weight"].after[0, 0]),
    ("w6+", "0.408666186", lambda c: c.layers[2].parameters["weight"].after[1, 0]),
    ("w7+", "0.511301270", lambda c: c.layers[2].parameters["weight"].after[0, 1]),
    ("w8+", "0.561370121", lambda c: c.layers[2].parameters["weight"].after[1, 1]),
    ("w1+", "0.149780716", lambda c: c.layers[0].parameters["weight"].after[0, 0]),
    ("w2+", "0.19956143", lambda c: c.layers[0].parameters["weight"].after[1, 0]),
    ("w3+", "0.24975114", lambda c: c.layers[0].parameters["weight"].after[0, 1]),
    ("w4+", "0.29950229", lambda c: c.layers[0].parameters["weight"].after[1, 1]),
    ("E after a step", "0.291027774", lambda c: c.curve[1].error),
    ("E after 10,000", "0.0000351019", lambda c: c.curve[-1].error),
    ("out_o1 after 10,000", "0.01591362", lambda c: c.curve[-1].predictions[OUTPUT][0]),
    ("out_o2 after 10,000", "0.98406427", lambda c: c.curve[-1].predictions[OUTPUT][1]),
]


@pytest.mark.parametrize(("name", "published", "value"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_the_classic_example_has_its_digits(
    classic: Trace, name: str, published: str, value: Callable[..., Any]
) -> None:
    decimals = len(published.partition(".")[2])
    assert f"{value(classic):.{decimals}f}" == published


def textbook_program(steps: int, *, updated_weights: bool) -> tuple[float, list[float]]:
    """The 2-2-2 example in plain Python; `updated_weights`: the hidden slopes use output weights already changed."""
    i, target, b1, b2, rate = (0.05, 0.10), (0.01, 0.99), 0.35, 0.60, 0.5
    hidden, output = [[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]

    def forward() -> tuple[list[float], list[float]]:
        out = [1 / (1 + exp(-(w[0] * i[0] + w[1] * i[1] + b1))) for w in hidden]
        return out, [1 / (1 + exp(-(w[0] * out[0] + w[1] * out[1] + b2))) for w in output]

    for _ in range(steps):
        h, o = forward()
        delta = [(o[k] - target[k]) * o[k] * (1 - o[k]) for k in range(2)]
        before = [list(w) for w in output]
        output = [[output[k][j] - rate * delta[k] * h[j] for j in range(2)] for k in range(2)]
        through = output if updated_weights else before
        for j in range(2):
            slope = sum(delta[k] * through[k][j] for k in range(2)) * h[j] * (1 - h[j])
            hidden[j] = [hidden[j][n] - rate * slope * i[n] for n in range(2)]
    _, o = forward()
    return sum((t - y) ** 2 / 2 for t, y in zip(target, o, strict=True)), o


def test_published_figures_that_come_from_updated_output_weights() -> None:
    error, _ = textbook_program(1, updated_weights=True)
    assert f"{error:.9f}" == "0.291027924"
    error, outputs = textbook_program(10_000, updated_weights=True)
    assert [f"{o:.9f}" for o in outputs] == ["0.015912196", "0.984065734"]
    assert f"{error:.10f}" == "0.0000350848", "the error that belongs to these outputs is not the published one"


def test_the_published_last_error_is_the_derived_one_a_step_earlier() -> None:
    error, _ = textbook_program(9_999, updated_weights=False)
    assert f"{error:.10f}" == "0.0000351085"


def test_the_derived_order_gives_what_the_engine_gives(classic: Trace) -> None:
    for point in classic.curve:
        error, outputs = textbook_program(point.step, updated_weights=False)
        assert point.error == pytest.approx(error, rel=1e-9)
        assert point.predictions[OUTPUT] == pytest.approx(outputs, rel=1e-9)


def test_the_curve_is_what_training_gives(job: Job, classic: Trace) -> None:
    """Batch size 1 on one example: the walk is the training loop, to the bit."""
    losses = [e.row.figures["train.loss"] for e in _epochs(job, 101)]
    assert [losses[point.step] for point in classic.curve if point.step <= 100] == [
        point.error for point in classic.curve if point.step <= 100
    ]


def _epochs(job: Job, count: int) -> list[EpochDone]:
    workers = Workers()
    events = (event for event in train(job, start(job, workers)) if isinstance(event, EpochDone))
    return [next(events) for _ in range(count)]


CASES: dict[str, Any] = {
    "relu, cross-entropy, adam": {
        "hidden": [4, 3],
        "function": Relu(),
        "outputs": 3,
        "t": [2],
        "loss": CrossEntropy(),
        "optimizer": Adam(learning_rate=0.01),
    },
    "tanh, mean squared error": {
        "hidden": [5],
        "function": Tanh(),
        "outputs": 2,
        "t": [[0.3, -1.2]],
        "loss": MeanSquaredError(),
    },
    "sigmoid, logistic": {
        "hidden": [2],
        "function": Sigmoid(),
        "outputs": 1,
        "t": [[1.0]],
        "loss": BinaryCrossEntropy(),
    },
    "class weights": {
        "hidden": [4],
        "function": Tanh(),
        "outputs": 3,
        "t": [1],
        "loss": CrossEntropy(class_weights=(1.0, 4.0, 2.0)),
    },
}


@pytest.fixture(params=CASES)
def any_case(request: pytest.FixtureRequest, case: type[Case], perceptron: Callable[..., list[Layer]]) -> Case:
    made = dict(CASES[request.param])
    return case(perceptron(made.pop("hidden"), made.pop("function"), made.pop("outputs")), **made)


def difference_quotients(case: Case, epsilon: float = 1e-6) -> Array:
    theta = case.theta.copy()
    objective = MeanLoss(case.network, case.loss, theta)
    slopes = np.empty_like(theta)
    for i, value in enumerate(case.theta):
        up, down = ((theta.__setitem__(i, v), objective(case.x, case.t, backward=False, training=False))[1]
                    for v in (value + epsilon, value - epsilon))  # fmt: skip
        theta[i] = value
        slopes[i] = (up - down) / (2 * epsilon)
    return slopes


def test_gradients_are_difference_quotients(any_case: Case) -> None:
    quotients = difference_quotients(any_case)
    found = any_case.trace()
    for layer in found.layers:
        for name, parameter in layer.parameters.items():
            expected = any_case.network.layout.view(quotients, f"{layer.name}.{name}")
            assert parameter.gradient is not None and parameter.direction is not None
            np.testing.assert_allclose(parameter.gradient, expected, rtol=1e-6, atol=1e-9)
            np.testing.assert_array_equal(parameter.gradient, parameter.direction)


def test_layers_that_are_not_expanded_have_right_gradients_too(case: type[Case]) -> None:
    found = case([*_odd_layers()], [[0.2, 0.7]])
    quotients = difference_quotients(found)
    for layer in found.trace().layers:
        for name, parameter in layer.parameters.items():
            if parameter.gradient is not None:
                expected = found.network.layout.view(quotients, f"{layer.name}.{name}")
                np.testing.assert_allclose(parameter.gradient, expected, rtol=1e-6, atol=1e-9)


def _odd_layers() -> Iterator[Layer]:
    from nnctl.initializers import Uniform
    from nnctl.layers import Dense

    start = Uniform(epsilon=0.9)
    yield Dropout(rate=0.5)
    yield Dense(units=4, init=start)
    yield BatchNormalization()
    yield Activation(function=Tanh())
    yield GaussianNoise(deviation=1.0)
    yield Dense(units=3, init=start)
    yield PRelu()
    yield LayerNormalization()
    yield Dense(units=2, init=start)


def test_layers_fit_together(any_case: Case) -> None:
    layers = any_case.trace().layers
    np.testing.assert_array_equal(layers[0].x[0], any_case.x[0])
    for layer, following in itertools.pairwise(layers):
        np.testing.assert_array_equal(layer.y, following.x[0])
        np.testing.assert_array_equal(layer.dy, following.dx[0])


def test_dropout_and_noise_are_off(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    plain = perceptron([4], Tanh(), 2)
    disturbed = [Dropout(rate=0.5), *plain[:2], GaussianNoise(deviation=2.0), plain[2]]
    t = [[0.1, 0.9]]
    assert case(plain, t).trace(10).curve[-1].error == case(disturbed, t).trace(10).curve[-1].error


def test_adam_steps_by_its_rule(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    """The first step of Adam is -eta g / (|g| + epsilon)."""
    for layer in case(perceptron([4], Tanh(), 2), [[1.0, 0.0]], optimizer=Adam(learning_rate=0.01)).trace().layers:
        for p in layer.parameters.values():
            assert p.gradient is not None and p.after is not None
            step = -0.01 * p.gradient / (np.abs(p.gradient) + 1e-8)
            np.testing.assert_allclose(p.after - p.before, step, rtol=1e-7, atol=1e-12)


def test_each_tensor_is_clipped_by_its_own_norm(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    found = case(perceptron([4], Tanh(), 2), [[1.0, 0.0]], clip_norm_each=0.01).trace()
    for layer in found.layers:
        for p in layer.parameters.values():
            assert p.gradient is not None
            assert p.direction is not None
            length = np.linalg.norm(p.gradient)
            assert length > 0.01
            np.testing.assert_allclose(p.direction, p.gradient * 0.01 / length, rtol=1e-12)


def test_penalty_and_clipping_turn_gradient_into_direction(
    case: type[Case], perceptron: Callable[..., list[Layer]]
) -> None:
    found = case(
        perceptron([4], Tanh(), 2), [[1.0, 0.0]], regularization=Regularization(l2=0.1), clip_norm=0.05, clip_value=0.02
    ).trace()
    parameters: list[tuple[str, Any]] = [(name, p) for layer in found.layers for name, p in layer.parameters.items()]
    raw = [p.gradient + 0.1 * p.before * (name == "weight") for name, p in parameters]
    length = np.sqrt(sum(np.sum(g * g) for g in raw))
    assert length > 0.05
    for (_, p), g in zip(parameters, raw, strict=True):
        np.testing.assert_allclose(p.direction, np.clip(g * 0.05 / length, -0.02, 0.02), rtol=1e-12)
        np.testing.assert_allclose(p.after, p.before - 0.5 * p.direction, rtol=1e-12)


def test_theta_is_left_as_it_is(any_case: Case) -> None:
    before = any_case.theta.copy()
    any_case.trace(steps=12)
    np.testing.assert_array_equal(any_case.theta, before)


def test_frozen_tensors_have_no_gradient_and_stay(classic: Trace) -> None:
    bias = classic.layers[0].parameters["bias"]
    assert bias.gradient is None
    assert bias.direction is None
    np.testing.assert_array_equal(bias.before, bias.after)


def test_terms_add_up_to_the_error(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    from typing import get_args

    for loss in get_args(get_args(AnyLoss)[0]):
        t = np.array([1]) if loss.encoding == "index" else np.array([[1.0, 0.0]])
        found = case(perceptron([3], Tanh(), 2), t, loss=loss()).trace()
        terms = found.outputs[0].terms
        if terms is not None:
            assert sum(terms) == pytest.approx(found.curve[0].error, rel=1e-12), loss


@pytest.mark.parametrize(
    ("steps", "shown"), [(1, [1]), (2, [1, 2]), (10, [1, 10]), (250, [1, 10, 100, 250]), (1000, [1, 10, 100, 1000])]
)
def test_milestones(steps: int, shown: Sequence[int], case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    assert milestones(steps) == shown
    assert [point.step for point in case(perceptron([2], Tanh(), 1), [[0.4]]).trace(steps).curve] == [0, *shown]


def test_divergence_is_told(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    wild = case(perceptron([3], Relu(), 1), [[1.0]], optimizer=SGD(learning_rate=1e6))
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(Diverged, match="smaller optimizer.learning_rate"):
        wild.trace(steps=100)
