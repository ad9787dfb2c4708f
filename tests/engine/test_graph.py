"""Networks that are graphs: fan-out, joins, several inputs and outputs, shared layers, sequences."""

import numpy as np
import pytest

from nnctl.activations import Relu, Tanh
from nnctl.engine.batch import Batch
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.loss import Head
from nnctl.engine.network import Network, Pass, chain
from nnctl.engine.sequences import Sequences
from nnctl.engine.shards import MeanLoss
from nnctl.errors import ConfigError
from nnctl.initializers import Normal
from nnctl.layers import (
    Activation,
    Add,
    Attention,
    AttentionPool,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    Last,
    Multiply,
    Parallel,
    Residual,
    Use,
)
from nnctl.layers.global_pooling import GlobalPool
from nnctl.losses import MeanSquaredError
from nnctl.losses.regression import SquaredError
from nnctl.training.gradients import check_network

SPREAD = Normal(deviation=0.6)
RANDOM = np.random.default_rng(8)


def dense(units: int, **settings: object) -> Dense:
    return Dense.model_validate({"units": units, "init": SPREAD, "bias_init": SPREAD, **settings})


def two_inputs(join: Add | Multiply | Attention | Concatenate) -> Network:
    """Inputs a (4,) and b (3,), each with a branch, joined; outputs p, after a head, and q, from the trunk itself."""
    graph = Graph({"a": Signal((4,)), "b": Signal((3,))})
    ends = [graph.chain([dense(5), Activation(function=Tanh())], name, f"{name}.") for name in ("a", "b")]
    joined = graph.add("join", join, *ends)
    trunk = graph.chain([dense(2)], joined)
    head = graph.chain([Activation(function=Tanh()), dense(3)], trunk, "p.")
    return Network(graph, {"p": head, "q": trunk})


HEADS = {"p": Head(SquaredError()), "q": Head(MeanSquaredError(), 0.25)}


def batch(rows: int = 7) -> Batch:
    inputs = {"a": RANDOM.normal(size=(rows, 4)), "b": RANDOM.normal(size=(rows, 3))}
    targets = {"p": RANDOM.normal(size=(rows, 3)), "q": RANDOM.normal(size=(rows, 2))}
    return Batch(inputs, targets, {"p": None, "q": RANDOM.uniform(0, 2, rows)})


@pytest.mark.parametrize("join", [Add(), Multiply(), Concatenate(), Attention()], ids=lambda join: join.type)
def test_the_gradient_of_two_inputs_and_two_outputs(join: Add) -> None:
    network = two_inputs(join)
    report = check_network(network, HEADS, network.layout.initial(2, dtype="f8"), batch())
    assert [check.name for check in report.checks][-2:] == ["a", "b"]
    assert report.worst.worst < 1e-7


def test_j_is_the_weighted_sum_and_each_output_can_be_had_alone() -> None:
    network, examples = two_inputs(Add()), batch()
    objective = MeanLoss(network, HEADS, network.layout.initial(2, dtype="f8"))
    whole, gradient = objective(examples), objective.gradient.copy()
    assert whole == HEADS["p"].weight * objective.losses["p"] + 0.25 * objective.losses["q"]
    alone = []
    for output in HEADS:
        objective(examples, only=output)
        alone.append(objective.gradient.copy())
    np.testing.assert_allclose(sum(alone), gradient, rtol=1e-12, atol=1e-15)
    assert not alone[1][network.layout.slices["p.dense1.weight"]].any()  # q does not depend on the head of p


def test_a_target_that_is_not_known_leaves_no_trace() -> None:
    """The same bits, whatever stands where the target is missing, also where the loss there is infinite."""
    network, examples = two_inputs(Add()), batch(4)
    theta = network.layout.initial(2, dtype="f8")
    found = []
    for missing in (0.0, 1e300, np.inf):
        objective = MeanLoss(network, HEADS, theta)
        targets = {**examples.targets, "q": np.where([[True], [False], [True], [True]], examples.targets["q"], missing)}
        with np.errstate(all="ignore"):
            loss = objective(Batch(examples.inputs, targets, {"p": None, "q": np.array([1.0, 0, 1, 1])}))
        found.append((loss, objective.gradient.tobytes()))
    assert found[0] == found[1] == found[2]
    nothing = MeanLoss(network, HEADS, theta)
    loss = nothing(Batch(examples.inputs, examples.targets, {"p": None, "q": np.zeros(4)}))
    assert (nothing.losses["q"], nothing.masses["q"]) == (0.0, 0.0)
    assert loss == nothing.losses["p"]


