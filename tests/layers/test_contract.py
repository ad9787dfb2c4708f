"""Laws every layer keeps, checked on the table of cases."""

from typing import get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from nnctl.config.architecture import every_layer
from nnctl.engine.batch import OUTPUT
from nnctl.engine.graph import Signal
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.layers import AnyLayer, Block
from tests.layers.cases import CASES, Case
from tests.networks import Pass, chain

ADDRESS = (3, "pass", 0, 1)
ROWS = 6

each_case = pytest.mark.parametrize("case", CASES, ids=str)


class Bench:
    """A layer with parameters, a batch and an upstream gradient."""

    def __init__(self, case: Case, dtype: str = "float64", training: bool = True) -> None:
        self.network = chain([case.layer], Signal(case.input_shape, tokens=case.tokens))
        random = np.random.default_rng(5)
        self.layout = self.network.layout
        self.theta = self.layout.initial(seed=1, dtype=dtype)
        self.gradient = np.zeros_like(self.theta)
        shape = (ROWS, *case.input_shape)
        self.x = random.integers(0, case.tokens, shape) if case.tokens else random.normal(size=shape).astype(dtype)
        self.upstream = random.normal(size=(ROWS, *case.output_shape)).astype(dtype)
        self.through = Pass(self.network, self.theta, self.gradient, to_input=True)
        self.through.begin(training=training, address=ADDRESS)

    def forward(self, rows: slice = slice(None)) -> Array:
        y: Array = self.through.forward(self.x[rows])
        return y

    def backward(self, rows: slice = slice(None)) -> Array:
        """dJ/dx; of tokens, which have none, zeros."""
        dx: Array | None = self.through.backward(self.upstream[rows])
        return np.zeros(self.x[rows].shape) if dx is None else dx

    def value(self) -> float:
        return float(np.sum(self.forward() * self.upstream))


def central_difference(bench: Bench, array: np.ndarray, epsilon: float = 1e-6) -> np.ndarray:
    slopes = np.zeros_like(array)
    for i in np.ndindex(array.shape):
        held = array[i]
        array[i] = held + epsilon
        above = bench.value()
        array[i] = held - epsilon
        below = bench.value()
        array[i] = held
        slopes[i] = (above - below) / (2 * epsilon)
    return slopes


def test_every_layer_has_a_case() -> None:
    union = get_args(get_args(AnyLayer)[0])
    assert {type(layer) for case in CASES for layer in every_layer([case.layer])} == set(union)


@each_case
def test_shapes(case: Case) -> None:
    bench = Bench(case)
    assert bench.network.shape_of(OUTPUT) == case.output_shape
    assert bench.forward().shape == (ROWS, *case.output_shape)
    assert bench.backward().shape == (ROWS, *case.input_shape)


@each_case
@pytest.mark.parametrize("training", [True, False])
def test_backward_is_the_derivative_of_forward(case: Case, training: bool) -> None:
    bench = Bench(case, training=training)
    bench.forward()
    dx = bench.backward().copy()
    if not case.tokens:
        np.testing.assert_allclose(dx, central_difference(bench, bench.x), rtol=1e-6, atol=1e-8)
    analytic = bench.gradient.copy()
    np.testing.assert_allclose(
        analytic[bench.layout.trained],
        central_difference(bench, bench.theta)[bench.layout.trained],
        rtol=1e-6,
        atol=1e-8,
    )


@each_case
def test_float32_agrees_with_float64(case: Case) -> None:
    double, single = Bench(case, "float64"), Bench(case, "float32")
    y = single.forward()
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, double.forward(), rtol=1e-4, atol=1e-5)
    dx = single.backward()
    assert case.tokens or dx.dtype == np.float32
    np.testing.assert_allclose(dx, double.backward(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(single.gradient, double.gradient, rtol=1e-4, atol=1e-4)


@each_case
def test_inputs_and_parameters_are_only_read(case: Case) -> None:
    bench = Bench(case)
    for array in (bench.x, bench.upstream, bench.theta):
        array.flags.writeable = False
    bench.forward()
    bench.backward()


@each_case
def test_non_contiguous_inputs_give_the_same(case: Case) -> None:
    bench, strided = Bench(case), Bench(case)
    strided.x = np.repeat(bench.x, 2, axis=0)[::2]
    strided.upstream = np.asfortranarray(bench.upstream)
    np.testing.assert_allclose(strided.forward(), bench.forward(), rtol=1e-13)
    np.testing.assert_allclose(strided.backward(), bench.backward(), rtol=1e-13)
    np.testing.assert_allclose(strided.gradient, bench.gradient, rtol=1e-13, atol=1e-14)


@each_case
def test_a_pass_can_be_repeated_to_the_bit(case: Case) -> None:
    bench = Bench(case)
    first = bench.forward().copy(), bench.backward().copy(), bench.gradient.copy()
    again = bench.forward(), bench.backward(), bench.gradient
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


@each_case
def test_backward_overwrites_the_gradient(case: Case) -> None:
    bench = Bench(case)
    bench.forward()
    bench.backward()
    once = bench.gradient.copy()
    for name, parameter in bench.layout.parameters.items():
        if parameter.trainable:
            bench.layout.view(bench.gradient, name)[...] = np.nan
    bench.backward()
    np.testing.assert_array_equal(bench.gradient, once)


@each_case
def test_smaller_batches_after_larger_ones(case: Case) -> None:
    bench = Bench(case, training=False)
    whole = bench.forward().copy()
    np.testing.assert_allclose(bench.forward(slice(0, 2)), whole[:2], rtol=1e-13)
    assert bench.backward(slice(0, 2)).shape == (2, *case.input_shape)


@pytest.mark.parametrize("case", [c for c in CASES if not Bench(c).network.couples_examples], ids=str)
def test_shards_add_up_to_the_batch(case: Case) -> None:
    bench = Bench(case, training=False)
    bench.forward()
    dx = bench.backward().copy()
    whole = bench.gradient.copy()
    parts = np.zeros_like(whole)
    for rows in (slice(0, 2), slice(2, ROWS)):
        bench.forward(rows)
        np.testing.assert_allclose(bench.backward(rows), dx[rows], rtol=1e-12, atol=1e-14)
        parts += bench.gradient
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", [c for c in CASES if not isinstance(c.layer, Block)], ids=str)
def test_what_a_layer_is_told_of_training_its_parameters_say(case: Case) -> None:
    settings = {"learning_rate_scale": 0.25, "l1": 0.5, "l2": 0.75}
    known = {key: value for key, value in settings.items() if key in type(case.layer).model_fields}
    declared = case.layer.model_copy(update=known).parameters(case.input_shape)
    trained = [parameter for parameter in declared.values() if parameter.trainable]
    assert not trained or "learning_rate_scale" in known
    assert all(parameter.learning_rate_scale == 0.25 for parameter in trained)
    for key in known.keys() & {"l1", "l2"}:
        assert {getattr(parameter, key) for parameter in trained if parameter.decays} == {settings[key]}
    assert all((parameter.role in ("weight", "table")) == parameter.decays for parameter in declared.values())


@each_case
def test_settings_survive_a_round_trip(case: Case) -> None:
    adapter: TypeAdapter[Layer] = TypeAdapter(AnyLayer)
    assert adapter.validate_python(case.layer.model_dump(mode="json")) == case.layer
