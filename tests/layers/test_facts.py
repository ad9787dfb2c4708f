"""What layers say of themselves, which explaining and drawing go by, is so."""

from typing import get_args

import numpy as np
import pytest

from nnctl.engine.graph import Signal
from nnctl.engine.layer import Join
from nnctl.engine.parameters import Array, Layout
from nnctl.engine.slot import Slot
from nnctl.layers import AnyJoin, Block
from tests.layers.cases import CASES, Case
from tests.networks import Network, Pass, chain

each_case = pytest.mark.parametrize("case", [c for c in CASES if not isinstance(c.layer, Block)], ids=str)


def evaluated(case: Case) -> tuple[Array, Array, Network, Array]:
    """Inputs, outputs as in evaluation, the network of the one layer, and its parameters."""
    network = chain([case.layer], Signal(case.input_shape, tokens=case.tokens))
    theta = network.layout.initial(3, dtype=np.float64)
    forward = Pass(network, theta)
    forward.begin(training=False, address=(0, "facts"))
    random, shape = np.random.default_rng(4), (2, *case.input_shape)
    x = random.integers(0, case.tokens, shape) if case.tokens else random.normal(size=shape)
    return x, forward.forward(x.copy()).copy(), network, theta


@each_case
def test_what_outputs_are(case: Case) -> None:
    x, y, network, theta = evaluated(case)
    if case.layer.gives == "same":
        np.testing.assert_array_equal(y.ravel(), x.ravel())
    elif case.layer.gives == "sums":
        p = network.layout.views(theta)[next(iter(network.nodes))]
        np.testing.assert_allclose(y, x @ p["weight"] + p.get("bias", 0.0), rtol=1e-12, atol=1e-12)
    elif case.layer.gives == "changed":
        assert y.shape == x.shape


@each_case
def test_a_layer_with_a_formula_takes_each_value_for_itself(case: Case) -> None:
    if case.layer.formula is None:
        return
    x, y, network, theta = evaluated(case)
    forward = Pass(network, theta)
    forward.begin(training=False, address=(0, "facts"))
    backwards = forward.forward(x.reshape(-1)[::-1].reshape(x.shape).copy())
    np.testing.assert_array_equal(backwards.reshape(-1)[::-1], y.reshape(-1))


@each_case
def test_what_differs_in_training_is_said(case: Case) -> None:
    x, y, network, theta = evaluated(case)
    forward = Pass(network, theta)
    forward.begin(training=True, address=(1, "facts"))
    differs = not np.array_equal(forward.forward(x.copy()), y)
    assert not differs or case.layer.in_evaluation is not None


@pytest.mark.parametrize("member", get_args(get_args(AnyJoin)[0]))
def test_what_joins_make_of_their_inputs(member: type[Join]) -> None:
    join, random = member(type=member.model_fields["type"].default), np.random.default_rng(6)
    x = tuple(random.normal(size=(2, 3)) for _ in range(3))
    layout = Layout({"join": join.parameters((3,))})
    y = join.forward(layout.views(layout.initial(1, dtype=np.float64))["join"], x, Slot("float64"))
    truth = {"added": sum(x), "multiplied": x[0] * x[1] * x[2], "same": np.concatenate(x, axis=-1)}
    for gives, values in truth.items():
        assert (np.shape(y) == np.shape(values) and np.allclose(y, values)) == (join.gives == gives)
