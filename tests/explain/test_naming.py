"""Names of units and weights."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from nnctl.activations import Relu, Tanh
from nnctl.engine.batch import OUTPUT, single
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Head
from nnctl.engine.network import chain
from nnctl.errors import ConfigError
from nnctl.explain.drawing import drawing, unwritten
from nnctl.explain.naming import Stage, input_names
from nnctl.explain.trace import Rules, Trace, trace
from nnctl.initializers import Constant
from nnctl.layers import (
    Activation,
    BatchNormalization,
    Conv1d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAveragePool,
    MaxPool2d,
    Parallel,
    PRelu,
    Reshape,
    Residual,
)
from nnctl.losses import SquaredError
from nnctl.optimizers import SGD
from nnctl.regularization import Penalty, Regularization
from tests.explain.conftest import Case


def network(
    case: type[Case], perceptron: Callable[..., list[Layer]], *hidden: int, outputs: int = 2, inputs: int = 2
) -> list[Stage]:
    t = [[0.0] * outputs]
    return drawing(case(perceptron(hidden, Tanh(), outputs), t, inputs=inputs).trace()).stages


def test_small_networks_number_weights_unit_by_unit(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    _, hidden, output = network(case, perceptron, 2)
    assert [hidden.weight_symbol(i, j) for j in range(2) for i in range(2)] == ["w1", "w2", "w3", "w4"]
    assert [output.weight_symbol(i, j) for j in range(2) for i in range(2)] == ["w5", "w6", "w7", "w8"]


def test_up_to_twenty_weights_have_numbers(case: type[Case], perceptron: Callable[..., list[Layer]]) -> None:
    assert network(case, perceptron, 5)[2].weight_symbol(4, 1) == "w20"
    assert network(case, perceptron, 6)[2].weight_symbol(4, 1) == "W2[5,2]"


@pytest.mark.parametrize(
    ("hidden", "names"),
    [
        ((), [("o1", "o2")]),
        ((3,), [("h1", "h2", "h3"), ("o1", "o2")]),
        ((2, 1), [("h1.1", "h1.2"), ("h2.1",), ("o1", "o2")]),
    ],
)
def test_units(
    case: type[Case], perceptron: Callable[..., list[Layer]], hidden: tuple[int, ...], names: Sequence[tuple[str, ...]]
) -> None:
    assert [stage.units for stage in network(case, perceptron, *hidden)[1:]] == names


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (("age", "height_cm"), ("age", "height_cm")),
        (None, ("i1", "i2")),
        (("i1", "i2"), ("i1", "i2")),
        (("sepal length", "x"), ("i1", "i2")),
        (("h1", "x"), ("i1", "i2")),
        (("w2", "x"), ("i1", "i2")),
        (("x",), ("i1", "i2")),
    ],
)
def test_columns_keep_names_that_can_stand_in_a_formula(
    columns: tuple[str, ...] | None, names: tuple[str, str]
) -> None:
    assert input_names(2, columns) == names


def flat(layers: Sequence[Layer], shape: tuple[int, ...]) -> Trace:
    built = chain(layers, shape)
    penalty = Penalty(Regularization(), built.layout)
    theta = built.layout.initial(0, dtype=np.float64)
    t = np.zeros((1, *built.shape_of(OUTPUT)))
    rules, batch = Rules(SGD(), lambda _step: 0.1, penalty), single(np.ones((1, *shape)), t)
    return trace(built, {OUTPUT: Head(SquaredError())}, theta, rules, batch)


def test_a_bias_all_units_share_has_one_name() -> None:
    shared: dict[str, Any] = {"bias_init": Constant(value=0.35), "train_bias": False}
    found = drawing(flat([Dense(units=2, **shared), Dense(units=2), Dense(units=2, bias=False)], (2,))).stages
    assert [found[1].bias_symbol(j) for j in range(2)] == ["b1", "b1"]
    assert [found[2].bias_symbol(j) for j in range(2)] == ["b_h2.1", "b_h2.2"]
    assert found[3].bias is None


CONV, RELU, BLOCK = Conv2d(filters=2), Activation(function=Relu()), Residual(layers=(Dense(units=3),))
BRANCHES = Parallel(branches=((Dense(units=2),), (Dense(units=3), RELU)))
IMAGES = Parallel(branches=((CONV,), (CONV,)))
#: Layers, the shape of an example, how many layers are not written out, and the units of the first stage.
WRITTEN = {
    "pooled": ([CONV, GlobalAveragePool(), Dense(units=3)], (4, 4, 1), 2, ["f1", "f2"]),
    "flattened": ([CONV, MaxPool2d(), RELU, Flatten(), Dense(units=3)], (4, 4, 1), 2, [f"f{i}" for i in range(1, 9)]),
    "as many as before": ([Conv2d(filters=1), Flatten(), Dense(units=3)], (2, 1, 1), 1, ["f1", "f2"]),
    "reshaped": ([Reshape(shape=(3, 1)), Conv1d(filters=1), Flatten(), Dense(units=3)], (3,), 2, ["f1", "f2", "f3"]),
    "in parallel": ([BRANCHES, Dense(units=4), RELU, Dense(units=3)], (2,), 0, ["i1", "i2"]),
    "dense before": ([Dense(units=4), BRANCHES, Dense(units=3)], (2,), 0, ["i1", "i2"]),
    "pooled in parallel": ([IMAGES, GlobalAveragePool(), Dense(units=3)], (4, 4, 1), 4, ["f1", "f2", "f3", "f4"]),
    "added": ([Dense(units=3), BLOCK, RELU, Dense(units=3)], (2,), 0, ["i1", "i2"]),
    "normalised": ([Dense(units=3), BatchNormalization(), PRelu(), Dense(units=3)], (2,), 0, ["i1", "i2"]),
    "dense alone": ([Reshape(shape=(1, 2)), Flatten(), Dense(units=3)], (2,), 0, ["i1", "i2"]),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_layers_that_give_other_units_come_before_what_is_written_out(case: str) -> None:
    """Every net is the sum that is written: all units that come in, with what each passes on."""
    layers, shape, before, units = WRITTEN[case]
    found = flat(layers, shape)
    assert len(unwritten(found)) == before
    drawn = drawing(found)
    assert list(drawn.sources[0].units) == units
    for stage in drawn.dense:
        assert len(stage.weight.before) == len(stage.coming)
        for j in range(len(stage.units)):
            net = sum(stage.weight.before[i, j] * stage.coming_in(i).value for i in range(len(stage.coming)))
            assert stage.bias is not None
            assert stage.value(j, 0).value == pytest.approx(net + stage.bias.before[j], abs=1e-12)


def test_features_without_dense_layers_are_refused() -> None:
    with pytest.raises(ConfigError, match="dense layers behind global_average_pool1, and there is none; `--json`"):
        drawing(flat([CONV, GlobalAveragePool()], (4, 4, 1)))


def test_images_are_flattened_first() -> None:
    found = drawing(flat([Flatten(), Dense(units=2)], (2, 3))).stages
    assert found[0].units == ("i1", "i2", "i3", "i4", "i5", "i6")
    with pytest.raises(ConfigError, match="put `flatten` before it"):
        drawing(flat([Dense(units=2), Flatten()], (2, 3)))
