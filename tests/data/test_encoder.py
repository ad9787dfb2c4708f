"""The preprocessing a model carries."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data import encoder as encoder_module
from nnctl.data.encoder import ArrayEncoder, TableEncoder, fit_array, from_json, target_table
from nnctl.data.sources import Arrays
from nnctl.data.tables import Table
from nnctl.data.targets import Classes
from nnctl.errors import DataError
from tests.data.tables import fitted, table

TARGET = Classes(columns=("t",), classes=("a", "b"))
NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1, max_size=5)


def of(train: Table, *names: str) -> TableEncoder:
    return TableEncoder(columns=tuple(fitted(train, name) for name in names), target=TARGET)


def test_columns_in_any_order_with_others_beside() -> None:
    train = table(x=[1.0, 3.0], c=["u", "v"])
    encoder = of(train, "x", "c")
    assert encoder.features == ("x", "c=u", "c=v")
    new = table(more=[1, 2], c=["v", "u"], t=["a", "b"], x=["3", "1"])
    assert encoder.inputs(new, np.float64).tolist() == [[1, 0, 1], [-1, 1, 0]]
    assert encoder.ignored(new) == ["more"]
    with pytest.raises(DataError, match=r"has no columns 'x' \(did you mean 'xx'\?\), 'c'"):
        encoder.inputs(table(xx=[1.0]), np.float64)


@given(NUMBERS, st.text(max_size=5))
def test_json_is_exact(values: Sequence[float], name: str) -> None:
    array = ArrayEncoder(shape=(len(values),), centre=tuple(values), scale=tuple(values), target=TARGET)
    assert from_json(array.to_json()) == array
    train = table(x=[float(np.clip(v, -1e300, 1e300)) for v in values], c=[name] * len(values))
    columns = (fitted(train, "x"), fitted(train, "c", kind="categorical"))
    encoder = TableEncoder(columns=columns, target=TARGET)
    again = from_json(encoder.to_json())
    assert again == encoder
    np.testing.assert_array_equal(again.inputs(train, np.float32), encoder.inputs(train, np.float32))


@pytest.mark.parametrize("method", ["standardize", "min_max", "robust"])
@pytest.mark.parametrize("block", [8, 1 << 24])
def test_arrays_against_numpy(method: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_module, "BLOCK", block)
    x = np.random.default_rng(0).normal(3, 2, (30, 2, 3))
    x[:, 0, 0] = 0.1
    rows = np.arange(0, 30, 2)
    train = x[rows]
    q = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    centre = {"standardize": train.mean(0), "min_max": train.min(0), "robust": q[1]}[method]
    scale = {"standardize": train.std(0), "min_max": np.ptp(train, 0), "robust": q[2] - q[0]}[method]
    scale[0, 0], centre[0, 0] = 1, 0.1
    encoder = fit_array(x, rows, method, TARGET)
    z = encoder.inputs(Arrays(x, None, "x"), np.float64)
    assert z.shape == x.shape
    np.testing.assert_allclose(z, (x - centre) / scale, rtol=1e-12, atol=1e-14)


def test_unsigned_bytes_are_divided_by_255() -> None:
    x = np.array([[0, 51], [255, 102]], np.uint8)
    encoder = fit_array(x, np.arange(2), "auto", TARGET)
    np.testing.assert_allclose(encoder.inputs(Arrays(x, None, "x"), np.float64), x / 255)
    assert fit_array(x.astype(float), np.arange(2), "auto", TARGET).scale != (255,)
    assert fit_array(x, np.arange(2), "none", TARGET).inputs(Arrays(x, None, "x"), np.float32).tolist() == x.tolist()


def test_arrays_of_another_kind_are_refused() -> None:
    encoder = fit_array(np.zeros((3, 2)), np.arange(3), "none", TARGET)
    assert encoder.raw(Arrays(np.zeros((3, 3)), None, "x")).shape == (3, 2)  # the last column is the target
    with pytest.raises(DataError, match=r"examples of shape \(4,\), and the model takes \(2,\)"):
        encoder.raw(Arrays(np.zeros((3, 4)), None, "x"))
    with pytest.raises(DataError, match=r"x\.npy: example 1 .* NaN or infinity"):
        encoder.inputs(Arrays(np.array([[1, 2], [np.nan, 1]]), None, "x.npy"), np.float32)
    with pytest.raises(DataError, match="holds a table, and the model was trained on arrays"):
        encoder.inputs(table(a=[1]), np.float32)
    with pytest.raises(DataError, match="holds an array, and the model was trained on the columns"):
        of(table(x=[1.0]), "x").inputs(Arrays(np.zeros((3, 2)), None, "x"), np.float32)


def test_targets_of_arrays() -> None:
    big_endian = np.array([3, 7], ">i4")
    assert target_table(Arrays(np.zeros((2, 1)), big_endian, "x"))["target"].to_list() == [3, 7]
    assert target_table(Arrays(np.zeros((2, 1)), np.eye(2), "x")).columns == ["target_1", "target_2"]
    with pytest.raises(DataError, match="targets with 2 columns, where 1 are named: a"):
        target_table(Arrays(np.zeros((2, 1)), np.eye(2), "x"), ("a",))


def test_weights() -> None:
    encoder = TableEncoder(columns=(), target=TARGET, weight="w")
    assert encoder.weights(table(w=["1", "0.5"])).tolist() == [1, 0.5]
    assert encoder.weights(table(x=[1])) is None
    for bad in ("-1", None):
        with pytest.raises(DataError, match=r"row 2: the weight 'w' is"):
            encoder.weights(table(w=["1", bad]))
