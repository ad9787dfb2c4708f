"""Optimizers against recorded trajectories of PyTorch, and against the same rules written one number at a time."""

import json
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nnctl.engine.parameters import Array, Layout, Parameter
from nnctl.initializers import Zeros
from nnctl.optimizers import AnyOptimizer, Stepper
from nnctl.optimizers.base import Optimizer

FOLDER = Path(__file__).parents[1] / "reference" / "optim"
CASES = {case["name"]: case for case in json.loads((FOLDER / "cases.json").read_text())}
with np.load(FOLDER / "trajectories.npz") as file:
    RECORDED = dict(file)
STREAM = RECORDED["stream.gradients"]

A = np.array([[1, -0.5, 0.3], [0.2, 0.8, -0.7]])
TARGET = np.array([0.5, -0.25])


def function(p: Array) -> tuple[float, Array]:
    """A small non-convex function of ten variables: its value and its gradient."""
    x, W = p[:4], p[4:].reshape(2, 3)
    valley, y = x[1:] - x[:-1] ** 2, np.tanh(W @ x[:3])
    value = (
        np.sum(valley**2 + 0.05 * (1 - x[:-1]) ** 2)
        + 0.1 * np.sum(np.sin(3 * x))
        + 0.5 * np.sum(np.cos(W))
        + 0.05 * np.sum(W**4)
        + 0.1 * np.sum((y - TARGET) ** 2)
        + 0.02 * np.sum(A * W)
    )
    dx, dz = 0.3 * np.cos(3 * x), 0.2 * (y - TARGET) * (1 - y**2)
    dx[1:] += 2 * valley
    dx[:-1] += -4 * x[:-1] * valley - 0.1 * (1 - x[:-1])
    dx[:3] += W.T @ dz
    dW = -0.5 * np.sin(W) + 0.2 * W**3 + np.outer(dz, x[:3]) + 0.02 * A
    return value, np.concatenate([dx, dW.ravel()])


def follow(gradient: Callable[..., Any], step: Callable[..., None]) -> Array:
    """The parameters after each of 50 steps: `step(p, g, t)` changes p in place."""
    p, trajectory = RECORDED["initial"].copy(), []
    for t in range(1, 51):
        step(p, gradient(p, t), t)
        trajectory.append(p.copy())
    return np.array(trajectory)


def gradients_of(case: dict[str, Any]) -> Callable[..., Any]:
    if case["name"].endswith("_stream"):
        return lambda p, t: STREAM[t - 1].copy()
    return lambda p, t: function(p)[1]


# The rules, as their definitions read: one number at a time, from PyTorch's arguments and a dictionary of state.


