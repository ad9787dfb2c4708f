"""Every optimizer: a step worked by hand, a target to reach, and the laws they all keep."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nnctl.engine.parameters import Array, Layout, Parameter
from nnctl.initializers import Zeros
from nnctl.optimizers import SGD, AdaMax, AnyOptimizer, Momentum, Nesterov, RMSprop, Stepper
from nnctl.optimizers.base import Optimizer
from nnctl.optimizers.descent import Descent

MEMBERS = get_args(get_args(AnyOptimizer)[0])
ADAPTER = TypeAdapter(AnyOptimizer)


def stepper(optimizer: Optimizer, n: int, dtype: type[Any] = np.float64) -> Stepper:
    return Stepper(optimizer, Layout({"w": Parameter((n,), Zeros())}), dtype)


def run(
    optimizer: Optimizer,
    gradients: Array | Sequence[Sequence[float]],
    start: Array | Sequence[float],
    dtype: type[Any] = np.float64,
) -> Array:
    theta = np.array(start, dtype)
    steps = stepper(optimizer, len(theta), dtype)
    for g in gradients:
        steps.step(theta, np.asarray(g, dtype), optimizer.learning_rate)
    return theta


# Where theta = 1 is after steps with the given gradients, worked by hand from the equations.
HAND_WORKED: list[Any] = [
    ({"type": "sgd", "learning_rate": 0.1}, [0.5, -0.2], 1 - 0.05 + 0.02),
    # v = 0.5; v = 0.9 0.5 + 0.5 = 0.95
    ({"type": "momentum", "learning_rate": 0.1}, [0.5, 0.5], 1 - 0.05 - 0.095),
    # g + mu v: 0.5 + 0.45; then 0.5 + 0.9 0.95
    ({"type": "nesterov", "learning_rate": 0.1}, [0.5, 0.5], 1 - 0.095 - 0.1355),
    # v = 0.5, undampened; v = 0.9 0.5 + 0.25 = 0.7
    ({"type": "sgd", "learning_rate": 0.1, "momentum": 0.9, "dampening": 0.5}, [0.5, 0.5], 1 - 0.05 - 0.07),
    # S = 9, then 25: steps of 3/3 and 4/5 of the rate
    ({"type": "adagrad", "learning_rate": 0.1}, [3, 4], 1 - 0.1 - 0.08),
    # E = 0.1 0.25; d = sqrt(1e-6 / 0.025001) 0.5
    ({"type": "adadelta"}, [0.5], 1 - 0.5 * (1e-6 / 0.025001) ** 0.5),
    # E = 0.01 0.25, its root 0.05: ten times the rate
    ({"type": "rmsprop"}, [0.5], 1 - 0.1),
    # E = 0.01 0.25 and epsilon = 0.0056 make 0.0081 = 0.09^2
    ({"type": "rmsprop", "epsilon": 0.0056, "epsilon_inside_root": True}, [0.5], 1 - 0.01 * 0.5 / 0.09),
    # m = 0.1 0.5, E - m^2 = 0.0025 - 0.000025
    ({"type": "rmsprop", "decay": 0.99, "centered": True}, [0.5], 1 - 0.01 * 0.5 / (0.0025 - 0.005**2) ** 0.5),
    # the first step has the length of the rate, whatever the gradient
    ({"type": "adam"}, [0.5], 1 - 0.001),
    ({"type": "adam"}, [-700.0], 1 + 0.001),
    # m_hat = (0.09 1 + 0.1 0) / 0.19; v_hat = 0.999 0.001 / 0.001999
    ({"type": "adam"}, [1, 0], 1 - 0.001 - 0.001 * (0.09 / 0.19) / (0.000999 / 0.001999) ** 0.5),
    # sqrt(v) = sqrt(0.001) 0.5, the correction sqrt(0.001): epsilon of half of sqrt(v) takes a third off
    ({"type": "adam", "epsilon": 0.25 * 0.001**0.5, "epsilon_before_correction": True}, [0.5], 1 - 0.001 / 1.5),
    # the weight shrinks first
    ({"type": "adamw"}, [0.5], 1 - 0.001 * 0.01 - 0.001),
    # u = 1, then max(0.999, 0.5); m_hat = (0.09 + 0.05) / 0.19
    ({"type": "adamax"}, [1, 0.5], 1 - 0.002 - 0.002 * (0.14 / 0.19) / 0.999),
    # momentum_decay 0: mu = 0.45; g + 0.45 / (1 - 0.45^2) 0.1 g, over |g|
    ({"type": "nadam", "momentum_decay": 0.0}, [0.5], 1 - 0.002 * (1 + 0.045 / (1 - 0.45**2))),
    # rho_t <= 5 for the first five steps: plain momentum
    ({"type": "radam"}, [0.5], 1 - 0.001 * 0.5),
]


@pytest.mark.parametrize(("config", "gradients", "expected"), HAND_WORKED)
def test_steps_worked_by_hand(config: dict[str, Any], gradients: Sequence[float], expected: float) -> None:
    theta = run(ADAPTER.validate_python(config), [[g] for g in gradients], [1.0])
    assert theta[0] == pytest.approx(expected, rel=1e-7, abs=0)


def quadratic(p: Array) -> tuple[float, Array]:
    """A valley a hundred times steeper across than along."""
    return 0.5 * (p[0] ** 2 + 100 * p[1] ** 2), np.array([p[0], 100 * p[1]])


def rosenbrock(p: Array) -> tuple[float, Array]:
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])


# type: (learning rate, steps, value to be below) for the two functions
TARGETS = {
    "sgd": ((0.015, 500, 1e-6), (0.0015, 5000, 1e-3)),
    "momentum": ((0.01, 500, 1e-20), (0.001, 5000, 1e-15)),
    "nesterov": ((0.01, 500, 1e-20), (0.001, 5000, 1e-15)),
    "adagrad": ((1.0, 500, 1e-20), (1.0, 5000, 1e-3)),
    "adadelta": ((1.0, 500, 1e-3), (1.0, 500, 0.5)),
    "rmsprop": ((0.003, 1000, 1e-20), (0.001, 5000, 1e-3)),
    "adam": ((0.05, 500, 1e-15), (0.05, 5000, 1e-12)),
    "adamw": ((0.05, 500, 1e-15), (0.05, 5000, 1e-2)),  # the decay pulls it off the minimum
    "adamax": ((0.05, 500, 1e-15), (0.05, 5000, 1e-4)),
    "nadam": ((0.05, 500, 1e-20), (0.02, 5000, 1e-3)),
    "radam": ((0.05, 2000, 1e-20), (0.005, 10000, 1e-6)),
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("function", "start"), [(quadratic, (1.0, 1.0)), (rosenbrock, (-1.2, 1.0))])
def test_convergence(name: str, function: Callable[..., tuple[float, Array]], start: tuple[float, float]) -> None:
    rate, count, below = TARGETS[name][function is rosenbrock]
    steps = stepper(ADAPTER.validate_python({"type": name}), 2)
    theta = np.array(start)
    for _ in range(count):
        steps.step(theta, function(theta)[1], rate)
    assert function(theta)[0] < below


def test_complete() -> None:
    names = {member.model_fields["type"].default for member in MEMBERS}
    assert names == set(TARGETS) == {config["type"] for config, _, _ in HAND_WORKED}


def noise(steps: int, n: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(size=(steps, n))


@pytest.mark.parametrize("member", MEMBERS)
class TestLaws:
    """What every optimizer keeps, in its default settings."""

    def test_short_form_and_round_trip(self, member: type[Any]) -> None:
        optimizer = member()
        assert ADAPTER.validate_python(optimizer.type) == optimizer
        assert ADAPTER.validate_python(optimizer.model_dump()) == optimizer
        with pytest.raises(ValidationError):
            member(learning_rat=0.1)

    def test_every_field_is_described(self, member: type[Any]) -> None:
        assert all(field.description for name, field in member.model_fields.items() if name != "type")

    def test_float32_agrees(self, member: type[Any]) -> None:
        optimizer, gradients, start = member(), noise(30, 50), np.linspace(-1, 1, 50)
        single = run(optimizer, gradients, start, np.float32)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, run(optimizer, gradients, start), rtol=2e-5, atol=2e-6)

    def test_maximising_is_minimising_the_negative(self, member: type[Any]) -> None:
        optimizer, gradients = member(weight_decay=0.0), noise(30, 5)
        np.testing.assert_array_equal(run(optimizer, -gradients, np.zeros(5)), -run(optimizer, gradients, np.zeros(5)))

    def test_gradient_is_only_read(self, member: type[Any]) -> None:
        g, theta = noise(1, 5)[0], np.ones(5)
        g.flags.writeable = False
        stepper(member(), 5).step(theta, g, 0.1)
        assert (theta != 1).all()

    def test_zero_gradients_move_nothing_and_stay_finite(self, member: type[Any]) -> None:
        start = np.array([1.0, -2.0])
        np.testing.assert_array_equal(run(member(weight_decay=0.0), np.zeros((20, 2)), start), start)

    def test_decay_comes_before_the_step(self, member: type[Any]) -> None:
        g, rate, decay = noise(1, 5)[0], 0.1, 0.3
        theta, shrunk = np.ones(5), np.full(5, 1 - rate * decay)
        stepper(member(weight_decay=decay), 5).step(theta, g, rate)
        stepper(member(weight_decay=0.0), 5).step(shrunk, g, rate)
        np.testing.assert_array_equal(theta, shrunk)

    def test_entries_are_independent(self, member: type[Any]) -> None:
        gradients, start, order = noise(10, 7), np.linspace(-1, 1, 7), np.random.default_rng(0).permutation(7)
        whole = run(member(), gradients, start)
        np.testing.assert_array_equal(run(member(), gradients[:, order], start[order]), whole[order])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Momentum(momentum=0.8), SGD(momentum=0.8)),
        (Nesterov(momentum=0.8), SGD(momentum=0.8, nesterov=True)),
    ],
)
def test_momentum_has_two_names(one: Descent, other: SGD) -> None:
    np.testing.assert_array_equal(run(one, noise(9, 4), np.ones(4)), run(other, noise(9, 4), np.ones(4)))


@pytest.mark.parametrize("fields", [{"momentum": 0.0}, {"momentum": 0.9, "dampening": 0.1}])
def test_nesterov_needs_momentum(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"momentum above 0, such as 0\.9, and dampening 0"):
        SGD(nesterov=True, **fields)


@pytest.mark.parametrize("inside", [False, True])
def test_centered_rmsprop_survives_constant_gradients(inside: bool) -> None:
    """E - m^2 tends to 0 and rounds below it; its root must not become NaN."""
    optimizer = RMSprop(centered=True, decay=0.9, epsilon=1e-3, epsilon_inside_root=inside)
    gradients = np.tile(np.linspace(0.1, 3, 100), (500, 1))
    assert np.isfinite(run(optimizer, gradients, np.zeros(100), np.float32)).all()


def test_adamax_takes_a_first_step_after_silence() -> None:
    theta = run(AdaMax(), [[0.0]] * 10 + [[1.0]], [1.0])
    assert theta[0] == pytest.approx(1 - 0.002 * 0.1 / (1 - 0.9**11), rel=1e-9)
