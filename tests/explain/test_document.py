"""The whole explanation: its equations hold, its parts are there, its lines fit."""

import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
import pytest

from nnctl.activations import AnyActivation, Elu, Gelu, LeakyRelu, Relu, Sigmoid, Softmax, Softplus, Tanh
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.layer import Layer
from nnctl.explain.blocks import WIDTH, Equation, Equations, Heading, Paragraph, Table
from nnctl.explain.document import document
from nnctl.explain.trace import Trace
from nnctl.initializers import Normal
from nnctl.layers import Activation, BatchNormalization, Block, Conv2d, Dense, Dropout, Flatten, GlobalAveragePool
from nnctl.losses import AnyLoss, BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from nnctl.optimizers import SGD, Adam, AnyOptimizer
from nnctl.regularization import Regularization
from tests.explain.conftest import Case
from tests.layers.cases import CASES
from tests.layers.cases import Case as LayerCase

FUNCTIONS = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "abs": abs, "max": max, "min": min}
NUMERIC = re.compile(r"(?:[\d.()\[\]+*/^<>=, -]|e-|exp|log|tanh|abs|max|min)+")


def equations(blocks: Sequence[Any]) -> list[Equation]:
    return [e for block in blocks if isinstance(block, Equations) for e in block.equations]


def value(formula: str) -> float:
    python = formula.replace("[", "(").replace("]", ")").replace("^", "**")
    return float(eval(python, {"__builtins__": {}}, FUNCTIONS))


MODELS: dict[str, Any] = {
    "classic": ([2], Sigmoid(), 2, {"t": [[0.01, 0.99]]}),
    "relu": ([4, 3], Relu(), 3, {"t": [2], "loss": CrossEntropy(), "optimizer": Adam()}),
    "leaky": ([6], LeakyRelu(slope=0.2), 1, {"t": [[0.3]], "loss": MeanSquaredError()}),
    "elu": ([5], Elu(alpha=0.7), 2, {"t": [[1.0, 0.0]], "loss": BinaryCrossEntropy()}),
    "softplus": ([3], Softplus(beta=2.0), 1, {"t": [[1.0]], "loss": BinaryCrossEntropy()}),
    "penalty": ([3], Tanh(), 1, {"t": [[1.0]], "regularization": Regularization(l2=0.1), "clip_norm": 0.1}),
    "max norm": ([3], Tanh(), 1, {"t": [[1.0]], "regularization": Regularization(max_norm=0.5)}),
    "none hidden": ([], Tanh(), 2, {"t": [[1.0, 0.5]]}),
}


@pytest.fixture(params=MODELS)
def trace(request: pytest.FixtureRequest, case: type[Case], perceptron: Callable[..., list[Layer]]) -> Trace:
    hidden, function, outputs, options = MODELS[request.param]
    return case(perceptron(hidden, function, outputs), **options).trace(20)


def test_every_equation_holds_in_numbers(trace: Trace) -> None:
    checked = 0
    for equation in equations(document(trace)):
        *sides, result = equation.sides
        for side in sides:
            if NUMERIC.fullmatch(side):
                assert value(side) == pytest.approx(float(result), rel=2e-5, abs=2e-8), equation
                checked += 1
    assert checked > 5


def test_everything_fits_a_terminal(trace: Trace) -> None:
    for block in document(trace):
        if isinstance(block, Equations):
            assert max(map(len, block.lines())) <= WIDTH + 2
        if isinstance(block, Table):
            widths = [max(len(row[i]) for row in (block.columns, *block.rows)) for i in range(len(block.columns))]
            assert sum(widths) + 2 * len(widths) <= 80


def test_sections_are_in_the_textbooks_order(trace: Trace) -> None:
    headings = [block.text for block in document(trace) if isinstance(block, Heading)]
    assert headings == [
        "The network",
        "Forward pass",
        "The error",
        "Backward pass",
        "Update",
        "The same example, again and again",
    ]


