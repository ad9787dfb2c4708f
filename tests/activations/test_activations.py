"""Every activation against references, plain formulas, difference quotients and its own declarations."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from nnctl.activations import AnyActivation
from nnctl.activations.base import Activation
from nnctl.activations.exponential import Celu, Elu, Selu
from nnctl.activations.gated import Gelu, Mish, Swish
from nnctl.activations.hard import HardSigmoid, HardSwish, HardTanh
from nnctl.activations.linear import Linear
from nnctl.activations.rectifiers import LeakyRelu, Relu, Relu6
from nnctl.activations.sigmoids import Sigmoid, Softsign, Tanh, Tanhshrink
from nnctl.activations.softmax import LogSoftmax, Softmax
from nnctl.activations.softplus import LogSigmoid, Softplus
from nnctl.activations.step import Step
from nnctl.engine.parameters import Array
from nnctl.initializers import AnyInitializer

MEMBERS = get_args(get_args(AnyActivation)[0])


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def log1pexp(x: float) -> float:
    return math.log1p(math.exp(x)) if x < 700 else x


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.__name__)
def test_what_gives_probabilities_gives_values_in_0_to_1(member: type[Any]) -> None:
    x = np.random.default_rng(3).normal(0, 9, (50, 6))
    y = np.empty_like(x)
    member().forward(x, y)
    assert member.gives_probabilities == bool((y >= 0).all() and (y <= 1).all())


# The textbook's formula for one number, beside each configuration that is tested.
ELEMENTWISE = [
    (Linear(), lambda x: x),
    (Step(), lambda x: 1.0 if x >= 0 else 0.0),
    (Sigmoid(), logistic),
    (Tanh(), math.tanh),
    (Relu(), lambda x: max(0.0, x)),
    (Relu6(), lambda x: min(max(0.0, x), 6.0)),
    (LeakyRelu(), lambda x: x if x > 0 else 0.01 * x),
    (LeakyRelu(slope=0.2), lambda x: x if x > 0 else 0.2 * x),
    (LeakyRelu(slope=2.0), lambda x: x if x > 0 else 2 * x),
    (Elu(), lambda x: x if x > 0 else math.expm1(x)),
    (Elu(alpha=0.5), lambda x: x if x > 0 else 0.5 * math.expm1(x)),
    (Selu(), lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x))),
    (Celu(), lambda x: x if x > 0 else math.expm1(x)),
    (Celu(alpha=2.0), lambda x: x if x > 0 else 2 * math.expm1(x / 2)),
    (Softplus(), log1pexp),
    (Softplus(beta=2.0), lambda x: log1pexp(2 * x) / 2),
    (Gelu(), lambda x: x * math.erfc(-x / math.sqrt(2)) / 2),
    (Gelu(approximate="tanh"), lambda x: x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2),
    (Swish(), lambda x: x * logistic(x)),
    (Swish(beta=1.5), lambda x: x * logistic(1.5 * x)),
    (Mish(), lambda x: x * math.tanh(log1pexp(x))),
    (HardSigmoid(), lambda x: min(max(0.0, x / 6 + 0.5), 1.0)),
    (HardSigmoid(slope=0.25, offset=0.25), lambda x: min(max(0.0, x / 4 + 0.25), 1.0)),
    (HardTanh(), lambda x: min(max(-1.0, x), 1.0)),
    (HardSwish(), lambda x: x * min(max(0.0, x / 6 + 0.5), 1.0)),
    (Softsign(), lambda x: x / (1 + abs(x))),
    (LogSigmoid(), lambda x: -log1pexp(-x)),
    (Tanhshrink(), lambda x: x - math.tanh(x)),
]
ROWS = [Softmax(), Softmax(temperature=0.5), Softmax(temperature=3.0), LogSoftmax()]
SINGLE = [activation for activation, _ in ELEMENTWISE]
ALL = SINGLE + ROWS

REFERENCES = {
    "celu_2": Celu(alpha=2.0),
    "elu": Elu(),
    "elu_0p5": Elu(alpha=0.5),
    "gelu": Gelu(),
    "gelu_tanh": Gelu(approximate="tanh"),
    "hard_sigmoid": HardSigmoid(),
    "hard_swish": HardSwish(),
    "hard_tanh": HardTanh(),
    "leaky_relu": LeakyRelu(),
    "leaky_relu_0p2": LeakyRelu(slope=0.2),
    "log_sigmoid": LogSigmoid(),
    "log_softmax": LogSoftmax(),
    "mish": Mish(),
    "relu": Relu(),
    "relu6": Relu6(),
    "selu": Selu(),
    "sigmoid": Sigmoid(),
    "silu_swish": Swish(),
    "softmax": Softmax(),
    "softmax_dim1": Softmax(),
    "softplus": Softplus(),
    "softplus_beta2": Softplus(beta=2.0),
    "softsign": Softsign(),
    "tanh": Tanh(),
    "tanhshrink": Tanhshrink(),
}
FOLDER = Path(__file__).parents[1] / "reference" / "activation"

# Away from every kink by more than the difference quotients reach.
POINTS = np.array([[-7.3, -3.2, -2.9, -1.1, -0.93], [-0.4, -1e-3, 2e-3, 0.3, 0.7], [1.2, 2.6, 3.1, 5.8, 6.4]])
EXTREMES = np.array([-1e4, -800.0, -90.0, -1e-30, -0.0, 0.0, 1e-30, 90.0, 800.0, 1e4])


def named(activation: Activation) -> str:
    return "-".join(f"{v}" for v in activation.model_dump().values())


def forward(activation: Activation, x: Array) -> Array:
    y = np.full_like(x, np.nan)
    activation.forward(x, y)
    return y


def backward(activation: Activation, dy: Array, x: Array) -> Array:
    dx = np.full_like(x, np.nan)
    activation.backward(dy, x, forward(activation, x), dx)
    return dx


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.__name__)
def test_every_member_has_a_case_documentation_and_a_valid_example(member: type[Activation]) -> None:
    assert member in {type(a) for a in ALL}
    doc = member.__doc__ or ""
    for part in ("Forward:", "Backward:", "Shapes:"):
        assert part in doc
    (example,) = re.findall(r"```yaml\n(.*?)```", doc, re.DOTALL)
    read = TypeAdapter(AnyActivation).validate_python(yaml.safe_load(example)["activation"])
    assert type(read) is member
    assert TypeAdapter(AnyActivation).validate_python(read.model_dump()) == read
    assert all(field.description for name, field in member.model_fields.items() if name != "type")
    assert TypeAdapter(AnyInitializer).validate_python(member.initializer)


def test_every_reference_has_a_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.npz")} == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_reference(name: str) -> None:
    with np.load(FOLDER / f"{name}.npz") as case:
        x, upstream, y, dx = (case[key] for key in ("in.x", "upstream.out", "out.out", "grad_in.x"))
    if name == "softmax_dim1":
        x, upstream, y, dx = (np.moveaxis(a, 1, -1) for a in (x, upstream, y, dx))
    np.testing.assert_allclose(forward(REFERENCES[name], x), y, rtol=1e-12, atol=1e-15)
    if name == "hard_sigmoid":
        dx = dx * (1 / 6 / float(np.float32(1 / 6)))  # the reference rounds its 1/6 to float32, ours does not
    np.testing.assert_allclose(backward(REFERENCES[name], upstream, x), dx, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("activation", "plain"), ELEMENTWISE, ids=[named(a) for a in SINGLE])
def test_plain_formula(activation: Activation, plain: Callable[..., Any]) -> None:
    x = np.concatenate([POINTS.ravel(), EXTREMES, np.linspace(-12, 12, 97)])
    np.testing.assert_allclose(forward(activation, x), [plain(v) for v in x.tolist()], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("activation", ROWS, ids=named)
def test_rows_are_probabilities(activation: Activation) -> None:
    for x in (POINTS, EXTREMES[None]):
        y = forward(activation, x)
        p = np.exp(y) if isinstance(activation, LogSoftmax) else y
        np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    temperature = getattr(activation, "temperature", 1)
    p = forward(Softmax(), POINTS / temperature)
    np.testing.assert_allclose(forward(activation, POINTS), np.log(p) if "log" in activation.type else p, rtol=1e-12)
    by_hand = [math.exp(v / temperature) for v in POINTS[1]]
    np.testing.assert_allclose(p[1], np.array(by_hand) / sum(by_hand), rtol=1e-13)


@pytest.mark.parametrize("activation", ALL, ids=named)
def test_gradient(activation: Activation) -> None:
    dy = np.random.default_rng(1).standard_normal(POINTS.shape)
    numeric = np.empty_like(POINTS)
    for index in np.ndindex(POINTS.shape):
        step = np.zeros_like(POINTS)
        step[index] = 1e-5
        difference = forward(activation, POINTS + step) - forward(activation, POINTS - step)
        numeric[index] = (dy * difference).sum() / 2e-5
    np.testing.assert_allclose(backward(activation, dy, POINTS), numeric, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ALL, ids=named)
def test_extremes_are_finite_and_silent(activation: Activation, dtype: type[Any]) -> None:
    x = EXTREMES.astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = forward(activation, x)
        dx = backward(activation, np.ones_like(x), x)
    assert y.dtype == dx.dtype == dtype
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "activation", [*SINGLE, Swish(beta=30.0), Softplus(beta=30.0), HardSigmoid(slope=90.0)], ids=named
)
def test_far_out_it_goes_on_as_before(activation: Activation, dtype: type[Any]) -> None:
    """Each is a line from 1e4 on, of slope 0 or not, up to the largest numbers and in the limit."""
    for side in (-1.0, 1.0):
        near = np.array([side * 1e4], dtype)
        largest = 0.4 * np.finfo(dtype).max  # twice that, for the steepest
        far = side * np.array([1e10, 1e20, 1e30, largest, np.inf], dtype)
        with np.errstate(all="raise", under="ignore"):
            y, slope = forward(activation, far), backward(activation, np.ones_like(far), far)
        level, tilt = forward(activation, near), backward(activation, np.ones_like(near), near)
        np.testing.assert_allclose(slope, np.broadcast_to(tilt, far.shape), atol=1e-7)
        expected = level if abs(tilt) < 1e-7 else far * tilt
        np.testing.assert_allclose(y, np.broadcast_to(expected, far.shape), rtol=1e-6, atol=2e-4)


@pytest.mark.parametrize("activation", ROWS, ids=named)
def test_what_is_impossible_leaves_the_others_as_they_are(activation: Activation) -> None:
    """An entry of minus infinity has probability 0."""
    x, dy = np.array([0.3, -np.inf, -1.2]), np.array([0.5, 0.7, -0.2])
    rest = np.array([0, 2])
    with np.errstate(all="raise"):
        y, dx = forward(activation, x), backward(activation, np.where(np.isinf(x), 0, dy), x)
    np.testing.assert_allclose(y[rest], forward(activation, x[rest]), rtol=1e-15)
    np.testing.assert_allclose(dx[rest], backward(activation, dy[rest], x[rest]), rtol=1e-15)
    assert y[1] == (-np.inf if isinstance(activation, LogSoftmax) else 0)
    assert dx[1] == 0


@pytest.mark.parametrize("activation", ALL, ids=named)
def test_float32_agrees(activation: Activation) -> None:
    x, dy = POINTS, np.cos(POINTS)
    single = x.astype(np.float32), dy.astype(np.float32)
    np.testing.assert_allclose(forward(activation, single[0]), forward(activation, x), rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(backward(activation, *single[::-1]), backward(activation, dy, x), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("activation", ALL, ids=named)
def test_in_place_and_read_only(activation: Activation) -> None:
    x, dy = POINTS.copy(), np.cos(POINTS)
    y, dx = forward(activation, x), backward(activation, dy, x)
    for array in (x, y):
        array.flags.writeable = False
    onto = dy.copy()
    activation.backward(onto, x, y, onto)
    np.testing.assert_array_equal(onto, dx)
    if activation.from_output:
        onto = x.copy()
        activation.forward(onto, onto)
        np.testing.assert_array_equal(onto, y)


@pytest.mark.parametrize("activation", ALL, ids=named)
def test_declares_whether_the_output_is_enough(activation: Activation) -> None:
    dy, y, dx = np.cos(POINTS), forward(activation, POINTS), np.empty_like(POINTS)
    activation.backward(dy, np.full_like(POINTS, np.nan), y, dx)
    assert activation.from_output == np.array_equal(dx, backward(activation, dy, POINTS))


@pytest.mark.parametrize("activation", ALL, ids=named)
def test_strided_arrays(activation: Activation) -> None:
    x = np.stack([POINTS, POINTS], axis=-1)[..., 0]
    np.testing.assert_array_equal(forward(activation, x), forward(activation, POINTS))
    np.testing.assert_array_equal(backward(activation, x, x), backward(activation, POINTS, POINTS))


@pytest.mark.parametrize("activation", SINGLE, ids=named)
def test_kinks_are_where_the_derivative_jumps(activation: Activation) -> None:
    grid = np.sort(np.append(np.arange(-8, 8, 0.25) + 0.1, [-6, -3, -1, 0, 1, 3, 6]))
    h = 1e-6
    ones = np.ones_like(grid)
    jump = np.abs(backward(activation, ones, grid + h) - backward(activation, ones, grid - h)) > 1e-4
    jump |= np.abs(forward(activation, grid + h) - forward(activation, grid - h)) > 1e-4
    assert activation.kinks == tuple(grid[jump])
    if activation.kinks:
        left, right = (activation.pieces(np.array(activation.kinks) + side) for side in (-h, h))
        assert (left != right).all()
    else:
        assert activation.pieces(grid) is None


@pytest.mark.parametrize("activation", SINGLE, ids=named)
def test_declared_limits_and_deaths(activation: Activation) -> None:
    ends, dy = np.array([-1e4, 1e4]), np.ones(2)
    y, dx = forward(activation, ends), backward(activation, dy, ends)
    if activation.limits:
        np.testing.assert_allclose(y, activation.limits, atol=2e-4)
    x = np.linspace(-5, 9, 561)  # further left the tails of smooth functions underflow too
    silent = forward(activation, x) == 0
    learns = backward(activation, np.ones_like(x), x) != 0
    assert activation.dies == bool(silent.sum() > 1 and not learns[silent & (x < 0)].any())
    assert np.isfinite(dx).all()


@pytest.mark.parametrize(
    ("activation", "x", "slope"),
    [(Relu(), 0.0, 0.0), (Relu6(), 6.0, 0.0), (Step(), 0.0, 0.0), (LeakyRelu(), 0.0, 0.01), (Elu(alpha=0.5), 0.0, 0.5),
     (HardSigmoid(), 3.0, 0.0), (HardTanh(), -1.0, 0.0), (HardSwish(), -3.0, 0.0), (HardSwish(), 3.0, 1.0)],
    ids=str,
)  # fmt: skip
def test_stated_derivative_at_the_kink(activation: Activation, x: float, slope: float) -> None:
    assert backward(activation, np.ones(1), np.array([x])) == slope


def test_nothing_hides_a_nan() -> None:
    for activation in SINGLE:
        if activation.type != "step":
            assert np.isnan(forward(activation, np.array([np.nan]))).all(), activation
