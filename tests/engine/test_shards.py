"""The objective over a batch: shards, threads, references."""

from pathlib import Path

import numpy as np
import pytest

from nnctl.activations import Relu, Tanh
from nnctl.engine import shards
from nnctl.engine.batch import Batch
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.loss import Head
from nnctl.engine.parameters import Array
from nnctl.engine.shards import plan_shards
from nnctl.engine.workers import Workers
from nnctl.layers import Activation, BatchNormalization, Dense, Dropout
from nnctl.losses import CrossEntropy
from nnctl.losses.regression import MeanSquaredError
from tests.networks import MeanLoss, Network, chain

REFERENCE = Path(__file__).parents[1] / "reference"


def network(dropout: float = 0.3) -> Network:
    layers = [Dense(units=16), Activation(function=Relu()), Dropout(rate=dropout), Dense(units=4)]
    return chain(layers, (9,))


def batch(rows: int = 23) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(2)
    return random.normal(size=(rows, 9)).astype("f4"), random.integers(0, 4, rows), random.uniform(0.5, 2, rows)


@pytest.fixture
def many_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_MULTIPLY_ADDS", 1)


def test_a_plan_covers_the_batch_once(many_shards: None) -> None:
    for rows in (1, 2, 7, 8, 100):
        plan = plan_shards(network(), rows)
        assert [r for s in plan for r in range(rows)[s]] == list(range(rows))
        assert len(plan) == min(rows, shards.MOST_SHARDS)
        sizes = [s.stop - s.start for s in plan]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("most", "shards"), [(1, 1), (2, 2), (3, 2), (16, 16), (50, 32)])
def test_no_more_shards_than_asked_for(many_shards: None, most: int, shards: int) -> None:
    assert len(plan_shards(network(), 100, most)) == shards
    (x, t, w), net = batch(100), network()
    loss = MeanLoss(net, CrossEntropy(), net.layout.initial(1), most_shards=most)
    loss(x, t, w)
    assert len(loss.passes) == shards


def test_small_work_is_one_shard() -> None:
    assert len(plan_shards(network(), 32)) == 1


def test_coupled_examples_are_one_shard(many_shards: None) -> None:
    assert len(plan_shards(chain([Dense(units=2), BatchNormalization()], (9,)), 64)) == 1


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_a_bit(many_shards: None, threads: int) -> None:
    net, (x, t, w) = network(), batch()
    theta = net.layout.initial(1)
    alone = MeanLoss(net, CrossEntropy(), theta)
    loss = alone(x, t, w)
    with Workers(threads) as workers:
        together = MeanLoss(net, CrossEntropy(), theta, workers)
        for _ in range(5):
            assert together(x, t, w) == loss
            np.testing.assert_array_equal(together.gradient, alone.gradient)