def test_a_value_read_in_many_places_gets_the_sum() -> None:
    x, dy = RANDOM.normal(size=(2, 5, 3))
    network = chain([Parallel(merge="add", branches=((), (), ()))], (3,))
    theta = network.layout.initial(0, dtype="f8")
    through = Pass(network, theta, np.zeros_like(theta), to_input=True)
    np.testing.assert_allclose(through.forward({"input": x})["output"], 3 * x, rtol=1e-15)
    np.testing.assert_allclose(through.backward({"output": dy})["input"], 3 * dy, rtol=1e-15)


def siamese() -> Network:
    """One branch for both inputs."""
    graph = Graph({"left": Signal((3,)), "right": Signal((3,))})
    left = graph.chain([dense(4), Residual(layers=(dense(4), Activation(function=Tanh())))], "left", "left.")
    right = graph.chain([Use(layer="left.dense1"), Use(layer="left.residual1")], "right", "right.")
    return Network(graph, {"output": graph.chain([dense(1)], graph.add("join", Multiply(), left, right))})


def test_a_shared_layer_has_one_set_of_weights_and_both_gradients() -> None:
    network = siamese()
    assert sorted(network.layout.parameters) == [
        "dense1.bias", "dense1.weight", "left.dense1.bias", "left.dense1.weight",
        "left.residual1.layers.dense1.bias", "left.residual1.layers.dense1.weight",
    ]  # fmt: skip
    theta = network.layout.initial(4, dtype="f8")
    x, y, t = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 1))
    examples = Batch({"left": x, "right": y}, {"output": t}, {"output": None})
    report = check_network(network, {"output": Head(SquaredError())}, theta, examples)
    assert report.worst.worst < 1e-7
    swapped = Batch({"left": y, "right": x}, {"output": t}, {"output": None})
    first, second = (MeanLoss(network, {"output": Head(SquaredError())}, theta) for _ in range(2))
    assert first(examples) == pytest.approx(second(swapped), rel=1e-14)
    np.testing.assert_allclose(first.gradient, second.gradient, rtol=1e-10, atol=1e-13)


def test_a_layer_used_twice_must_read_the_same_shape() -> None:
    graph = Graph({"a": Signal((3,)), "b": Signal((4,))})
    graph.chain([dense(2)], "a", "a.")
    with pytest.raises(ConfigError, match=r"layer b.use1: has the weights of a.dense1, which reads .*\(3,\).*\(4,\)"):
        graph.chain([Use(layer="a.dense1")], "b", "b.")
    with pytest.raises(ConfigError, match="`use` names no layer 'nowhere'; there is a.dense1"):
        graph.chain([Use(layer="nowhere")], "b", "b.")


def test_only_a_layer_is_used_twice() -> None:
    graph = Graph({"a": Signal((3,)), "b": Signal((3,))})
    graph.add("join", Add(), "a", "b")
    with pytest.raises(ConfigError, match=r"layer use1: a is an input; only a layer has weights to share"):
        graph.chain([Use(layer="a")], "join")
    with pytest.raises(ConfigError, match=r"join puts together a, b, and here it would read one value"):
        graph.chain([Use(layer="join")], "join")


def test_a_mistake_says_where_in_its_chains_it_is() -> None:
    chain = [dense(3), Parallel(branches=((), (Residual(layers=(dense(3), dense(4))),)))]
    with pytest.raises(ConfigError, match="layer parallel1.branch2.residual1") as caught:
        Graph({"a": Signal((3,))}).chain(chain, "a")
    assert caught.value.key == "1.branches.1.0.shortcut"