def sgd(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    if a["momentum"] == 0:
        return a["lr"] * g
    s["v"] = g if t == 1 else a["momentum"] * s["v"] + (1 - a["dampening"]) * g
    return a["lr"] * (g + a["momentum"] * s["v"] if a["nesterov"] else s["v"])


def adagrad(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    s["S"] = s.get("S", a["initial_accumulator_value"]) + g * g
    return a["lr"] / (1 + (t - 1) * a["lr_decay"]) * g / (sqrt(s["S"]) + a["eps"])


def adadelta(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    rho, eps = a["rho"], a["eps"]
    s["E"] = rho * s.get("E", 0) + (1 - rho) * g * g
    d = sqrt(s.get("D", 0) + eps) / sqrt(s["E"] + eps) * g
    s["D"] = rho * s.get("D", 0) + (1 - rho) * d * d
    return a["lr"] * d


def rmsprop(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    alpha = a["alpha"]
    s["E"] = alpha * s.get("E", 0) + (1 - alpha) * g * g
    s["m"] = alpha * s.get("m", 0) + (1 - alpha) * g
    variance = s["E"] - s["m"] ** 2 if a["centered"] else s["E"]
    s["b"] = a["momentum"] * s.get("b", 0) + g / (sqrt(max(variance, 0)) + a["eps"])
    return a["lr"] * s["b"]


def moments(a: dict[str, Any], t: int, g: float, s: dict[str, float]) -> tuple[float, float]:
    beta1, beta2 = a["betas"]
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    return s["m"] / (1 - beta1**t), s["v"] / (1 - beta2**t)


def adam(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    m, v = moments(a, t, g, s)
    s["max"] = max(s.get("max", 0), s["v"])
    if a["amsgrad"]:
        v = s["max"] / (1 - a["betas"][1] ** t)
    return a["lr"] * m / (sqrt(v) + a["eps"])


def adamax(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    m, _ = moments(a, t, g, s)
    s["u"] = max(a["betas"][1] * s.get("u", 0), abs(g) + a["eps"])
    return a["lr"] * m / s["u"]


def nadam(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    _, v = moments(a, t, g, s)
    mu = [a["betas"][0] * (1 - 0.5 * 0.96 ** (i * a["momentum_decay"])) for i in range(t + 2)]
    now, following = np.prod(mu[1 : t + 1]), np.prod(mu[1:])
    return a["lr"] * ((1 - mu[t]) / (1 - now) * g + mu[t + 1] / (1 - following) * s["m"]) / (sqrt(v) + a["eps"])


def radam(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    m, _ = moments(a, t, g, s)
    beta2 = a["betas"][1]
    limit = 2 / (1 - beta2) - 1
    length = limit - 2 * t * beta2**t / (1 - beta2**t)
    if length <= 5:
        return a["lr"] * m
    r = sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
    return a["lr"] * r * m * sqrt(1 - beta2**t) / (sqrt(s["v"]) + a["eps"])


PLAIN = {
    "SGD": sgd,
    "Adagrad": adagrad,
    "Adadelta": adadelta,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adam,
    "Adamax": adamax,
    "NAdam": nadam,
    "RAdam": radam,
}
#: Our names of PyTorch's arguments; `betas` and the weight decay are treated apart.
NAMES = {
    "alpha": "decay",
    "eps": "epsilon",
    "lr_decay": "rate_decay",
    "initial_accumulator_value": "initial_accumulator",
}
APART = {"lr", "betas", "weight_decay", "decoupled_weight_decay", "maximize"}


def decays(case: dict[str, Any]) -> tuple[float, float]:
    """The coupled and the decoupled weight decay of a case."""
    a = case["arguments"]
    decoupled = case["optimizer"] == "AdamW" or a.get("decoupled_weight_decay", False)
    return (0, a["weight_decay"]) if decoupled else (a["weight_decay"], 0)


def plain_trajectory(case: dict[str, Any]) -> Array:
    states: list[dict[str, Any]] = [{} for _ in range(10)]
    a, (coupled, decoupled) = case["arguments"], decays(case)

    def step(p: Any, g: Any, t: Any) -> None:
        for i in range(10):
            p[i] *= 1 - a["lr"] * decoupled
            slope = (-g[i] if a["maximize"] else g[i]) + coupled * p[i]
            p[i] -= PLAIN[case["optimizer"]](a, t, float(slope), states[i])

    return follow(gradients_of(case), step)


def ours(case: dict[str, Any]) -> Optimizer:
    """The optimizer of a case in our words."""
    a, (_, decoupled) = case["arguments"], decays(case)
    fields = {NAMES.get(key, key): value for key, value in a.items() if key not in APART}
    if "betas" in a:
        fields["beta1"], fields["beta2"] = a["betas"]
    fields |= {"type": case["optimizer"].lower(), "learning_rate": a["lr"], "weight_decay": decoupled}
    return TypeAdapter(AnyOptimizer).validate_python(fields)


def our_trajectory(case: dict[str, Any]) -> Array:
    a, (coupled, _) = case["arguments"], decays(case)
    stepper = Stepper(ours(case), Layout({"w": Parameter((10,), Zeros())}), np.float64)

    def step(p: Any, g: Any, t: Any) -> None:
        stepper.step(p, (-g if a["maximize"] else g) + coupled * p, a["lr"])

    return follow(gradients_of(case), step)


def assert_same(found: Array, expected: Array) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_the_function_is_the_recorded_one() -> None:
    name = "22_adam_function"
    before = [RECORDED["initial"], *RECORDED[name][:-1]]
    for p, value, gradient in zip(before, RECORDED[f"{name}.losses"], RECORDED[f"{name}.gradients"], strict=True):
        found, slope = function(p)
        assert found == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(slope, gradient, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in CASES if name in RECORDED])
def test_recorded_trajectory(name: str) -> None:
    assert_same(our_trajectory(CASES[name]), RECORDED[name])
    assert_same(plain_trajectory(CASES[name]), RECORDED[name])


@pytest.mark.parametrize("name", CASES)
def test_plain_trajectory(name: str) -> None:
    assert_same(our_trajectory(CASES[name]), plain_trajectory(CASES[name]))


def test_every_optimizer_has_a_recorded_trajectory() -> None:
    assert {case["optimizer"] for name, case in CASES.items() if name in RECORDED} == set(PLAIN)


shares = st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99])
betas = {"betas": st.tuples(shares, st.sampled_from([0.0, 0.5, 0.9, 0.999, 0.99999]))}
UNCOMMON: dict[str, Any] = {
    "SGD": {"momentum": shares, "dampening": st.sampled_from([0.0, 0.4, 1.0]), "nesterov": st.just(False)},
    "Adagrad": {
        "lr_decay": st.sampled_from([0, 0.3, 5.0]),
        "initial_accumulator_value": st.sampled_from([0, 0.1, 7.0]),
    },
    "Adadelta": {"rho": shares},
    "RMSprop": {"alpha": shares.filter(bool), "momentum": shares, "centered": st.booleans()},
    "Adam": betas | {"amsgrad": st.booleans()},
    "AdamW": betas | {"amsgrad": st.booleans()},
    "Adamax": betas,
    "NAdam": betas | {"momentum_decay": st.sampled_from([0, 0.004, 1.0]), "decoupled_weight_decay": st.booleans()},
    "RAdam": betas,
}


@pytest.mark.parametrize("optimizer", PLAIN)
@settings(max_examples=40)
@given(data=st.data())
def test_uncommon_arguments(optimizer: str, data: st.DataObject) -> None:
    """Arguments nobody recorded; the steps stay small, so that rounding has nothing to feed on."""
    common = {
        "lr": st.sampled_from([1e-4, 1e-3]),
        "eps": st.sampled_from([1e-6, 1e-3, 1.0]),
        "weight_decay": st.sampled_from([0, 0.1]),
        "maximize": st.booleans(),
    }
    if optimizer == "SGD":
        del common["eps"]
    arguments = data.draw(st.fixed_dictionaries(common | UNCOMMON[optimizer]))
    case = {"name": "drawn_stream", "optimizer": optimizer, "arguments": arguments}
    expected = plain_trajectory(case)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(our_trajectory(case), expected, rtol=1e-9, atol=1e-12)


def keras_adam(a: dict[str, Any], t: int, g: float, s: dict[str, Any]) -> Any:
    """Adam as Keras writes it, with everything that is corrected in alpha."""
    beta1, beta2 = a["beta1"], a["beta2"]
    alpha = a["learning_rate"] * sqrt(1 - beta2**t) / (1 - beta1**t)
    s["m"] = s.get("m", 0) + (g - s.get("m", 0)) * (1 - beta1)
    s["v"] = s.get("v", 0) + (g * g - s.get("v", 0)) * (1 - beta2)
    s["max"] = max(s.get("max", 0), s["v"])
    return alpha * s["m"] / (sqrt(s["max"] if a["amsgrad"] else s["v"]) + a["epsilon"])


@pytest.mark.parametrize("name", ["adam", "adamw"])
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("epsilon", [1e-7, 1e-3, 1.0])
def test_epsilon_before_the_correction_is_that_of_keras(name: str, amsgrad: bool, epsilon: float) -> None:
    a = {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.99, "epsilon": epsilon, "amsgrad": amsgrad}
    states: list[dict[str, float]] = [{} for _ in range(10)]
    optimizer = TypeAdapter(AnyOptimizer).validate_python(
        {**a, "type": name, "weight_decay": 0.0, "epsilon_before_correction": True}
    )
    stepper = Stepper(optimizer, Layout({"w": Parameter((10,), Zeros())}), np.float64)
    found, expected = RECORDED["initial"].copy(), RECORDED["initial"].copy()
    for t in range(1, 51):
        stepper.step(found, STREAM[t - 1], optimizer.learning_rate)
        expected -= [keras_adam(a, t, float(g), state) for g, state in zip(STREAM[t - 1], states, strict=True)]
        assert_same(found, expected)
