"""Every loss against references and difference quotients, and what each declares."""

import json
import math
import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.losses import AnyLoss
from nnctl.losses.base import LossSpec
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy, Logistic
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.focal import Focal
from nnctl.losses.kl_divergence import KLDivergence
from nnctl.losses.margin import Hinge, Perceptron
from nnctl.losses.ordinal import Ordinal
from nnctl.losses.poisson import Poisson
from nnctl.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Quantile,
    SmoothL1,
    SquaredError,
)
from tests.losses.cases import (
    ALL,
    RESIDUAL,
    K,
    classes,
    mean,
    named,
    outputs,
    run,
    softmax,
    targets,
)

MEMBERS = get_args(get_args(AnyLoss)[0])
FOLDER = Path(__file__).parents[1] / "reference" / "loss"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.__name__)
def test_every_member_has_a_case_documentation_and_a_valid_example(member: type[LossSpec]) -> None:
    assert member in {type(loss) for loss in ALL}
    for part in ("Forward: ", "Backward: ", "Source: ", "(..., "):
        assert part in (member.__doc__ or "")
    (example,) = re.findall(r"```yaml\n(.*?)```", (member.__doc__ or ""), re.DOTALL)
    read = TypeAdapter(AnyLoss).validate_python(yaml.safe_load(example)["loss"])
    assert type(read) is member
    assert TypeAdapter(AnyLoss).validate_python(read.model_dump(mode="json")) == read
    assert all(field.description for name, field in member.model_fields.items() if name != "type")


REFERENCES = {
    "bce_logits_mean": BinaryCrossEntropy(),
    "bce_logits_posweight": BinaryCrossEntropy(positive_weight=(0.5, 1.0, 2.0, 4.0)),
    "bce_probs": BinaryCrossEntropy(input="probabilities"),
    "cross_entropy_mean": CrossEntropy(),
    "cross_entropy_none": CrossEntropy(),
    "cross_entropy_smooth_0p1": CrossEntropy(label_smoothing=0.1),
    "cross_entropy_weight_mean": CrossEntropy(class_weights=(0.5, 2.0, 1.0, 0.1, 3.0)),
    "hinge": Hinge(),
    "huber_1p0": Huber(),
    "kl_div_batchmean": KLDivergence(),
    "l1_mean": MeanAbsoluteError(),
    "mse_mean": MeanSquaredError(),
    "nll": CrossEntropy(),
    "smooth_l1_1p0": SmoothL1(),
}


def test_every_reference_has_a_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.npz")} == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_reference(name: str) -> None:
    loss = REFERENCES[name]
    with np.load(FOLDER / f"{name}.npz") as case:
        y, t, expected, slope = (case[key] for key in ("in.logits", "in.target", "out.loss", "grad_in.logits"))
        upstream = case.get("upstream.loss")
    if name == "hinge":
        t = (t + 1) / 2
    if name in ("kl_div_batchmean", "nll"):  # their gradient is that of log-probabilities, a layer further up
        slope = slope - softmax(y) * slope.sum(axis=-1, keepdims=True)
    value, gradient = mean(loss, y, t) if upstream is None else run(loss, y, t, upstream)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, slope, rtol=1e-12, atol=1e-15)


