"""The formulas on paper, worked out: they are what the engine computes."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

import numpy as np
import pytest

from nnctl.activations import AnyActivation, Tanh
from nnctl.engine.layer import Layer
from nnctl.engine.slot import Slot
from nnctl.explain.blocks import Equations, Quantity, filled
from nnctl.explain.document import document
from nnctl.explain.drawing import drawing
from nnctl.explain.formulas import constants, options
from nnctl.explain.outputs import Outputs
from nnctl.layers import Activation
from nnctl.losses import AnyLoss, CrossEntropy, Hinge
from nnctl.losses.base import LossSpec
from nnctl.losses.binary_cross_entropy import Logistic
from nnctl.optimizers import SGD, Adam
from nnctl.optimizers.base import Optimizer
from tests.explain.conftest import Case

FUNCTIONS = {
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "abs": abs, "max": max, "min": min, "sign": np.sign
}  # fmt: skip
ALL_ACTIVATIONS = get_args(get_args(AnyActivation)[0])
ALL_LOSSES = get_args(get_args(AnyLoss)[0])


def worked_out(formula: str) -> float:
    """The value of a formula with numbers."""
    brackets = formula.replace("[", "(").replace("]", ")").replace("^", "**")
    return float(eval(brackets, {"__builtins__": {}}, FUNCTIONS))


@pytest.mark.parametrize("function", [member() for member in ALL_ACTIVATIONS if member.formula], ids=lambda f: f.type)
@pytest.mark.parametrize("x", [-1.7, -0.2, 0.3, 2.4])
def test_activation_formulas(function: Any, x: float) -> None:
    net, out, slope = np.array([x]), np.empty(1), np.empty(1)
    function.forward(net, out)
    function.backward(np.ones(1), net, out, slope)
    quantities = {"x": Quantity("x", x), "y": Quantity("y", out[0]), **constants(function)}
    formula = Activation(function=function).formula
    assert formula is not None
    value, derivative = (worked_out(filled(t, quantities)[1]) for t in (formula.value, formula.slope))
    assert value == pytest.approx(out[0], abs=1e-8)
    assert derivative == pytest.approx(slope[0], abs=1e-8)


def test_the_textbooks_activations_are_written_out() -> None:
    written = {member.model_fields["type"].default for member in ALL_ACTIVATIONS if member.formula}
    assert written >= {"linear", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "softsign"}


@pytest.mark.parametrize("member", ALL_ACTIVATIONS)
def test_an_activation_without_a_formula_goes_by_its_name(member: type[Any]) -> None:
    name = member.model_fields["type"].default
    formula = Activation(function=member()).formula
    if not member.elementwise:
        assert formula is None
    elif member.formula is None:
        assert formula is not None
        assert (formula.value, formula.slope) == (name + "({x})", name + "'({x})")


@pytest.mark.parametrize("member", ALL_ACTIVATIONS)
def test_elementwise_is_what_takes_each_value_for_itself(member: type[Any]) -> None:
    x, y, alone = np.array([[0.3, -0.4, 1.1]]), np.empty((1, 3)), np.empty((1, 1))
    function = member()
    function.forward(x.copy(), y)
    function.forward(x[:, 1:2].copy(), alone)
    assert (alone[0, 0] == y[0, 1]) == function.elementwise


def variants() -> Iterator[LossSpec]:
    for member in ALL_LOSSES:
        yield member()
        fields = member.model_fields
        if "input" in fields:
            yield member(input="probabilities")
    yield Hinge(squared=True)


LOSS_CASES = {f"{loss.type} {getattr(loss, 'input', '')} {getattr(loss, 'squared', '')}": loss for loss in variants()}


@pytest.mark.parametrize("name", LOSS_CASES)
@pytest.mark.parametrize("outputs", [2, 3])
def test_loss_formulas(name: str, outputs: int, case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    from nnctl.activations import Softmax

    loss = LOSS_CASES[name]
    layers = perceptron([3], Tanh(), outputs)
    if getattr(loss, "input", "") == "probabilities":
        layers.append(Activation(function=Softmax()))
    t = np.array([1]) if loss.encoding == "index" else np.eye(outputs)[[1]]
    found = case(layers, t, loss=loss).trace()
    (output,), stage = found.outputs, drawing(found).stages[-1]
    result = Outputs(found, output, stage)
    formula = loss.formula
    for i in range(outputs if formula.slope else 0):
        assert formula.slope is not None
        assert worked_out(result.filled(formula.slope, i)[1]) == pytest.approx(result.slopes[i], rel=1e-6, abs=1e-8)
        if formula.term is not None and result.terms is not None:
            assert worked_out(result.filled(formula.term, i)[1]) == pytest.approx(result.terms[i], rel=1e-6, abs=1e-8)
    if formula.total is not None:
        assert worked_out(result.filled(formula.total, 1)[1]) == pytest.approx(found.curve[0].error, rel=1e-6)
    if formula.probability is not None:
        for equation in result.probabilities():
            assert worked_out(equation.sides[1]) == pytest.approx(float(equation.sides[-1]), rel=1e-6)


@pytest.mark.parametrize("name", LOSS_CASES)
def test_losses_that_take_no_mixtures_are_those_that_ask_on_which_side_a_target_is(name: str) -> None:
    """The slope at a half-and-half target lies between those at its two classes, or else halves mean nothing."""
    loss = LOSS_CASES[name]
    if "classification" not in loss.tasks or loss.encoding == "index":
        return
    y, slot = np.array([[0.9, 0.8]]), Slot("float64")
    slopes = []
    for t in ([1.0, 0.0], [0.5, 0.5], [0.0, 1.0]):
        loss.forward(y, np.array([t]), slot)
        slopes.append(loss.backward(np.ones(1), slot)[0].copy())
    between = np.allclose(slopes[1], (slopes[0] + slopes[2]) / 2)
    assert between or not loss.takes_mixtures


@pytest.mark.parametrize(
    "loss", [CrossEntropy(label_smoothing=0.1), CrossEntropy(temperature=2.0), Logistic(positive_weight=3.0)]
)
def test_settings_that_change_the_formula_leave_the_result_alone(
    loss: LossSpec, case: type[Case], perceptron: Callable[..., list[Layer]]
) -> None:
    t = [1] if loss.encoding == "index" else [[0.0, 1.0]]
    found = case(perceptron([2], Tanh(), 2), t, loss=loss).trace()
    text = "\n".join(line for block in document(found) if isinstance(block, Equations) for line in block.lines())
    assert loss.formula.slope is None
    assert f"slope of {loss.type}(net_o1, target_o1)" in text


def test_a_step_of_kl_needs_no_formula_for_its_total() -> None:
    assert LOSS_CASES["kl_divergence  "].formula.total is None


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (SGD(), ""),
        (SGD(learning_rate=0.3), ""),
        (SGD(momentum=0.9), " (momentum 0.9)"),
        (Adam(beta1=0.5), " (beta1 0.5)"),
    ],
)
def test_options_that_differ_from_the_default_are_named(spec: Optimizer, text: str) -> None:
    assert options(spec, "learning_rate") == text
