"""Sequences of numbers: what is read, what is never looked at, how steps are scaled, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from nnctl.data.inputs import AnyFitted
from nnctl.data.inputs.sequence import FittedSequence, NumberSequence
from nnctl.data.preprocess import Preprocess
from nnctl.data.sources import Arrays
from nnctl.data.sources.npy import Npz
from nnctl.data.tables import Table, table_of
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError

LENGTHS = [2, 0, 3, 1]
X = np.arange(4 * 3 * 2, dtype="f4").reshape(4, 3, 2)
OF_ARRAYS = NumberSequence(array="x", lengths="n")
OF_COLUMN = NumberSequence(column="s")


def padded(fill: float, beyond: int = 0) -> Array:
    x = np.full((4, 3 + beyond, 2), fill, "f4")
    for row, length in enumerate(LENGTHS):
        x[row, :length] = X[row, :length]
    return x


def opened(tmp_path: Path, x: Array, n: Any) -> Arrays:
    np.savez(tmp_path / "a.npz", x=x, n=np.array(n), y=np.arange(len(x)))
    return Npz(path="a.npz", inputs=("x", "n")).open(tmp_path)


def column(*cells: Any) -> Table:
    return table_of(pl.DataFrame({"s": list(cells)}, strict=False), "t.parquet")


def fitted(rows: tuple[int, ...] = (0, 1, 2, 3), **options: Any) -> FittedSequence:
    table = column(*(X[row, :length].tolist() for row, length in enumerate(LENGTHS)))
    spec = NumberSequence(column="s", **options)
    return spec.fitted(spec.read(table), np.array(rows), Preprocess(), {})


@pytest.mark.parametrize("fill", [0.0, 1e30, np.nan, -np.inf])
@pytest.mark.parametrize("beyond", [0, 4])
def test_steps_lie_one_after_another_and_padding_is_not_read(tmp_path: Path, fill: float, beyond: int) -> None:
    found = OF_ARRAYS.read(opened(tmp_path, padded(fill, beyond), LENGTHS))
    np.testing.assert_array_equal(found.values, np.concatenate([X[0, :2], X[2], X[3, :1]]))
    assert found.lengths.tolist() == LENGTHS


def test_a_matrix_has_steps_of_one_number(tmp_path: Path) -> None:
    found = OF_ARRAYS.read(opened(tmp_path, X[..., 0], np.array(LENGTHS, "f8")))
    assert found.values.tolist() == [[0], [2], [12], [14], [16], [18]]


def test_cells_hold_numbers_or_lists_of_them() -> None:
    assert OF_COLUMN.read(column([1, 2], None, [], [3])).values.tolist() == [[1], [2], [3]]
    found = OF_COLUMN.read(column([[1.5, 2]], [], [[3, 4], [5, 6]]))
    assert (found.values.tolist(), found.lengths.tolist()) == ([[1.5, 2], [3, 4], [5, 6]], [1, 0, 2])
    again = fitted().read(table_of(pl.DataFrame({"s": [None, None]}), "t"))
    assert (again.values.shape, again.lengths.tolist()) == ((0, 2), [0, 0])
    assert len(fitted().read(table_of(pl.DataFrame({"s": []}), "t"))) == 0


@pytest.mark.parametrize("numeric", ["standardize", "min_max", "robust"])
def test_features_are_scaled_by_the_steps_of_the_training_rows(numeric: Any) -> None:
    made = fitted((0, 2), numeric=numeric)
    steps = np.concatenate([X[0, :2], X[2]]).astype("f8")
    low, high = steps.min(axis=0), steps.max(axis=0)
    first, median, third = np.quantile(steps, [0.25, 0.5, 0.75], axis=0)
    expected = {
        "standardize": (steps.mean(axis=0), steps.std(axis=0)),
        "min_max": (low, high - low),
        "robust": (median, third - first),
    }
    np.testing.assert_allclose((made.centre, made.scale), expected[numeric])
    assert (made.shape, made.signal.shape, made.signal.steps) == ((2,), (2,), 3)
    taken = made.feed(OF_COLUMN.read(column(X[3].tolist(), X[0].tolist())), np.array([1]), np.float32)
    z = taken.take(slice(None), np.float32)
    assert z.values.dtype == np.float32
    np.testing.assert_allclose(z.values, (X[0] - expected[numeric][0]) / expected[numeric][1], rtol=1e-5)
    np.testing.assert_allclose(made.undone(z.values.astype("f8")), X[0], atol=1e-5)


def test_a_fitted_one_survives_json() -> None:
    again: Any = TypeAdapter(AnyFitted).validate_python(json.loads(fitted().model_dump_json()))
    assert again == fitted()
    assert isinstance(again, FittedSequence)


def test_equal_sequences_have_equal_hashes_and_empty_ones_are_counted() -> None:
    values = OF_COLUMN.read(column([[1, 2]], [[1, 2]], [[2, 1]], None))
    first, second, third, _ = fitted().hashes(values, np.arange(4))
    assert first == second != third
    assert fitted().missing(values) == {"s": 1}


LENGTHS_REFUSED = {
    "too long": ([2, 0, 4, 1], "row 3: array 'n' holds 4; a length is a whole number from 0 to 3"),
    "negative": ([2, -1, 3, 1], "row 2: array 'n' holds -1; a length"),
    "fractional": ([2, 0, 1.5, 1], "row 3: array 'n' holds 1.5; a length"),
    "not a number": ([2, 0, 3, np.nan], "row 4: array 'n' holds nan; a length"),
    "a mask": (np.ones((4, 3), bool), r"array 'n' is of type bool and shape \(4, 3\); it must hold one whole number"),
    "truths": ([True, False, True, True], "array 'n' is of type bool"),
}


@pytest.mark.parametrize("case", LENGTHS_REFUSED)
def test_lengths_that_cannot_be(tmp_path: Path, case: str) -> None:
    lengths, message = LENGTHS_REFUSED[case]
    with pytest.raises(DataError, match=f"^a.npz[,:] {message}"):
        OF_ARRAYS.read(opened(tmp_path, X, lengths))


def test_rows_that_cannot_be_read_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    x, left_out = X.copy(), dict[int, str]()
    x[2, 1, 1] = np.nan
    assert OF_ARRAYS.read(opened(tmp_path, x, [2, 9, 3, 1]), left_out).lengths.tolist() == [2, 0, 3, 1]
    assert left_out == {
        1: "a.npz, row 2: array 'n' holds 9; a length is a whole number from 0 to 3, the steps that 'x' has",
        2: "a.npz, row 3: step 2 of array 'x' holds NaN or infinity; fill or remove it",
    }


def test_arrays_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"array 'x' has the shape \(4, 3, 0\); sequences are \(n, time, features\)"):
        OF_ARRAYS.read(opened(tmp_path, X[..., :0], LENGTHS))
    model = OF_ARRAYS.fitted(OF_ARRAYS.read(opened(tmp_path, X, LENGTHS)), np.arange(4), Preprocess(), {})
    with pytest.raises(DataError, match=r"array 'x' has steps of shape \(1,\), and the model takes \(2,\)"):
        model.read(opened(tmp_path, X[..., :1], LENGTHS))
    with pytest.raises(DataError, match=r"a.npz: has no array 'n'; there are x, m"):
        np.savez(tmp_path / "a.npz", x=X, m=LENGTHS, y=LENGTHS)
        OF_ARRAYS.read(Npz(path="a.npz", inputs=("x", "m")).open(tmp_path))


CELLS_REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "text": (("a", "b"), r"t\.parquet: column 's' holds string values; a sequence is a list of numbers"),
    "lists of text": ((["a"], ["b"]), r"column 's' holds list\(string\) values"),
    "uneven": (
        ([[1, 2]], [[1], [2, 3]]),
        r"t\.parquet, row 2: the steps in column 's' have different numbers of values",
    ),
    "other widths": (
        ([[1, 2]], [], [[1]]),
        r"t\.parquet, row 3: column 's' has steps of shape \(1,\), where \(2,\) is",
    ),
    "null inside": (([1.0, 2.0], [1.0, None]), r"t\.parquet, row 2: step 2 of column 's' holds NaN or infinity"),
    "no numbers": (([[]], [[]]), r"t\.parquet, row 1: column 's' has steps without numbers"),
}


@pytest.mark.parametrize("case", CELLS_REFUSED)
def test_cells_that_cannot_be(case: str) -> None:
    cells, message = CELLS_REFUSED[case]
    with pytest.raises(DataError, match=message):
        OF_COLUMN.read(column(*cells))
    left_out = dict[int, str]()
    if "row" in message:
        OF_COLUMN.read(column(*cells), left_out)
        assert left_out


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    for settings in ({}, {"array": "x"}, {"lengths": "n"}, {"array": "x", "lengths": "n", "column": "s"}):
        with pytest.raises(ValidationError, match="write `array` and `lengths`"):
            NumberSequence.model_validate(settings)
    with pytest.raises(ConfigError, match="t.parquet holds a table, whose lists `column` names"):
        OF_ARRAYS.read(column([1]))
    with pytest.raises(ConfigError, match="a.npz holds arrays, which `array` names"):
        OF_COLUMN.read(opened(tmp_path, X, LENGTHS))
    with pytest.raises(DataError, match="'s' has no step in the training split"):
        fitted((1,))
