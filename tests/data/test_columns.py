"""Columns as numbers, against NumPy."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import DataError
from tests.data.tables import encoded, fitted, table

NAN = float("nan")
X = [3.0, None, 1.0, 7.0, 1.0]
PRESENT = np.array([3.0, 1, 7, 1])


@pytest.mark.parametrize(
    ("missing", "fill"),
    [
        ("mean", np.mean(PRESENT)),
        ("median", np.median(PRESENT)),
        ("most_frequent", 1.0),
        ("indicator", np.mean(PRESENT)),
    ],
)
def test_missing_numbers_are_filled(missing: str, fill: float) -> None:
    filled = np.array([3, fill, 1, 7, 1])
    z = encoded(fitted(table(x=X), "x", missing=missing), table(x=X))
    np.testing.assert_allclose(z[:, 0], (filled - filled.mean()) / filled.std(), rtol=1e-12)
    if missing == "indicator":
        assert z[:, 1].tolist() == [0, 1, 0, 0, 0]
    assert z.shape[1] == (2 if missing == "indicator" else 1)


def test_missing_may_be_an_error() -> None:
    with pytest.raises(DataError, match=r"t\.csv, row 2: column 'x' is missing \(in 1 of 5 rows\).*is error"):
        fitted(table(x=X), "x", missing="error")
    column = fitted(table(x=[1.0, 2.0]), "x", missing="error")
    with pytest.raises(DataError, match="row 2: column 'x' is missing"):
        encoded(column, table(x=X))
    column = fitted(table(c=["a", "b"]), "c", missing="error")
    with pytest.raises(DataError, match="row 1: column 'c' is missing"):
        encoded(column, table(c=[None, "b"]))


def test_no_indicator_where_training_has_none_missing() -> None:
    """Its weight would never be trained, and would add noise to a prediction."""
    column = fitted(table(x=[1.0, 2.0], c=["a", "b"]), "x", missing="indicator")
    assert column.outputs == ("x",)
    assert encoded(column, table(x=[None])).tolist() == [[0.0]]


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20),
    st.sampled_from(["standardize", "min_max", "robust", "none"]),
)
def test_numbers_against_numpy(values: Sequence[float], method: str) -> None:
    x = np.array(values)
    z = encoded(fitted(table(x=values), "x", numeric=method), table(x=values))[:, 0]
    q1, median, q3 = np.quantile(x, [0.25, 0.5, 0.75])
    centre = {"standardize": x.mean(), "min_max": x.min(), "robust": median, "none": 0}[method]
    scale = {"standardize": x.std(), "min_max": np.ptp(x), "robust": q3 - q1 or x.std(), "none": 1}[method]
    if x.min() == x.max():
        centre, scale = (0 if method == "none" else x[0]), 1
    np.testing.assert_allclose(z * scale, x - centre, rtol=1e-9, atol=1e-9)


def test_categories() -> None:
    train = table(c=["b", "a", None, "b"])
    hot = fitted(train, "c")
    assert hot.outputs == ("c=a", "c=b")
    assert encoded(hot, train).tolist() == [[0, 1], [1, 0], [0, 1], [0, 1]]  # missing: most frequent
    assert encoded(fitted(train, "c", categorical="ordinal"), train).tolist() == [[1], [0], [1], [1]]
    flagged = fitted(train, "c", missing="indicator")
    assert encoded(flagged, train).tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 1], [0, 1, 0]]


def test_unseen_categories() -> None:
    train, new = table(c=["Paris", "Rome"]), table(c=["Rome", "Pariss"])
    with pytest.raises(
        DataError,
        match=r"row 2: column 'c' holds 'Pariss', and training had no category 'Pariss'; did you mean 'Paris'",
    ):
        encoded(fitted(train, "c"), new)
    assert encoded(fitted(train, "c", unseen="other"), new).tolist() == [[0, 1], [0, 0]]
    assert encoded(fitted(train, "c", unseen="other", categorical="ordinal"), new).tolist() == [[1], [-1]]
    assert encoded(fitted(train, "c"), new, unseen="other").tolist() == [[0, 1], [0, 0]]


@pytest.mark.parametrize("own", [("True", "False"), ("Yes", "No"), ("T", "F"), ("y", "n"), ("ON", "OFF"), ("1", "0")])
def test_other_words_for_yes_and_no_mean_the_same(own: tuple[str, str]) -> None:
    column = fitted(table(c=[own[0], own[1], None, own[0]]), "c", kind="categorical", unseen="other")
    for yes, no in [("true", "FALSE"), ("yes", "NO"), ("t", "f"), ("Y", "N"), ("on", "off"), ("1", "0"), ("1.0", "0")]:
        new = table(c=[yes, no, own[1], None, "maybe"])
        words = encoded(column, new)
        assert words.tolist() == encoded(column, table(c=[own[0], own[1], own[1], None, "maybe"])).tolist(), (yes, no)
        assert words[0].tolist() != words[1].tolist()
    assert encoded(column, table(c=[True, False])).tolist() == encoded(column, table(c=list(own))).tolist()


def test_words_for_yes_among_others_are_words() -> None:
    column = fitted(table(c=["yes", "no", "maybe"]), "c", unseen="other")
    assert encoded(column, table(c=["true", "1", "Yes"])).sum() == 0
    sexes = fitted(table(c=["m", "f"]), "c", unseen="other")
    assert encoded(sexes, table(c=["false", "t", "0"])).sum() == 0


def test_kinds_can_be_overridden() -> None:
    codes = fitted(table(zip=["01", "02", "10"]), "zip", kind="categorical")
    assert codes.categories == ("01", "02", "10")
    assert fitted(table(zip=[1, 2, 10]), "zip", kind="categorical").categories == ("1", "2", "10")
    with pytest.raises(DataError, match=r"row 2: column 'x' is numeric and holds 'abc'"):
        fitted(table(x=["1", "abc"]), "x", kind="numeric")


def test_all_missing_carries_nothing() -> None:
    empty = table(x=[None, None])
    assert encoded(fitted(empty, "x", kind="numeric"), empty).tolist() == [[0], [0]]
    column = fitted(empty, "x", kind="categorical")
    assert encoded(column, empty).shape == (2, 0)


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinities_are_refused(value: float) -> None:
    with pytest.raises(DataError, match="row 2: column 'x' is numeric and holds"):
        fitted(table(x=[1.0, value]), "x")


def test_numbers_too_large_for_the_precision_are_named() -> None:
    column = fitted(table(x=[1.0, 2.0]), "x", numeric="none")
    assert encoded(column, table(x=[1e39])).tolist() == [[1e39]]
    with pytest.raises(DataError, match=r"row 2: column 'x' holds .*1e\+39.* too large for float32"):
        encoded(column, table(x=[1.0, 1e39]), np.float32)


def test_too_many_categories_for_one_hot() -> None:
    names = table(c=[f"n{i}" for i in range(12)])
    with pytest.raises(DataError, match=r"'c' has 12 different values, more than the 10.*data\.exclude"):
        fitted(names, "c", limit=10)
    assert len(fitted(names, "c", limit=10, categorical="ordinal").outputs) == 1