def test_shards_are_the_batch_up_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    net, (x, t, w) = network(dropout=0.0), batch()
    theta = net.layout.initial(1, dtype="f8")
    whole = MeanLoss(net, CrossEntropy(), theta)
    outputs = np.empty((23, 4))
    loss = whole(x, t, w, outputs=outputs)
    gradient = whole.gradient.copy()
    monkeypatch.setattr(shards, "SHARD_MULTIPLY_ADDS", 1)
    cut, cut_outputs = MeanLoss(net, CrossEntropy(), theta, to_input=True), np.empty((23, 4))
    assert cut(x, t, w, outputs=cut_outputs) == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(cut.gradient, gradient, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(cut_outputs, outputs, rtol=1e-13)
    assert cut.input_gradient.shape == x.shape


def test_weights_are_repetitions() -> None:
    net, (x, t, _) = network(dropout=0.0), batch(6)
    theta = net.layout.initial(1, dtype="f8")
    weighted, repeated = MeanLoss(net, CrossEntropy(), theta), MeanLoss(net, CrossEntropy(), theta)
    counts = np.array([1, 2, 3, 1, 1, 4])
    a = weighted(x, t, counts.astype(float))
    b = repeated(np.repeat(x, counts, axis=0), np.repeat(t, counts))
    assert a == pytest.approx(b, rel=1e-13)
    np.testing.assert_allclose(weighted.gradient, repeated.gradient, rtol=1e-12, atol=1e-15)


def test_the_first_layer_is_spared_its_input_gradient() -> None:
    net = network()
    objective = MeanLoss(net, CrossEntropy(), net.layout.initial(1))
    objective(*batch())
    assert [slot.input_gradient for slot in objective.passes[0].slots.values()] == [False, True, True, True]


def test_dropout_differs_by_address_and_shard(many_shards: None) -> None:
    net, (x, t, w) = network(), batch()
    objective = MeanLoss(net, CrossEntropy(), net.layout.initial(1))
    losses = {objective(x, t, w, address=(0, "pass", step)) for step in range(4)}
    assert len(losses) == 4
    masks = [p.slots["dropout1"]["mask"][:2] for p in objective.passes]
    assert not np.array_equal(masks[0], masks[1])


def test_training_follows_the_reference() -> None:
    """Forty steps of plain gradient descent on a small network, against PyTorch's figures."""
    r = np.load(REFERENCE / "train" / "mlp_softmax_sgd.npz")
    net = chain([Dense(units=8), Activation(function=Tanh()), Dense(units=3)], (6,))
    theta = net.layout.initial(0, dtype="f8")

    def pack(prefix: str) -> Array:
        vector = np.zeros(net.layout.size)
        for ours, theirs in (("dense1", "fc1"), ("dense2", "fc2")):
            net.layout.view(vector, f"{ours}.weight")[...] = r[f"{prefix}.{theirs}.weight"].T
            net.layout.view(vector, f"{ours}.bias")[...] = r[f"{prefix}.{theirs}.bias"]
        return vector

    theta[...] = pack("param_before")
    objective = MeanLoss(net, CrossEntropy(), theta)
    for step, rows in enumerate(r["in.batches"]):
        loss = objective(r["in.x"][rows], r["in.y"][rows])
        assert loss == pytest.approx(r["out.losses"][step], rel=1e-12)
        if step == 0:
            np.testing.assert_allclose(objective.gradient, pack("first_grad"), rtol=1e-11, atol=1e-14)
        theta -= 0.2 * objective.gradient
    np.testing.assert_allclose(theta, pack("param_after"), rtol=1e-11, atol=1e-13)


def test_batches_with_the_mass_of_all_add_up_to_one_batch() -> None:
    """Two outputs, of which one is not known for most rows, and for none of the first batch."""
    random = np.random.default_rng(3)
    x, t = random.normal(size=(12, 5)), {"a": random.integers(0, 3, 12), "b": random.normal(size=(12, 2))}
    w = {"a": random.uniform(0.5, 2, 12), "b": np.array([0] * 5 + [1, 0, 0, 1, 0, 1, 1], float)}
    graph = Graph({"x": Signal((5,))})
    hidden = graph.chain([Dense(units=4, name="hidden")], "x")
    ends = {h: graph.chain([Dense(units=k, name=h)], hidden) for h, k in (("a", 3), ("b", 2))}
    net = Network(graph, ends)
    heads = {"a": Head(CrossEntropy(class_weights=(0.3, 1.0, 4.0))), "b": Head(MeanSquaredError(), 0.7)}

    def part(rows: slice) -> Batch:
        return Batch({"x": x[rows]}, {h: t[h][rows] for h in t}, {h: w[h][rows] for h in w})

    objective = shards.MeanLoss(net, heads, net.layout.initial(1, dtype="f8"))
    whole = objective(part(slice(0, 12)))
    gradient, losses, masses = objective.gradient.copy(), dict(objective.losses), dict(objective.masses)
    parts = [part(slice(0, 4)), part(slice(4, 9)), part(slice(9, 12))]
    assert objective.masses_of(parts) == pytest.approx(masses, rel=1e-14)
    total, added, each = 0.0, np.zeros_like(gradient), dict.fromkeys(losses, 0.0)
    for batch in parts:
        total += objective(batch, masses=masses)
        added += objective.gradient
        each = {h: each[h] + objective.losses[h] for h in each}
        assert objective.masses == masses
    assert total == pytest.approx(whole, rel=1e-13)
    assert each == pytest.approx(losses, rel=1e-13)
    np.testing.assert_allclose(added, gradient, rtol=1e-12, atol=1e-15)
