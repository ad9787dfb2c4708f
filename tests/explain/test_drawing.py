"""Networks that are graphs: what is written out holds, symbol by symbol, and is what the engine computes."""

import re
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from nnctl.activations import Relu, Sigmoid, Tanh
from nnctl.engine.batch import Batch
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.explain.blocks import Equation, Equations, Heading, Paragraph, Table
from nnctl.explain.document import document
from nnctl.explain.drawing import drawing
from nnctl.explain.trace import Rules, Trace, trace
from nnctl.layers import (
    Activation,
    Add,
    Attention,
    BatchNormalization,
    Concatenate,
    Conv2d,
    Dropout,
    GlobalAveragePool,
    Multiply,
    Parallel,
    Residual,
)
from nnctl.losses import MeanSquaredError, SquaredError
from nnctl.optimizers import SGD
from nnctl.regularization import Penalty, Regularization
from tests.explain.conftest import dense
from tests.explain.test_document import FUNCTIONS

TANH, RELU = Activation(function=Tanh()), Activation(function=Relu())
ONE = {"y": Head(SquaredError())}
TWO = {"y": Head(SquaredError()), "z": Head(MeanSquaredError(), 0.25)}
#: A number, or a symbol: `net_h1.1`, `W2[3,1]`, `dE/dnet_o1`, `dE_y/dout_o1`, `dnet_h1/dw1`.
NAME = r"(?:(?!E/)[A-Za-z_][\w.]*(?:\[\d+,\d+\])?)"
TOKEN = re.compile(rf"d{NAME}/d{NAME}(?: through \w+)?|dE/d{NAME}(?: through [\w.]+)?|{NAME}")


def network_of(inputs: Mapping[str, int | tuple[int, ...]], grow: Callable[[Graph], dict[str, str]]) -> Network:
    graph = Graph({n: Signal(shape if isinstance(shape, tuple) else (shape,)) for n, shape in inputs.items()})
    return Network(graph, grow(graph))


def residual(graph: Graph) -> dict[str, str]:
    layers = (dense(3), TANH, Residual(layers=(dense(3), TANH)), dense(2))
    return {"y": graph.chain(layers, "x")}


def before_activation(graph: Graph) -> dict[str, str]:
    """What a block begins with changes units that are read elsewhere too."""
    layers = (
        dense(3),
        Residual(layers=(RELU, dense(3), Dropout(rate=0.5))),
        TANH,
        dense(2),
        Activation(function=Sigmoid()),
    )
    return {"y": graph.chain(layers, "x")}


def normalised(graph: Graph) -> dict[str, str]:
    """So does a layer that has no formula."""
    return {"y": graph.chain((dense(3), Residual(layers=(BatchNormalization(), dense(3))), dense(2)), "x")}


def branches(graph: Graph) -> dict[str, str]:
    parallel = Parallel(branches=((dense(2),), (), (dense(1), TANH)))
    return {"y": graph.chain((dense(2), TANH, parallel, dense(2)), "x")}


def changed_together(graph: Graph) -> dict[str, str]:
    parallel = Parallel(branches=((dense(2),), (dense(1),)))
    return {"y": graph.chain((parallel, TANH, dense(2)), "x")}


def multiplied(graph: Graph) -> dict[str, str]:
    ends = [graph.chain([dense(3), layer], "x", f"{name}.") for name, layer in (("a", TANH), ("b", RELU))]
    gate = graph.chain([dense(3)], "x", "c.")
    return {"y": graph.chain([dense(2)], graph.add("join", Multiply(), *ends, gate))}


def two_inputs(graph: Graph) -> dict[str, str]:
    ends = [graph.chain([dense(2), TANH], "a", "a."), graph.chain([dense(3)], "b", "b.")]
    trunk = graph.chain([dense(2), TANH], graph.add("join", Concatenate(), *ends))
    return {"y": graph.chain([dense(2)], trunk, "y."), "z": graph.chain([dense(1)], trunk, "z.")}


def read_on_the_way(graph: Graph) -> dict[str, str]:
    """An output that other layers read too."""
    trunk = graph.chain([dense(2), TANH], "x")
    return {"y": trunk, "z": graph.chain([dense(2), TANH, dense(1)], trunk, "z.")}


def read_side_by_side(graph: Graph) -> dict[str, str]:
    ends = [graph.chain([dense(n)], "x", f"{name}.") for n, name in ((1, "a"), (2, "b"))]
    return {"y": graph.add("join", Concatenate(), *ends), "z": graph.chain([dense(1)], ends[1], "z.")}


def used_twice(graph: Graph) -> dict[str, str]:
    """One layer for two inputs."""
    first = graph.add("shared", dense(2), "a")
    second = graph.again("again", "shared", "b")
    ends = [graph.chain([TANH], first, "a."), graph.chain([TANH], second, "b.")]
    return {"y": graph.chain([dense(2)], graph.add("join", Add(), *ends))}


