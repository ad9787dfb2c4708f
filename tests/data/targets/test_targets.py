"""Targets: what they are, what the loss sees, how outputs are read."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nnctl.data.spec import Task
from nnctl.data.tables import Table
from nnctl.data.targets import KINDS, AnyTarget, Classes, Labels, Numbers, Target, choose, in_order, with_target
from nnctl.engine.loss import Loss
from nnctl.errors import ConfigError, DataError
from nnctl.metrics import AnyMetric, Metric, evaluate
from tests.data.tables import table


class Index(Loss):
    type: str = "index"
    tasks: ClassVar = ("classification",)
    encoding: ClassVar = "index"


class OneHot(Loss):
    type: str = "one_hot"
    tasks: ClassVar = ("classification", "multilabel")


class Single(OneHot):
    @classmethod
    def outputs(cls, classes: int) -> int:
        return 1 if classes == 2 else classes


class OfNumbers(Loss):
    type: str = "numbers"
    tasks: ClassVar = ("regression", "classification")


TASKS = {
    "text": (["a", "b"] * 9, None, "classification"),
    "flags": ([True, False] * 9, None, "classification"),
    "whole numbers": ([0, 1, 2] * 9, None, "classification"),
    "whole numbers for a loss of numbers": ([0, 1, 2] * 9, OfNumbers(), "regression"),
    "text for a loss of numbers": (["a", "b"] * 9, OfNumbers(), "classification"),
    "numbers for a loss of classes": ([0.5, 1.5] * 9, Index(), "classification"),
    "whole as floats": ([0.0, 1.0] * 9, None, "classification"),
    "fractions": ([0.5, 1.0] * 9, None, "regression"),
    "many whole numbers": (list(range(21)) * 2, None, "regression"),
    "each its own": ([1, 2, 3], None, "regression"),
}


@pytest.mark.parametrize("case", TASKS)
def test_task_of_one_column(case: str) -> None:
    values, loss, task = TASKS[case]
    assert choose(table(t=values), ["t"], None, loss).task == task


def test_task_of_several_columns() -> None:
    t = table(a=[0, 1], b=[True, False], c=["yes", "no"], x=[0.5, 1])
    assert choose(t, ["a", "b", "c"], None, None) is Labels
    assert choose(t, ["a", "x"], None, None) is Numbers
    with pytest.raises(ConfigError, match="^index is for classification, and a, x calls for regression"):
        choose(t, ["a", "x"], None, Index())
    with pytest.raises(ConfigError, match="one target column, and these are a, b") as refused:
        choose(t, ["a", "b"], "classification", None)
    assert refused.value.key == "data.target"


def test_a_loss_that_does_not_fit() -> None:
    with pytest.raises(ConfigError, match="^index is for classification, and t calls for regression"):
        choose(table(t=[1.5]), ["t"], "regression", Index())


def fit(task: Task, scaling: Any = "auto", **columns: Any) -> tuple[Table, Any]:
    t = table(**columns)
    return t, KINDS[task].fit(t, list(columns), scaling, np.arange(len(t)))


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
    encoded = target.encode(target.read_all(rows), loss, np.float32)
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
    assert target.read_all(rows).tolist() == [[0, 1, 1], [1, 0, 0]]
    assert target.names == ("a", "b", "c")
    with pytest.raises(DataError, match="row 2: label 'b' is '2'; labels are 0 or 1"):
        target.read_all(table(a=[0, 1], b=[0, 2], c=[0, 0]))


def test_numbers_are_standardized_and_mapped_back() -> None:
    rows, target = fit("regression", u=[2.0, 4, 4, 4, 5, 5, 7, 9], v=[1.0] * 8)
    assert (target.centre, target.scale) == ((5, 1), (2, 1))
    truth = target.read_all(rows)
    t = target.encode(truth, OfNumbers(), np.float64)
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
    message = r"row 1: column 't': training had no class '<=50K\.'; did you mean '<=50K'\? There are <=50K, >50K"
    with pytest.raises(DataError, match=message):
        target.read_all(table(t=["<=50K."]))
    with pytest.raises(DataError, match=r"row 2: the target is missing \(in 1 of 2 rows\)"):
        target.read_all(table(t=[">50K", None]))


def test_missing_targets_are_refused_or_dropped() -> None:
    t = table(a=[1.0, None, float("nan"), 4], b=["x", "y", "z", None])
    with pytest.raises(DataError, match=r"row 2: the target is missing \(in 3 of 4 rows\)"):
        with_target(t, ["a", "b"])
    kept = with_target(t, ["a", "b"], "drop")
    assert kept["b"].to_list() == ["x"]
    assert with_target(t, ["a"], "drop").lines.tolist() == [1, 4]
    with pytest.raises(DataError, match="missing in every row"):
        with_target(table(a=[None, None]), ["a"], "drop")


@pytest.mark.parametrize(
    ("task", "cells", "truth"),
    [
        ("classification", {"t": ["b", None, "a"]}, [1, 0, 0]),
        ("multilabel", {"a": [1, 0, 1], "b": ["yes", None, "no"]}, [[1, 1], [0, 0], [1, 0]]),
        ("regression", {"u": [3.0, None, 1.0], "v": [4.0, 5.0, 2.0]}, [[3, 4], [2, 5], [1, 2]]),
    ],
)
def test_a_row_with_an_empty_cell_has_no_truth_and_a_number_in_its_place(
    task: Task, cells: dict[str, Any], truth: list[Any]
) -> None:
    rows, target = fit(task, **cells)
    found, known = target.read(rows)
    assert known.tolist() == [True, False, True]
    assert found.tolist() == truth
    with pytest.raises(DataError, match=r"row 2: the target is missing \(in 1 of 3 rows\)"):
        target.read_all(rows)


SIZES = Classes(columns=("t",), classes=("large", "middle", "small"))


class Ordered(Index):
    ordered: ClassVar = True


def test_classes_stand_in_the_order_given() -> None:
    target = in_order(SIZES, ["small", "middle", "large"], Ordered(), "data.order")
    assert target.read_all(table(t=["large", "small", "middle"])).tolist() == [2, 0, 1]
    assert target.outputs(Ordered()) == 3
    assert in_order(SIZES, None, Index(), "data.order") == SIZES
    numbers = Classes(columns=("t",), classes=("9", "10", "10.5"))
    assert in_order(numbers, None, Ordered(), "data.order") == numbers
    assert in_order(Classes(columns=("t",), classes=("3", "4")), [4, 3], None, "data.order").names == ("4", "3")


@pytest.mark.parametrize(
    ("target", "order", "message"),
    [
        (SIZES, None, r"index needs the order of the classes, .* \[large, middle, small\]$"),
        (SIZES, ["small", "midle", "large"], r"the target has no class 'midle'; did you mean 'middle'\?"),
        (SIZES, ["small", "large"], "leaves out middle; list every class once"),
        (SIZES, ["small", "middle", "large", "small"], "names small twice; list every class once"),
        (Labels(columns=("a", "b")), ["a", "b"], "is of classes, and the task is multilabel; leave it out"),
    ],
)
def test_an_order_that_is_none_of_the_classes(target: Classes | Labels, order: list[str] | None, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^data.outputs.size.order: {message}"):
        in_order(target, order, Ordered(), "data.outputs.size.order")


VERSION_1 = [
    ("classification", {"classes": ["a", "b"], "centre": [], "scale": []}, Classes(columns=("t",), classes=("a", "b"))),
    ("multilabel", {"classes": [], "centre": [], "scale": []}, Labels(columns=("t",))),
    (
        "regression",
        {"classes": [], "centre": [0.5], "scale": [2.0]},
        Numbers(columns=("t",), centre=(0.5,), scale=(2.0,)),
    ),
]


@pytest.mark.parametrize(("task", "rest", "target"), VERSION_1)
def test_a_target_of_a_model_file_of_version_1(task: str, rest: dict[str, Any], target: Target) -> None:
    """Which had one class for all three, and every key."""
    any_target: TypeAdapter[Target] = TypeAdapter(AnyTarget)
    assert any_target.validate_python({"task": task, "columns": ["t"], **rest}) == target
    assert any_target.validate_json(target.model_dump_json()) == target
    with pytest.raises(ValidationError):
        any_target.validate_python({"task": "divination", "columns": ["t"]})


def test_the_majority_class_is_the_answer_that_looks_at_nothing() -> None:
    target = Classes(columns=("t",), classes=("a", "b", "c", "d"))
    answer = target.trivial(np.array([0, 2, 2, 1]))
    assert answer.tolist() == [0.25, 0.25, 0.5, 0]
    assert target.trivial_text(answer) == "always c (50.0% of the training data)"
    log_loss: Metric = TypeAdapter(AnyMetric).validate_python("log_loss")
    assert evaluate([*target.suited_metrics, log_loss], target.beside(answer, np.array([2, 0]))) == {
        "accuracy": 0.5,
        "macro_f1": pytest.approx(1 / 3),
        "log_loss": pytest.approx((np.log(2) + np.log(4)) / 2),
    }
    two = Classes(columns=("t",), classes=("a", "b"))
    assert two.trivial(np.array([0, 1]), np.array([1.0, 3.0])).tolist() == [0.25, 0.75]


def test_labels_as_frequent_as_in_training() -> None:
    target = Labels(columns=("a", "b"))
    answer = target.trivial(np.array([[1, 0], [1, 0], [0, 1], [1, 0]]))
    assert answer.tolist() == [0.75, 0.25]
    assert target.beside(answer, np.array([[1, 1]])).decided.tolist() == [[True, False]]


def test_the_mean_of_the_training_data() -> None:
    target = Numbers(columns=("u", "v"), centre=(0.0, 0.0), scale=(1.0, 1.0))
    answer = target.trivial(np.array([[1.0, 10], [3, 20]]), np.array([3.0, 1.0]))
    assert answer.tolist() == [1.5, 12.5]
    assert evaluate(target.suited_metrics, target.beside(answer, np.array([[1.5, 0], [1.5, 25]])))["mae"] == 6.25
    # in float64, whatever the truth is in
    tenths = target.trivial(np.full((1000, 1), 0.1, np.float32))
    assert tenths[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize(("task", "rest", "target"), VERSION_1)
def test_the_answer_of_no_examples(task: str, rest: dict[str, Any], target: Target) -> None:
    classes = task == "classification"
    answer = target.trivial(np.zeros(0 if classes else (0, 1), int))
    assert np.isnan(answer).all()
    evaluate(target.suited_metrics, target.beside(answer, np.zeros(3 if classes else (3, 1), int)))
