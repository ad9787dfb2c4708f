"""The preprocessing a model carries: inputs of columns and arrays, weights, and model files of both versions."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data import scaling
from nnctl.data.fitted import Fitted
from nnctl.data.inputs.array import ArrayInput, FittedArray
from nnctl.data.inputs.columns import FittedColumns
from nnctl.data.preprocess import Preprocess
from nnctl.data.sources import Arrays
from nnctl.data.tables import Table
from nnctl.data.targets import Classes
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from tests.data.tables import fitted, table

TARGET = Classes(columns=("t",), classes=("a", "b"))
NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1, max_size=5)


def of(train: Table, *names: str) -> FittedColumns:
    return FittedColumns(columns=tuple(fitted(train, name) for name in names))


def fit_array(x: Array, rows: Array, method: Any, by: Any = "value") -> FittedArray:
    return ArrayInput(numeric=method, by=by).fitted(x, rows, Preprocess(), {})


def whole(inputs: Any, weight: str | None = None) -> Fitted:
    return Fitted(inputs={"input": inputs}, outputs={"output": TARGET}, weight=weight)


def test_columns_in_any_order_with_others_beside() -> None:
    train = table(x=[1.0, 3.0], c=["u", "v"])
    columns = of(train, "x", "c")
    assert columns.names == ("x", "c=u", "c=v")
    assert columns.shape == (3,)
    new = table(more=[1, 2], c=["v", "u"], t=["a", "b"], x=["3", "1"])
    assert columns.inputs(new, np.float64).tolist() == [[1, 0, 1], [-1, 1, 0]]
    assert whole(columns).ignored(new) == ["more"]
    with pytest.raises(DataError, match=r"has no columns 'x' \(did you mean 'xx'\?\), 'c'"):
        columns.inputs(table(xx=[1.0]), np.float64)


@given(NUMBERS, st.text(max_size=5))
def test_json_is_exact(values: Sequence[float], name: str) -> None:
    array = whole(FittedArray(shape=(len(values),), centre=tuple(values), scale=tuple(values)))
    assert Fitted.model_validate(json.loads(array.model_dump_json())) == array
    train = table(x=[float(np.clip(v, -1e300, 1e300)) for v in values], c=[name] * len(values))
    columns = FittedColumns(columns=(fitted(train, "x"), fitted(train, "c", kind="categorical")))
    again = Fitted.model_validate(json.loads(whole(columns, "w").model_dump_json()))
    assert again == whole(columns, "w")
    np.testing.assert_array_equal(again.inputs["input"].inputs(train, np.float32), columns.inputs(train, np.float32))


def test_what_model_files_of_version_1_hold() -> None:
    """One encoder, of a table or of an array, with the target inside."""
    target = {"task": "classification", "columns": ["t"], "classes": ["a", "b"], "centre": [], "scale": []}
    train = table(x=[1.0, 3.0], c=["u", "v"])
    columns = of(train, "x", "c")
    old = {"kind": "table", "columns": json.loads(columns.model_dump_json())["columns"], "target": target}
    assert Fitted.model_validate({**old, "weight": "w"}) == whole(columns, "w")
    array = {"kind": "array", "shape": [2], "centre": [1.0, 2.0], "scale": [1.0, 0.5], "target": target}
    assert Fitted.model_validate(array) == whole(FittedArray(shape=(2,), centre=(1.0, 2.0), scale=(1.0, 0.5)))


@pytest.mark.parametrize("method", ["standardize", "min_max", "robust"])
@pytest.mark.parametrize("block", [8, 1 << 24])
def test_arrays_against_numpy(method: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "BLOCK", block)
    x = np.random.default_rng(0).normal(3, 2, (30, 2, 3))
    x[:, 0, 0] = 0.1
    rows = np.arange(0, 30, 2)
    train = x[rows]
    q = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    centre = {"standardize": train.mean(0), "min_max": train.min(0), "robust": q[1]}[method]
    scale = {"standardize": train.std(0), "min_max": np.ptp(train, 0), "robust": q[2] - q[0]}[method]
    scale[0, 0], centre[0, 0] = 1, 0.1
    array = fit_array(x, rows, method)
    z = array.inputs(Arrays(x, None, "x"), np.float64)
    assert z.shape == x.shape
    np.testing.assert_allclose(z, (x - centre) / scale, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(array.undone(z), x, rtol=1e-12)


def test_unsigned_bytes_are_divided_by_255() -> None:
    x = np.array([[0, 51], [255, 102]], np.uint8)
    array = fit_array(x, np.arange(2), "auto")
    np.testing.assert_allclose(array.inputs(Arrays(x, None, "x"), np.float64), x / 255)
    assert fit_array(x.astype(float), np.arange(2), "auto").scale != (255,)
    assert fit_array(x, np.arange(2), "none").inputs(Arrays(x, None, "x"), np.float32).tolist() == x.tolist()


def test_arrays_of_another_kind_are_refused() -> None:
    array = fit_array(np.zeros((3, 2)), np.arange(3), "none")
    assert array.read(Arrays(np.zeros((3, 3)), None, "x")).shape == (3, 2)  # the last column is the target
    with pytest.raises(DataError, match=r"examples of shape \(4,\), and the model takes \(2,\)"):
        array.read(Arrays(np.zeros((3, 4)), None, "x"))
    with pytest.raises(DataError, match=r"x\.npy: example 1 .* NaN or infinity"):
        array.inputs(Arrays(np.array([[1, 2], [np.nan, 1]]), None, "x.npy"), np.float32)
    with pytest.raises(DataError, match="holds a table, and the model was trained on arrays"):
        array.inputs(table(a=[1]), np.float32)
    with pytest.raises(DataError, match="holds an array, and the model was trained on the columns"):
        of(table(x=[1.0]), "x").inputs(Arrays(np.zeros((3, 2)), None, "x"), np.float32)


def test_targets_of_arrays() -> None:
    big_endian = np.array([3, 7], ">i4")
    assert Arrays(np.zeros((2, 1)), big_endian, "x").target_table()["target"].to_list() == [3, 7]
    assert Arrays(np.zeros((2, 1)), np.eye(2), "x").target_table().columns == ["target_1", "target_2"]
    with pytest.raises(DataError, match="targets with 2 columns, where 1 are named: a"):
        Arrays(np.zeros((2, 1)), np.eye(2), "x").target_table(("a",))


def test_weights() -> None:
    carried = whole(of(table(x=[1.0]), "x"), weight="w")
    weights = carried.weights(table(w=["1", "0.5"]))
    assert weights is not None
    assert weights.tolist() == [1, 0.5]
    assert carried.weights(table(x=[1])) is None
    for bad in ("-1", None):
        with pytest.raises(DataError, match=r"row 2: the weight 'w' is"):
            carried.weights(table(w=["1", bad]))
