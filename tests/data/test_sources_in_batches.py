"""Prediction on streams."""

import sys
from collections.abc import Iterator
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.data.fitted import Fitted
from nnctl.data.loading import load
from nnctl.data.sources import Csv, JsonLines, Npy, Npz, Parquet
from nnctl.data.sources.base import without_labels
from nnctl.data.spec import DataSpec
from nnctl.errors import DataError

RANDOM = np.random.default_rng(0)
N = 50
FRAME = pl.DataFrame(
    {"x": RANDOM.normal(size=N), "c": RANDOM.choice(["u", "v"], N), "t": RANDOM.choice(["a", "b"], N), "more": range(N)}
)


def stream_inputs(encoder: Any, source: Any, base: Any, dtype: Any, rows: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The inputs of a source, and the columns that play no part, `rows` at a time."""
    for data in without_labels(source).batches(base, rows):
        yield encoder.inputs["input"].inputs(data, dtype), tuple(encoder.ignored(data))


@pytest.fixture
def encoder(tmp_path: Path) -> Any:
    FRAME.write_csv(tmp_path / "a.csv")
    section = {"train": {"type": "csv", "path": "a.csv"}, "target": "t", "exclude": ["more"]}
    return load(DataSpec.model_validate(section), tmp_path, 0, np.float64).fitted


@pytest.mark.parametrize("rows", [1, 7, 1000])
@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "stdin"])
def test_streams_are_the_whole(
    tmp_path: Path, encoder: Fitted, rows: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = FRAME.drop("t").select("more", "c", "x")
    new.write_csv(tmp_path / "n.csv")
    new.write_parquet(tmp_path / "n.parquet")
    new.write_ndjson(tmp_path / "n.jsonl")
    stdin = TextIOWrapper(BufferedReader(BytesIO((tmp_path / "n.csv").read_bytes())))
    monkeypatch.setattr(sys, "stdin", stdin)
    source = {
        "csv": Csv(path="n.csv"),
        "parquet": Parquet(path="n.parquet"),
        "jsonl": JsonLines(path="n.jsonl"),
        "stdin": Csv(path="-"),
    }[kind]
    whole = encoder.inputs["input"].inputs(Csv(path="n.csv").open(tmp_path), np.float32)
    batches = list(stream_inputs(encoder, source, tmp_path, np.float32, rows))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), whole)
    assert all(ignored == ("more",) and len(x) <= rows for x, ignored in batches)


def test_the_place_of_a_bad_value_is_its_line(tmp_path: Path, encoder: Fitted) -> None:
    (tmp_path / "n.csv").write_text("x,c\n" + "1,u\n" * 9 + "1,w\n")
    with pytest.raises(DataError, match=r"n\.csv, line 11: column 'c' holds 'w'"):
        list(stream_inputs(encoder, Csv(path="n.csv"), tmp_path, np.float32, 4))


def test_a_stream_is_read_no_further_than_asked(tmp_path: Path, encoder: Fitted) -> None:
    lines = iter([b"x,c\n", *[b"1,u\n"] * 50_000])

    class Slow(BytesIO):
        taken = 0

        def readinto(self, buffer: Any) -> int:
            line = next(lines, b"")
            Slow.taken += 1
            buffer[: len(line)] = line
            return len(line)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", TextIOWrapper(BufferedReader(Slow())))
        next(stream_inputs(encoder, Csv(path="-"), tmp_path, np.float32, 2))
        assert Slow.taken < 10_000


def test_arrays_need_no_labels(tmp_path: Path) -> None:
    x = RANDOM.normal(size=(N, 3))
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    np.save(tmp_path / "t.npy", np.arange(N) % 2)
    section = {"train": {"type": "npy", "path": "x.npy", "labels": "t.npy"}}
    encoder = load(DataSpec.model_validate(section), tmp_path, 0, np.float64).fitted
    for source in (Npy(path="x.npy", labels="gone.npy"), Npz(path="x.npz")):
        batches = list(stream_inputs(encoder, source, tmp_path, np.float64, 8))
        np.testing.assert_allclose(np.concatenate([b for b, _ in batches]), (x - x.mean(0)) / x.std(0), rtol=1e-12)
