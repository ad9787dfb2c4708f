"""Class weights: where they come from and what they mean."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.losses.base import ClassLoss
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy, Logistic
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.focal import Focal
from nnctl.losses.margin import Hinge, Perceptron
from nnctl.losses.ordinal import Ordinal
from nnctl.losses.regression import MeanSquaredError, SquaredError
from tests.losses.cases import ALL, WEIGHTS, K, classes, mean, named, outputs, targets


@pytest.mark.parametrize("loss", [loss for loss in ALL if getattr(loss, "class_weights", None)], ids=named)
@given(picks=st.lists(st.integers(0, K - 1), min_size=1, max_size=8), copies=st.integers(2, 4))
def test_a_class_weight_of_n_is_n_examples(loss: CrossEntropy, picks: Sequence[int], copies: int) -> None:
    t = np.array(picks)
    y = outputs(loss, (len(picks), K))
    repeats = np.where(t == 1, copies, 1)
    if loss.encoding == "one_hot":
        t = np.eye(K)[t]
    if isinstance(loss, CrossEntropy):  # smoothing spreads over classes with weights of their own
        loss = loss.model_copy(update={"label_smoothing": 0.0})
    weighted = loss.model_copy(update={"class_weights": (1.0, float(copies), *(1.0,) * (classes(loss) - 2))})
    plain = loss.model_copy(update={"class_weights": None})
    expected, _ = mean(plain, y.repeat(repeats, axis=0), t.repeat(repeats, axis=0))
    assert mean(weighted, y, t)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("member", [BinaryCrossEntropy, Logistic, Hinge, Perceptron])
def test_mass(member: type[Any]) -> None:
    two = member(class_weights=(0.5, 2.0))
    np.testing.assert_array_equal(two.mass(np.array([[0.0], [1.0], [0.25]])), [0.5, 2.0, 0.875])
    labels = np.array([[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    np.testing.assert_array_equal(member(class_weights=WEIGHTS).mass(labels), [1.25, 3.0, 1.0])
    assert member().mass(labels) is None


NAMES, COUNTS = ("cat", "dog", "3"), np.array([10, 20, 30])


@pytest.mark.parametrize(
    ("given_weights", "expected"),
    [
        ("balanced", (2.0, 1.0, 60 / 90)),
        ({"dog": 2, 3: 0.5}, (1.0, 2.0, 0.5)),
        ([1, 2, 3.5], (1.0, 2.0, 3.5)),
        (None, None),
    ],
)
def test_resolved_class_weights(given_weights: Any, expected: tuple[float, float, float] | None) -> None:
    one_hot = (BinaryCrossEntropy, Logistic, Focal, Hinge, Perceptron, SquaredError, MeanSquaredError)
    for member in (CrossEntropy, Ordinal, *one_hot):
        loss = member(class_weights=given_weights).resolved(NAMES, COUNTS)
        assert loss.class_weights == pytest.approx(expected)
        assert loss.resolved(NAMES, COUNTS[::-1]) == loss, "what is written down stays"
        assert member.model_validate(loss.model_dump(mode="json")) == loss


@pytest.mark.parametrize(
    ("given_weights", "counts", "message"),
    [
        (
            {"dgo": 2},
            COUNTS,
            "loss.class_weights: the target has no class 'dgo'; did you mean 'dog'. There are cat, dog, 3",
        ),
        ({"zebra": 2}, COUNTS, "loss.class_weights: the target has no class 'zebra'; there are cat, dog, 3"),
        ([1, 2], COUNTS, "loss.class_weights: lists 2 weights, but there are 3 classes: cat, dog, 3"),
        ("balanced", np.array([5, 0, 1]), "balanced needs examples of every class, .* none of 'dog'"),
    ],
)
def test_class_weights_that_do_not_fit(given_weights: Any, counts: Array, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        CrossEntropy(class_weights=given_weights).resolved(NAMES, counts)
    assert caught.value.exit_code == 2


def test_other_losses_resolve_to_themselves() -> None:
    assert SquaredError().resolved(NAMES, COUNTS) == SquaredError()


@pytest.mark.parametrize("weights", ["balanced", {"a": 2.0}, (1.0, 2.0)])
def test_class_weights_need_classes(weights: Any) -> None:
    with pytest.raises(ConfigError, match="loss.class_weights: weights classes, and the target has none"):
        MeanSquaredError(class_weights=weights).resolved((), np.zeros(0))


def test_weights_must_be_resolved_before_use() -> None:
    with pytest.raises(TypeError, match="resolved"):
        CrossEntropy(class_weights="balanced").mass(np.array([0]))


@pytest.mark.parametrize("loss", [loss for loss in ALL if getattr(loss, "class_weights", None)], ids=named)
def test_mass_with_more_leading_axes(loss: ClassLoss) -> None:
    t = targets(loss, (2, 3, K))
    mass, inner = loss.mass(t), loss.mass(t[1])
    assert mass is not None and inner is not None
    np.testing.assert_array_equal(mass[1], inner)