CASES = json.loads((FOLDER.parent / "losses" / "cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: named(TypeAdapter(AnyLoss).validate_python(case["loss"])))
def test_pytorch(case: dict[str, Any]) -> None:
    """See tests/reference/losses/README.md."""
    loss = TypeAdapter(AnyLoss).validate_python(case["loss"])
    value, gradient = mean(loss, np.array(case["y"]), np.array(case["t"]))
    assert value == pytest.approx(case["value"], rel=1e-13)
    np.testing.assert_allclose(gradient, case["gradient"], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("shape", [(3, K), (2, 3, K), (1, K)])
@pytest.mark.parametrize("loss", ALL, ids=named)
@pytest.mark.parametrize("soft", [False, True])
def test_gradient(loss: LossSpec, shape: tuple[int, ...], soft: bool) -> None:
    y, t = outputs(loss, shape), targets(loss, shape, soft=soft)
    scale = np.random.default_rng(2).uniform(0.5, 2, shape[:-1])
    value, gradient = run(loss, y, t, scale)
    assert value.shape == shape[:-1]
    numeric = np.empty_like(y)
    for index in np.ndindex(shape):
        step = np.zeros(shape)
        step[index] = 1e-5
        difference = loss.forward(y + step, t, Slot(y.dtype)) - loss.forward(y - step, t, Slot(y.dtype))
        numeric[index] = (scale * difference).sum() / 2e-5
    np.testing.assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("loss", ALL, ids=named)
def test_shards_add_up_and_arrays_are_left_alone(loss: LossSpec) -> None:
    y, t = outputs(loss, (7, K)), targets(loss, (7, K))
    scale = np.linspace(0.1, 1, 7)
    for array in (y, t, scale):
        array.flags.writeable = False
    value, gradient = run(loss, y, t, scale)
    slot = Slot(y.dtype)
    for rows in (slice(0, 4), slice(4, 7)):  # the same slot, a smaller batch
        np.testing.assert_array_equal(loss.forward(y[rows], t[rows], slot), value[rows])
        np.testing.assert_array_equal(loss.backward(scale[rows], slot), gradient[rows])
        np.testing.assert_array_equal(loss.backward(scale[rows], slot), gradient[rows])


@pytest.mark.parametrize("loss", ALL, ids=named)
def test_float32_agrees(loss: LossSpec) -> None:
    y, t = outputs(loss, (5, K)), targets(loss, (5, K))
    single = t if t.dtype.kind == "i" else t.astype(np.float32)
    value, gradient = run(loss, y.astype(np.float32), single)
    assert value.dtype == gradient.dtype == loss.predict(y.astype(np.float32)).dtype == np.float32
    exact, slope = run(loss, y, t)
    np.testing.assert_allclose(value, exact, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, slope, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ALL, ids=named)
def test_extremes_are_finite_and_silent(loss: LossSpec, dtype: type[Any]) -> None:
    if getattr(loss, "input", "") == "probabilities":
        y = np.array([[0, 0, 0, 1], [1, 0, 0, 0], [0.5, 0.5, 0, 0]], dtype)
    else:
        y = np.array([[1e4, -1e4, 0, 1e4], [-1e4, -1e4, -1e4, -1e4], [0, 0, 0, 0]], dtype)
    if isinstance(loss, Poisson):
        y /= 200  # exp(1e4) is infinite, and so is its loss
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, gradient = run(loss, y, targets(loss, y.shape))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    assert np.isfinite(loss.predict(y)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "cross_entropy", "input": "probabilities", "temperature": 2.0},
        {"type": "cross_entropy", "label_smoothing": 1.0},
        {"type": "cross_entropy", "class_weights": "balance"},
        {"type": "cross_entropy", "class_weights": [-1.0]},
        {"type": "binary_cross_entropy", "positive_weight": 0},
        {"type": "binary_cross_entropy", "positive_weight": ["2"]},
        {"type": "huber", "delta": 0},
        {"type": "quantile", "level": 0.0},
        {"type": "quantile", "level": 1.0},
        {"type": "focal", "gamma": -1.0},
        {"type": "focal", "alpha": 1.0},
        {"type": "mse"},
    ],
)
def test_settings_out_of_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AnyLoss).validate_python(wrong)


def test_as_many_positive_weights_as_outputs() -> None:
    BinaryCrossEntropy(positive_weight=(2.0, 1.0)).refuse_other_outputs(2)
    BinaryCrossEntropy(positive_weight=2.0).refuse_other_outputs(K)
    with pytest.raises(ConfigError, match="positive_weight: lists 1 weights, and the target needs 4 values"):
        BinaryCrossEntropy(positive_weight=(2.0,)).refuse_other_outputs(K)