def test_what_nobody_reads_is_refused() -> None:
    graph = Graph({"a": Signal((3,)), "b": Signal((3,))})
    end = graph.chain([dense(2)], "a")
    with pytest.raises(ConfigError, match="the input b is read by no output"):
        Network(graph, {"output": end})
    graph = Graph({"a": Signal((3,))})
    graph.chain([dense(2)], "a", "lost.")
    with pytest.raises(ConfigError, match=r"layer lost.dense1 is read by no output"):
        Network(graph, {"output": graph.chain([dense(1)], "a")})


def test_names_are_unique() -> None:
    graph = Graph({"a": Signal((3,))})
    with pytest.raises(ConfigError, match="'a' is the name of an input already"):
        graph.chain([dense(2, name="a")], "a")


def test_backpropagation_stops_where_nothing_is_trained() -> None:
    graph = Graph({"a": Signal((3,)), "b": Signal((3,))})
    frozen = graph.chain([dense(4, trainable=False), Activation(function=Relu())], "a", "a.")
    trained = graph.chain([dense(4), Dropout(rate=0.5)], "b", "b.")
    network = Network(graph, {"output": graph.chain([dense(1)], graph.add("join", Add(), frozen, trained))})
    assert network.trained == {"b.dense1", "b.dropout1", "join", "dense1"}
    theta = network.layout.initial(1, dtype="f8")
    through = Pass(network, theta, np.zeros_like(theta))
    through.forward({"a": np.ones((2, 3)), "b": np.ones((2, 3))})
    through.backward({"output": np.ones((2, 1))})
    assert "a.relu1" not in through.gradients
    assert not through.slots["b.dense1"].input_gradient


def test_nesting_costs_no_more_than_what_is_nested() -> None:
    layers: tuple[Residual | Dense, ...] = (dense(2),)
    for _ in range(60):
        layers = (Residual(layers=layers),)
    assert len(chain(layers, (2,)).nodes) == 61


TOKENS = Signal((), steps=5, tokens=11)


POOLS = [GlobalAveragePool(), GlobalMaxPool(), Last(), AttentionPool(units=3)]


def reader(pool: GlobalPool) -> Network:
    layers = [Embedding(units=4, init=SPREAD), dense(5), Activation(function=Tanh()), pool, dense(2)]
    return chain(layers, TOKENS)


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.type)
def test_the_gradient_of_sequences(pool: GlobalPool) -> None:
    network = reader(pool)
    tokens = Sequences.of([RANDOM.integers(0, 11, n) for n in (4, 0, 1, 7)])
    examples = Batch({"input": tokens}, {"output": RANDOM.normal(size=(4, 2))}, {"output": None})
    theta = network.layout.initial(3, dtype="f8")
    report = check_network(network, {"output": Head(SquaredError())}, theta, examples)
    assert [check.name for check in report.checks][-1] == "all parameters"  # tokens are never nudged
    assert report.worst.worst < 1e-7


def test_sequences_are_cut_into_rows() -> None:
    parts = [RANDOM.normal(size=(n, 2)) for n in (2, 0, 3, 1)]
    whole = Sequences.of(parts)
    for rows in (slice(1, 3), slice(0, 0), slice(None)):
        np.testing.assert_array_equal(whole[rows].values, np.concatenate([*parts[rows], np.empty((0, 2))]))
        assert len(whole[rows]) == len(parts[rows])
    picked = whole[np.array([3, 0])]
    np.testing.assert_array_equal(picked.values, np.concatenate([parts[3], parts[0]]))


def test_sequences_are_refused_where_nothing_can_be_done_with_them() -> None:
    with pytest.raises(ConfigError, match=r"flatten1: takes arrays, and finds sequences"):
        chain([Embedding(units=2), Flatten()], TOKENS)
    with pytest.raises(ConfigError, match="takes numbers, and finds tokens"):
        chain([dense(2)], TOKENS)
    with pytest.raises(ConfigError, match="takes tokens, such as an input of type `text` has"):
        chain([Embedding(units=2)], (3,))
    graph = Graph({"a": Signal((2,), steps=4), "b": Signal((2,), steps=4)})
    with pytest.raises(ConfigError, match="joins sequences step by step"):
        graph.add("join", Add(), "a", "b")
