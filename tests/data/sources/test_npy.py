"""NPY and NPZ."""

import gzip

import numpy as np
import pytest

from nnctl.data.sources import Npy, Npz
from nnctl.errors import DataError

X = np.arange(24.0).reshape(4, 2, 3)
T = np.array([0, 1, 0, 1])


def is_mapped(array):
    while array is not None and not isinstance(array, np.memmap):
        array = array.base
    return array is not None


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_is_mapped(tmp_path, order):
    np.save(tmp_path / "x.npy", np.asarray(X, order=order))
    np.save(tmp_path / "t.npy", T)
    arrays = Npy(path="x.npy", labels="t.npy").open(tmp_path)
    assert is_mapped(arrays.x)
    np.testing.assert_array_equal(arrays.x, X)
    np.testing.assert_array_equal(arrays.labels, T)


@pytest.mark.parametrize(("save", "mapped"), [(np.savez, True), (np.savez_compressed, False)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_is_mapped_where_stored(tmp_path, save, mapped, order):
    save(tmp_path / "a.npz", x_train=np.asarray(X, order=order), y_train=T, other=np.zeros(3))
    arrays = Npz(path="a.npz", inputs="x_train", labels="y_train").open(tmp_path)
    assert is_mapped(arrays.x) == mapped
    np.testing.assert_array_equal(arrays.x, X)
    np.testing.assert_array_equal(arrays.labels, T)


def test_the_last_column_is_the_target_where_there_are_no_labels(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(4, 3))
    arrays = Npy(path="x.npy").open(tmp_path).with_labels()
    assert arrays.x.shape == (4, 2)
    assert arrays.labels.tolist() == [2, 5, 8, 11]
    np.save(tmp_path / "images.npy", X)
    with pytest.raises(DataError, match="no targets; write `labels:`"):
        Npy(path="images.npy").open(tmp_path).with_labels()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([Bomb(), Bomb()], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=np.array([Bomb(), Bomb()], object), y=T)
    np.savez_compressed(tmp_path / "z.npz", x=np.array([Bomb(), Bomb()], object), y=T)
    with pytest.raises(DataError, match="Python objects"):
        Npy(path="x.npy").open(tmp_path)
    for name in ("x.npz", "z.npz"):
        with pytest.raises(DataError, match="pickle|Object arrays"):
            Npz(path=name).open(tmp_path)


def test_mistakes_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=T)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "t3.npy", T[:3])
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    np.save(tmp_path / "none.npy", np.zeros((0, 3)))
    (tmp_path / "z.npy").write_bytes((tmp_path / "a.npz").read_bytes())
    (tmp_path / "cut.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    (tmp_path / "x.npy.gz").write_bytes(gzip.compress((tmp_path / "x.npy").read_bytes()))
    cases = {
        Npz(path="a.npz", inputs="xx"): r"no array named 'xx', it has x, y; did you mean 'x'\?",
        Npy(path="x.npy", labels="t3.npy"): r"4 inputs, and targets of shape \(3,\)",
        Npy(path="text.npy"): "inputs of type <U1",
        Npy(path="none.npy"): r"shape \(0, 3\) holds no examples",
        Npy(path="z.npy"): "write `type: npz`",
        Npy(path="cut.npy"): r"cut\.npy: cannot be read as \.npy",
        Npy(path="x.npy.gz"): "unpack it with gunzip",
        Npz(path="x.npy"): r"cannot be read as \.npz",
        Npy(path="-"): "not read from standard input",
    }
    for source, message in cases.items():
        with pytest.raises(DataError, match=message):
            source.open(tmp_path)