@pytest.mark.parametrize(
    ("loss", "y", "t", "slope"),
    [
        (MeanAbsoluteError(), 2.0, 2.0, 0.0),
        (Hinge(), 1.0, 1.0, 0.0),
        (Hinge(), -1.0, 0.0, 0.0),
        (Perceptron(), 0.0, 0.0, 1.0),
        (Perceptron(), 0.0, 1.0, 0.0),
        (Huber(delta=0.5), 0.5, 0.0, 0.5),
        (Quantile(level=0.9), 2.0, 2.0, 0.0),
    ],
)
def test_stated_derivative_at_the_kink(loss: LossSpec, y: float, t: float, slope: float) -> None:
    assert run(loss, np.array([[y]]), np.array([[t]]))[1] == slope


@pytest.mark.parametrize("loss", ALL, ids=named)
def test_pieces_tell_the_sides_of_a_kink(loss: LossSpec) -> None:
    kinks = {"mean_absolute_error": 0.5, "quantile": 0.5, "hinge": 1.0, "perceptron": 0.0}  # for a target of 0.5 or 1
    kinky = loss.type in kinks and not getattr(loss, "squared", False)
    sides = []
    for side in (-1e-6, 1e-6):
        slot = Slot(np.float64)
        target = np.full((1, classes(loss)), 0.5 if kinks.get(loss.type) == 0.5 else 1.0)
        loss.forward(np.full((1, K), kinks.get(loss.type, 0.5) + side), target, slot)
        sides.append(loss.pieces(slot))
    assert (sides[0] != sides[1]).all() if kinky else sides == [None, None]


def test_predictions() -> None:
    y = np.array([[-1.0, 0.0, 2.0, 800.0]])
    np.testing.assert_allclose(CrossEntropy(temperature=2.0).predict(y), softmax(y / 2))
    np.testing.assert_allclose(KLDivergence().predict(y), softmax(y))
    for member in (BinaryCrossEntropy, Logistic, Focal, Hinge, Perceptron):
        np.testing.assert_allclose(member().predict(y), [[1 / (1 + math.e), 0.5, 1 / (1 + math.exp(-2)), 1]])
    np.testing.assert_array_equal(Perceptron().predict(y) > 0.5, [[False, True, True, True]])  # fires at 0
    for loss in RESIDUAL:
        np.testing.assert_array_equal(loss.predict(y), y)


CLASSES, LABELS, VALUES = "classification", "multilabel", "regression"


@pytest.mark.parametrize(
    ("member", "tasks", "encoding", "of_two", "of_four"),
    [
        (CrossEntropy, (CLASSES,), "index", 2, 4),
        (Ordinal, (CLASSES,), "index", 1, 3),
        (BinaryCrossEntropy, (CLASSES, LABELS), "one_hot", 1, 4),
        (Logistic, (CLASSES, LABELS), "one_hot", 1, 4),
        (Hinge, (CLASSES, LABELS), "one_hot", 1, 4),
        (Perceptron, (CLASSES, LABELS), "one_hot", 1, 4),
        (SquaredError, (VALUES, CLASSES, LABELS), "one_hot", 2, 4),
        (MeanSquaredError, (VALUES, CLASSES, LABELS), "one_hot", 2, 4),
        (MeanAbsoluteError, (VALUES,), "one_hot", 2, 4),
        (Huber, (VALUES,), "one_hot", 2, 4),
        (SmoothL1, (VALUES,), "one_hot", 2, 4),
        (LogCosh, (VALUES,), "one_hot", 2, 4),
        (Quantile, (VALUES,), "one_hot", 2, 4),
        (Poisson, (VALUES,), "one_hot", 2, 4),
        (Focal, (CLASSES, LABELS), "one_hot", 1, 4),
        (KLDivergence, (VALUES, CLASSES), "one_hot", 2, 4),
    ],
)
def test_declarations(member: type[LossSpec], tasks: tuple[str, ...], encoding: str, of_two: int, of_four: int) -> None:
    assert (member.tasks, member.encoding) == (tasks, encoding)
    assert (member.outputs(2), member.outputs(4)) == (of_two, of_four)
    assert member.ordered == (member is Ordinal)
