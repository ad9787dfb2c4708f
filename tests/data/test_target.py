"""Targets: what they are, what the loss sees, how outputs are read."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from nnctl.data.tables import Table
from nnctl.data.target import Target, choose_task, fit_target, require, with_target
from nnctl.engine.loss import Loss
from nnctl.errors import ConfigError, DataError
from tests.data.tables import table


class Index(Loss):
    type: str = "index"
    tasks: ClassVar = ("classification",)
    encoding: ClassVar = "index"


class OneHot(Loss):
    type: str = "one_hot"
    tasks: ClassVar = ("classification", "multilabel")


class Single(OneHot):
    single_output_for_two_classes: ClassVar = True


class Numbers(Loss):
    type: str = "numbers"
    tasks: ClassVar = ("regression", "classification")


TASKS = {
    "text": (["a", "b"] * 9, None, "classification"),
    "flags": ([True, False] * 9, None, "classification"),
    "whole numbers": ([0, 1, 2] * 9, None, "classification"),
    "whole numbers for a loss of numbers": ([0, 1, 2] * 9, Numbers(), "regression"),
    "text for a loss of numbers": (["a", "b"] * 9, Numbers(), "classification"),
    "numbers for a loss of classes": ([0.5, 1.5] * 9, Index(), "classification"),
    "whole as floats": ([0.0, 1.0] * 9, None, "classification"),
    "fractions": ([0.5, 1.0] * 9, None, "regression"),
    "many whole numbers": (list(range(21)) * 2, None, "regression"),
    "each its own": ([1, 2, 3], None, "regression"),
}


@pytest.mark.parametrize("case", TASKS)
def test_task_of_one_column(case: str) -> None:
    values, loss, task = TASKS[case]
    assert choose_task(table(t=values), ["t"], None, loss) == task


def test_task_of_several_columns() -> None:
    t = table(a=[0, 1], b=[True, False], c=["yes", "no"], x=[0.5, 1])
    assert choose_task(t, ["a", "b", "c"], None, None) == "multilabel"
    assert choose_task(t, ["a", "x"], None, None) == "regression"
    with pytest.raises(ConfigError, match="loss: index is for classification, and a, x calls for regression"):
        choose_task(t, ["a", "x"], None, Index())
    with pytest.raises(ConfigError, match="one target column"):
        choose_task(t, ["a", "b"], "classification", None)


def test_a_loss_that_does_not_fit() -> None:
    with pytest.raises(ConfigError, match="loss: index is for classification, and t calls for regression"):
        choose_task(table(t=[1.5]), ["t"], "regression", Index())


def fit(task: str, scaling: str = "auto", **columns: Any) -> tuple[Table, Target]:
    t = table(**columns)
    return t, fit_target(t, list(columns), task, scaling, np.arange(len(t)))


def test_classes_are_strings_in_order() -> None:
    assert fit("classification", t=[10, 9, 9])[1].classes == ("9", "10")
    assert fit("classification", t=["no", "yes", "no"])[1].classes == ("no", "yes")
    assert fit("classification", t=[True, False])[1].classes == ("false", "true")
    with pytest.raises(DataError, match="t is '1' in every row"):
        fit("classification", t=[1, 1])


@pytest.mark.parametrize(
    ("loss", "values", "t"),
    [
        (Index(), ["a", "b", "a"], [0, 1, 0]),
        (OneHot(), ["a", "b", "a"], [[1, 0], [0, 1], [1, 0]]),
        (Single(), ["a", "b", "a"], [[0], [1], [0]]),
        (Single(), ["a", "b", "c"], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ],
)
def test_what_a_loss_of_classes_sees(loss: Loss, values: Sequence[str], t: Sequence[int | Sequence[int]]) -> None:
    rows, target = fit("classification", t=values)
    encoded = target.encode(target.read(rows), loss, np.float32)
    assert encoded.tolist() == t
    assert encoded.dtype == (np.int64 if loss.encoding == "index" else np.float32)
    assert target.outputs(loss) == (1 if len(t) and np.shape(t)[1:] == (1,) else len(target.classes))


def test_decoding_classes() -> None:
    _, target = fit("classification", t=["a", "b"])
    np.testing.assert_allclose(target.decode(np.array([[0.3], [0.9]])), [[0.7, 0.3], [0.1, 0.9]])
    two = np.array([[0.4, 0.6]])
    assert target.decode(two) is two


def test_labels() -> None:
    rows, target = fit("multilabel", a=[0, 1], b=["yes", "No"], c=[True, False])
    assert target.read(rows).tolist() == [[0, 1, 1], [1, 0, 0]]
    assert target.names == ("a", "b", "c")
    with pytest.raises(DataError, match="row 2: label 'b' is '2'; labels are 0 or 1"):
        target.read(table(a=[0, 1], b=[0, 2], c=[0, 0]))


def test_numbers_are_standardized_and_mapped_back() -> None:
    rows, target = fit("regression", u=[2.0, 4, 4, 4, 5, 5, 7, 9], v=[1.0] * 8)
    assert (target.centre, target.scale) == ((5, 1), (2, 1))
    truth = target.read(rows)
    t = target.encode(truth, Numbers(), np.float64)
    assert t[0].tolist() == [-1.5, 0]
    np.testing.assert_array_equal(target.decode(t), truth)
    _, plain = fit("regression", "none", u=[2.0, 4])
    assert (plain.centre, plain.scale) == ((0,), (1,))


@pytest.mark.parametrize("wrong", ["red", float("inf"), "-inf"])
def test_a_target_that_is_no_number(wrong: str | float) -> None:
    """The columns learned from have a type that can be changed; the target has none."""
    several = "; several targets are all numbers, or all labels of 0 and 1, and classes are one column"
    for columns, more in (({"u": [1.5, 2, wrong, None]}, ""), ({"u": [1, 2, wrong], "v": [1, 2, 3]}, several)):
        with pytest.raises(DataError) as raised:
            fit("regression", **columns)
        assert str(raised.value) == f"t.csv, row 3: target 'u' is '{wrong}', which is no finite number{more}"


def test_unknown_classes_and_missing_targets() -> None:
    _, target = fit("classification", t=["<=50K", ">50K"])
    message = (
        r"row 1: t is '<=50K\.', and training had no such class; its classes are <=50K, >50K; did you mean '<=50K'"
    )
    with pytest.raises(DataError, match=message):
        target.read(table(t=["<=50K."]))
    with pytest.raises(DataError, match=r"row 2: the target is missing \(in 1 of 2 rows\)"):
        target.read(table(t=[">50K", None]))


def test_missing_targets_are_refused_or_dropped() -> None:
    t = table(a=[1.0, None, float("nan"), 4], b=["x", "y", "z", None])
    with pytest.raises(DataError, match=r"row 2: the target is missing \(in 3 of 4 rows\)"):
        with_target(t, ["a", "b"])
    kept = with_target(t, ["a", "b"], "drop")
    assert kept["b"].to_list() == ["x"]
    assert with_target(t, ["a"], "drop").lines.tolist() == [1, 4]
    with pytest.raises(DataError, match="missing in every row"):
        with_target(table(a=[None, None]), ["a"], "drop")


def test_all_missing_columns_are_named_with_the_nearest() -> None:
    with pytest.raises(
        DataError, match=r"has no columns 'agee' \(did you mean 'age'\?\), 'zzz'; its columns are age, sex"
    ):
        require(table(age=[1], sex=["f"]), ["agee", "age", "zzz"])


def test_json_round_trip() -> None:
    _, target = fit("regression", u=[0.1, 0.2, 1 / 3])
    assert Target.model_validate_json(target.model_dump_json()) == target
