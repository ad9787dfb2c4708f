"""Parquet."""

from pathlib import Path

import polars as pl
import pytest

from nnctl.data.sources import Parquet
from nnctl.errors import DataError


@pytest.fixture
def file(tmp_path: Path) -> Parquet:
    pl.DataFrame({"a": range(7), "b": [*"xyzxyz", None]}).write_parquet(tmp_path / "a.parquet")
    return Parquet(path="a.parquet")


def test_whole_and_batches(file: Parquet, tmp_path: Path) -> None:
    whole = file.open(tmp_path)
    batches = list(file.batches(tmp_path, 3))
    assert [len(b) for b in batches] == [3, 3, 1]
    assert pl.concat([b.frame for b in batches]).equals(whole.frame)
    assert batches[1].place(0) == "a.parquet, row 4"


@pytest.mark.parametrize("content", [b"", b"PAR1 rubbish", b"a,b\n1,2\n"])
def test_refuses_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as Parquet"):
        Parquet(path="a.parquet").open(tmp_path)


def test_refuses_no_rows(tmp_path: Path) -> None:
    pl.DataFrame({"a": []}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no rows"):
        Parquet(path="a.parquet").open(tmp_path)


def test_a_name_with_stars_is_a_name(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a[1]*.parquet")
    assert len(Parquet(path="a[1]*.parquet").open(tmp_path)) == 1
