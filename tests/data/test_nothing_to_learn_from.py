"""Inputs without a number, and with numbers too large to be prepared, are refused as data."""

from pathlib import Path

import numpy as np
import pytest

from tests.process import nnctl


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((40, 0)), "examples of shape (0,) hold no numbers"),
        (np.random.default_rng(0).normal(size=(40, 3)) * 1e300, "whose spread is larger than any number"),
    ],
)
def test_arrays(tmp_path: Path, x: np.ndarray, words: str) -> None:
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(40) % 2)
    (tmp_path / "e.yaml").write_text("data: {source: {type: npz, path: d.npz}}\nmodel: {hidden: [4]}\n")
    assert words in nnctl("check", "e.yaml", cwd=tmp_path, code=3).stderr


def test_columns_without_a_value(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,y\n" + "".join(f",{i % 2}\n" for i in range(40)))
    (tmp_path / "e.yaml").write_text("data: {source: {type: csv, path: d.csv}, target: y}\nmodel: {hidden: [4]}\n")
    assert "a has no value in any training row" in nnctl("check", "e.yaml", cwd=tmp_path, code=3).stderr