def pictures(graph: Graph) -> dict[str, str]:
    """Features of one input beside another."""
    layers = [Conv2d(filters=2), RELU, GlobalAveragePool(), dense(2), TANH]
    ends = [graph.chain(layers, "picture", "picture."), "facts"]
    return {"y": graph.chain([dense(2)], graph.add("join", Concatenate(), *ends))}


def attended(graph: Graph) -> dict[str, str]:
    ends = [graph.chain([dense(2), TANH], name, f"{name}.") for name in ("a", "b")]
    return {"y": graph.chain([dense(2)], graph.add("join", Attention(), *ends))}


X = {"x": 2}
CASES = {
    "residual": (network_of(X, residual), ONE),
    "before the activation": (network_of(X, before_activation), ONE),
    "normalised": (network_of(X, normalised), ONE),
    "branches": (network_of(X, branches), ONE),
    "changed together": (network_of(X, changed_together), ONE),
    "multiplied": (network_of({"x": 3}, multiplied), ONE),
    "two inputs": (network_of({"a": 2, "b": 3}, two_inputs), TWO),
    "read on the way": (network_of(X, read_on_the_way), TWO),
    "read side by side": (network_of(X, read_side_by_side), TWO),
    "used twice": (network_of({"a": 2, "b": 2}, used_twice), ONE),
    "pictures": (network_of({"picture": (4, 3, 1), "facts": 2}, pictures), ONE),
    "attended": (network_of({"a": 2, "b": 2}, attended), ONE),
}


def traced(network: Network, heads: dict[str, Head], weights: dict[str, Array | None] | None = None) -> Trace:
    random = np.random.default_rng(4)
    inputs = {name: random.normal(size=(1, *signal.shape)) for name, signal in network.inputs.items()}
    targets = {name: random.uniform(size=(1, *network.shape_of(name))) for name in heads}
    theta = network.layout.initial(3, dtype=np.float64)
    rules = Rules(SGD(), lambda _step: 0.1, Penalty(Regularization(), network.layout))
    return trace(network, heads, theta, rules, Batch(inputs, targets, weights or dict.fromkeys(heads)), 10)


def equations(found: Trace) -> list[Equation]:
    return [e for block in document(found) if isinstance(block, Equations) for e in block.equations]


def symbols(found: Trace) -> dict[str, float]:
    """The value of every symbol, from the engine."""
    values = {"learning_rate": 0.1}
    for stage in drawing(found).stages:
        for j in range(len(stage.units)):
            for k in range(len(stage.after) + 1):
                values.setdefault(stage.symbol(j, k), float(stage.values(k)[j]))
            for i in range(len(stage.coming) if stage.gives == "sums" else 0):
                symbol = stage.weight_symbol(i, j)
                values[symbol] = float(stage.weight.before[i, j])
                values[f"d{stage.symbol(j, 0)}/d{symbol}"] = stage.coming_in(i).value
            if stage.gives == "sums" and stage.bias is not None:
                values[stage.bias_symbol(j)] = float(stage.bias.before[j])
    return values


def worked_out(formula: str, values: dict[str, float]) -> float | None:
    """A formula with the values of its symbols; None where it has others."""
    unknown = [m for m in TOKEN.findall(formula) if m not in values and m not in FUNCTIONS]
    if unknown:
        return None
    python = TOKEN.sub(lambda m: m[0] if m[0] in FUNCTIONS else f"({values[m[0]]!r})", formula)
    return float(eval(python.replace("[", "(").replace("]", ")").replace("^", "**"), {"__builtins__": {}}, FUNCTIONS))


@pytest.fixture(params=CASES)
def found(request: pytest.FixtureRequest) -> Trace:
    return traced(*CASES[request.param])


def test_every_formula_holds_with_the_values_of_its_symbols(found: Trace) -> None:
    """Each side of each equation, symbols and all, is its result; a symbol has one value everywhere."""
    values, checked = symbols(found), 0
    lines = equations(found)
    for equation in lines:
        assert values.setdefault(equation.left, float(equation.sides[-1])) == pytest.approx(
            float(equation.sides[-1]), rel=2e-5, abs=2e-8
        ), equation
    for equation in lines:
        for side in equation.sides:
            known = worked_out(side, values)
            if known is not None:
                assert known == pytest.approx(float(equation.sides[-1]), rel=2e-5, abs=4e-8), (equation, side)
                checked += not side.startswith(equation.sides[-1])
    assert checked > 25


