"""What is measured beside training."""

import numpy as np
import pytest

from nnctl.engine.batch import Batch
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.engine.shards import MeanLoss
from nnctl.layers import Dense
from nnctl.losses.regression import SquaredError
from nnctl.training.diagnostics import PROBED, gradient_shares
from nnctl.training.shares import overbearing

RANDOM = np.random.default_rng(5)


def objective(*, shared: bool, weights: tuple[float, float] = (1, 1)) -> MeanLoss:
    """Two linear outputs a and b with equal weights, after a dense layer each or one for both."""
    graph = Graph({"input": Signal((3,))})
    first = graph.add("first", Dense(units=4), "input")
    second = first if shared else graph.add("second", Dense(units=4), "input")
    outputs = {"a": graph.add("a", Dense(units=2), first), "b": graph.add("b", Dense(units=2), second)}
    network = Network(graph, outputs)
    theta = network.layout.initial(1, dtype="f8")
    network.layout.view(theta, "b.weight")[...] = network.layout.view(theta, "a.weight")
    heads = {name: Head(SquaredError(), weight) for name, weight in zip("ab", weights, strict=True)}
    return MeanLoss(network, heads, theta)


def batch(rows: int) -> Batch:
    t = RANDOM.normal(size=(rows, 2))
    return Batch({"input": RANDOM.normal(size=(rows, 3))}, {"a": t, "b": t.copy()}, {"a": None, "b": None})


@pytest.mark.parametrize(("weights", "shares"), [((1, 1), (0.5, 0.5)), ((3, 1), (0.75, 0.25)), ((0, 2), (0, 1))])
def test_equal_outputs_have_shares_as_their_weights(weights: tuple[float, float], shares: tuple[float, float]) -> None:
    found = gradient_shares(objective(shared=True, weights=weights), batch(20), (1, "check"))
    assert found == pytest.approx(dict(zip("ab", shares, strict=True)), abs=1e-12)


def test_the_share_grows_with_the_error() -> None:
    """Beside a second output whose error is 3 times as large everywhere."""
    examples, of = batch(20), objective(shared=True)
    theta, layout = of.theta, of.network.layout
    hidden = examples.inputs["input"] @ layout.view(theta, "first.weight")
    y = hidden @ layout.view(theta, "a.weight")
    error = RANDOM.normal(size=y.shape)
    examples = Batch(examples.inputs, {"a": y - error, "b": y - 3 * error}, examples.weights)
    assert gradient_shares(of, examples, (1, "check")) == pytest.approx({"a": 0.25, "b": 0.75})


def test_what_shares_nothing_has_no_shares() -> None:
    assert gradient_shares(objective(shared=False), batch(20), (1, "check")) == {}


def test_no_more_than_some_examples_are_looked_at() -> None:
    many = batch(PROBED + 50)
    many.targets["a"][:PROBED] *= 2
    found = gradient_shares(objective(shared=True), many, (1, "check"))
    assert found == gradient_shares(objective(shared=True), many.first(PROBED), (1, "check"))
    many.targets["b"][PROBED:] = 1e9
    assert found == gradient_shares(objective(shared=True), many, (1, "check"))


def test_an_output_that_decides_alone_is_named() -> None:
    (warning,) = overbearing({"price": 0.95, "brand": 0.05})
    assert "the output price has 95% of the gradient" in warning
    assert not list(overbearing({"price": 0.9, "brand": 0.1}))