def test_softmax_with_cross_entropy_has_p_minus_t(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    found = equations(document(case(perceptron([3], Tanh(), 3), [1], loss=CrossEntropy()).trace()))
    sides = {e.left: e.sides for e in found}
    assert sides["dE/dnet_o1"][0] == "p_o1 - target_o1"
    assert sides["E"][0] == "-log(p_o2)"
    assert sides["p_o3"][0] == "exp(net_o3)/(exp(net_o1) + exp(net_o2) + exp(net_o3))"


def test_long_sums_and_wide_layers_are_cut_and_said_so(
    case: type[Case], perceptron: Callable[..., list[Layer]]
) -> None:
    blocks = document(case(perceptron([40], Tanh(), 2), [[0.1, 0.2]], inputs=9).trace())
    sides = {e.left: e.sides for e in equations(blocks)}
    assert sides["net_h1"][0] == "W1[1,1]*i1 + W1[2,1]*i2 + W1[3,1]*i3 + ... (9 terms) + b_h1"
    assert sides["net_o1"][1].endswith(f"... (40 terms) + {sides['net_o1'][1].split(' + ')[-1]}")
    assert "net_h3" in sides
    assert "net_h4" not in sides
    assert "the first 3 are shown" in blocks[1].text


def test_six_inputs_are_written_out_in_full(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    sides = {e.left: e.sides for e in equations(document(case(perceptron([2], Tanh(), 1), [[0.1]], inputs=6).trace()))}
    assert sides["net_h1"][0] == " + ".join([*(f"w{i}*i{i}" for i in range(1, 7)), "b_h1"])


def test_other_rules_are_shown_by_their_result(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    for optimizer in (Adam(), SGD(momentum=0.9), SGD(weight_decay=0.1)):
        found = case(perceptron([2], Tanh(), 1), [[0.1]], optimizer=optimizer).trace()
        sides = {e.left: e.sides for e in equations(document(found))}
        assert sides["w1+"][0] == "w1 + step"


def test_layers_that_are_not_expanded_are_named(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    first, activation, last = perceptron([3], Gelu(), 2)
    layers = [Dropout(rate=0.2), first, BatchNormalization(), activation, Dropout(rate=0.5), last]
    blocks = document(case([*layers, Activation(function=Softmax())], [[0.0, 1.0]]).trace())
    words = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert "dropout1, dropout2: off here; drops units at random in training." in words
    assert any(text.startswith("batch_normalization1: with its running statistics") for text in words)
    assert "softmax1: what goes in and comes out is shown, not the steps between." in words
    sides = {e.left: e.sides for e in equations(blocks)}
    assert sides["batch_normalization1_h1"][0] == "batch_normalization(net_h1)"
    assert sides["dE/dnet_h1"][0] == "batch_normalization backward"
    assert sides["out_h1"][0] == "gelu(batch_normalization1_h1)"


def test_a_convolutional_networks_dense_layers_are_written_out(
    case: type[Case], perceptron: Callable[..., list[Layer]]
) -> None:
    layers = [Conv2d(filters=5, bias_init=Normal()), Dropout(rate=0.5), GlobalAveragePool()]
    trace = case([*layers, *perceptron([2], Tanh(), 2)], [1], loss=CrossEntropy(), inputs=(4, 3, 1)).trace()
    blocks = document(trace, {INPUT: [f"p{i}" for i in range(12)]})
    words = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert words[0].startswith("5 features, 2 hidden units (tanh), 2 outputs.")
    assert "f1, f2, ... are the 12 inputs after conv2d1, dropout1, global_average_pool1, as in evaluation" in words[1]
    assert not any("Inputs:" in text or text.startswith(("dropout1", "conv2d1")) for text in words)
    written = {e.left: e.sides for e in equations(blocks)}
    assert written["net_h1"][0] == "w1*f1 + w2*f2 + w3*f3 + w4*f4 + w5*f5 + b_h1"
    for left, sides in written.items():
        for side in filter(NUMERIC.fullmatch, sides[:-1]):
            assert value(side) == pytest.approx(float(sides[-1]), rel=2e-5, abs=2e-8), left
    maps = trace.layers[0].y.reshape(4, 3, 5)
    assert [float(written[f"f{i + 1}"][-1]) for i in range(5)] == pytest.approx(maps.mean(axis=(0, 1)), abs=1e-8)
    (tensors,) = [block for block in blocks if isinstance(block, Table) and block.columns[0] == "parameters"]
    assert [row[0] for row in tensors.rows] == ["conv2d1.weight", "conv2d1.bias"]


def test_columns_and_classes_have_their_names(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    found = case(perceptron([2], Tanh(), 3), [1], loss=CrossEntropy(), inputs=2).trace()
    blocks = document(found, {INPUT: ("age", "height")}, {OUTPUT: ("cat", "dog", "owl")})
    assert any(isinstance(b, Paragraph) and b.text == "Outputs: o1 is cat, o2 is dog, o3 is owl." for b in blocks)
    assert {e.left: e.sides for e in equations(blocks)}["net_h1"][0] == "w1*age + w2*height + b_h1"


def test_what_outputs_mean_is_not_called_output(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    from nnctl.losses import Perceptron

    table = document(case(perceptron([], Tanh(), 1), [[0.0]], loss=Perceptron()).trace())[-1]
    assert table.columns == ("steps", "E", "prediction_o1")


def members(union: object) -> tuple[Any, ...]:
    return get_args(get_args(union)[0])


@pytest.mark.parametrize("layer_case", CASES, ids=str)
def test_every_layer_is_explained_or_named(case: type[Case], layer_case: LayerCase) -> None:
    layer, shape = layer_case.layer, layer_case.input_shape
    if layer_case.tokens or (layer.gives == "sums" and len(shape) > 1):
        return  # refused, with advice: see test_naming
    layers = [layer, Flatten(), Dense(units=2, init=Normal())]
    blocks = document(case(layers, [[0.1, 0.2]], inputs=shape, tokens=layer_case.tokens).trace())
    words = " ".join(block.text for block in blocks if isinstance(block, Paragraph))
    words += " ".join(str(block.rows) for block in blocks if isinstance(block, Table))
    expanded = layer.gives in ("same", "sums") or layer.formula is not None
    assert expanded or f"{layer.kind}1" in words or isinstance(layer, Block)  # whose layers are named


@pytest.mark.parametrize("member", members(AnyActivation))
def test_every_activation_is_explained(
    case: type[Case], perceptron: Callable[..., list[Layer]], member: type[Any]
) -> None:
    found = equations(document(case(perceptron([2], member(), 1), [[0.3]]).trace()))
    assert "out_h1" in [equation.left for equation in found]


@pytest.mark.parametrize("member", members(AnyLoss))
def test_every_loss_is_explained(case: type[Case], perceptron: Callable[..., list[Layer]], member: type[Any]) -> None:
    loss = member()
    t = [1] if loss.encoding == "index" else [[0.0, 1.0]]
    found = equations(document(case(perceptron([2], Tanh(), 2), t, loss=loss).trace()))
    assert {"E", "dE/dnet_o1", "w1+"} <= {equation.left for equation in found}


@pytest.mark.parametrize("member", members(AnyOptimizer))
def test_every_optimizer_is_explained(
    case: type[Case], perceptron: Callable[..., list[Layer]], member: type[Any]
) -> None:
    """An optimizer's formula works out to the step it takes."""
    optimizer = member()
    blocks = document(case(perceptron([2], Tanh(), 1), [[0.3]], optimizer=optimizer).trace())
    steps = [equation for equation in equations(blocks) if equation.left == "w1+"]
    assert len(steps) == 1
    assert optimizer.formula is None or value(steps[0].sides[1]) == pytest.approx(float(steps[0].sides[-1]), abs=1e-8)