def test_every_symbol_of_the_backward_pass_is_known(found: Trace) -> None:
    """Nothing is written that no line explains, but for the settings of a layer that is not expanded."""
    values = symbols(found)
    values |= {e.left: float(e.sides[-1]) for e in equations(found)}
    for equation in equations(found):
        for side in equation.sides:
            assert worked_out(side, values) is not None or " through " in side or "batch_normalization" in side, (
                equation
            )


def test_everything_fits_a_terminal(found: Trace) -> None:
    for block in document(found):
        if isinstance(block, Equations):
            assert max(map(len, block.lines())) <= 80
        if isinstance(block, Table) and block.columns[0] != "parameters":  # which has layers' full names
            widths = [max(len(row[i]) for row in (block.columns, *block.rows)) for i in range(len(block.columns))]
            assert sum(widths) + 2 * len(widths) <= 82


def shown(found: Trace) -> tuple[list[str], list[str], dict[str, Equation]]:
    """Headings, paragraphs and equations."""
    blocks = document(found)
    return (
        [b.text for b in blocks if isinstance(b, Heading)],
        [b.text for b in blocks if isinstance(b, Paragraph)],
        {e.left: e for e in equations(found)},
    )


def test_each_output_has_a_section_of_its_own() -> None:
    headings, words, lines = shown(traced(*CASES["two inputs"]))
    assert headings[2:5] == ["The error of y", "The error of z", "The error"]
    assert "Loss of y: squared_error. Loss of z: mean_squared_error, which counts 0.25 times." in words[0]
    assert lines["E"].sides[0] == "E_y + 0.25*E_z"
    assert lines["dE/dnet_o3"].sides[0] == "0.25*(2*(net_o3 - target_o3))"
    assert lines["dE/dout_h3.1"].sides[0] == "dE/dnet_o1*W4[1,1] + dE/dnet_o2*W4[1,2] + dE/dnet_o3*W5[1,1]"


def test_an_output_that_is_read_has_both_slopes() -> None:
    _, _, lines = shown(traced(*CASES["read on the way"]))
    assert lines["dE_y/dout_o1"].sides[0] == "out_o1 - target_o1"
    assert lines["dE/dout_o1"].sides[0] == "dE/dnet_h1*w5 + dE/dnet_h2*w7 + dE_y/dout_o1"


def test_a_target_that_is_not_known_has_no_error() -> None:
    network, heads = CASES["two inputs"]
    found = traced(network, heads, {"y": None, "z": np.zeros(1)})
    _, words, lines = shown(found)
    assert "This example does not say what it should be: it has no part in the error." in words
    assert lines["E"].sides[0] == "E_y"
    assert "target_o3" not in lines
    assert "E_z" not in lines
    assert lines["dE/dnet_o3"].sides == ("0",)
    assert not found.layers[-1].parameters["weight"].gradient.any()


def test_a_layer_used_twice_has_one_set_of_weights_and_the_sum_of_both_slopes() -> None:
    found = traced(*CASES["used twice"])
    lines = equations(found)
    assert [e.left for e in lines].count("dE/dw1") == [e.left for e in lines].count("w1+") == 1
    slope = next(e for e in lines if e.left == "dE/dw1")
    assert slope.sides[0] == "dE/dnet_h1.1*dnet_h1.1/dw1 + dE/dnet_h2.1*dnet_h2.1/dw1"
    assert next(e for e in lines if e.left == "net_h2.1").sides[0] == "w1*i3 + w2*i4 + b_h1.1"


def test_what_reads_what_is_told_where_it_is_no_chain() -> None:
    (structure, *_) = [b for b in document(traced(*CASES["pictures"])) if isinstance(b, Table)]
    assert structure.rows == (
        ("i1 to i2", "facts", ""),
        ("f1 to f2", "picture.global_average_pool1", ""),
        ("h1 to h2", "picture.dense1, tanh1", "f1 to f2"),
        ("side by side", "join", "h1 to h2; i1 to i2"),
        ("o1 to o2", "dense1", "h1 to h2; i1 to i2"),
    )


def test_columns_of_several_inputs_keep_their_names() -> None:
    found = traced(*CASES["two inputs"])
    columns = {"a": ("year", "mileage"), "b": ("x", "y", "z")}
    assert [stage.units for stage in drawing(found, columns).sources] == [("year", "mileage"), ("x", "y", "z")]
    assert drawing(found, {**columns, "b": ("year", "y", "z")}).sources[1].units == ("i3", "i4", "i5")
    assert drawing(found, {**columns, "b": None}).sources[0].units == ("i1", "i2")


def test_what_an_example_weighs_does_not_matter() -> None:
    """The mean over one example is its own loss."""
    network, heads = CASES["two inputs"]
    plain = traced(network, heads)
    weighted = traced(network, heads, weights={"y": np.full(1, 3.0), "z": None})
    assert repr(document(plain)) == repr(document(weighted))
