"""Encodings, separators, quotes and headers, told from the first lines."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnctl.data.sources import Csv, Tsv
from nnctl.errors import DataError
from nnctl.suggest.commented import plain
from nnctl.suggest.text import delimited_source, has_header

LAYOUTS = {
    "plain": (Csv, "a,b\n1,2\n3,4\n", {}),
    "semicolons": (Csv, "a;b\n1;2\n3;4\n", {"separator": ";"}),
    "semicolons around decimal commas": (Csv, "a;b\n1,5;2,5\n3,5;4,5\n", {"separator": ";"}),
    "tabs": (Csv, "a\tb\n1\t2\n", {"separator": "\t"}),
    "bars": (Csv, "a|b\n1|2\n", {"separator": "|"}),
    "spaces": (Csv, "5.1 3.5 x\n4.9 3.0 x\n", {"separator": " ", "header": False}),
    "spaces after commas": (Csv, "a, b\n1, 2\n3, 4\n", {}),
    "spaces in text": (Csv, "text,n\none two,1\nthree four,2\n", {}),
    "quoted separators": (Csv, 'text,n\n"a;b, c",1\n"d;e, f",2\n', {}),
    "one odd line in twenty": (Csv, "a;b\n" + "1;2\n" * 20 + "1;2;3\n", {"separator": ";"}),
    "a single column": (Csv, "a\n1\n2\n", {}),
    "tsv": (Tsv, "a\tb\n1\t2\n", {}),
    "tsv with free quotes": (Tsv, 'ham\tsay "hi\nham\tok\nspam\t"win\n', {"header": False}),
    "tsv with commas": (Tsv, "a,b\n1,2\n", {"separator": ","}),
    "csv with free quotes": (Csv, 'a,b\n"x,1\n"y,2\nz,3\n', {"quote": None}),
    "no header, numbers": (Csv, "5.1,3.5,a\n4.9,3.0,b\n", {"header": False}),
    "no header, text": (Csv, "Khoury,Arabic\nAng,Chinese\nNahas,Arabic\n", {"header": False}),
    "no header, a missing number": (Csv, "?,3.5,x\n4.9,3.0,x\n", {"header": False}),
    "header of numbers": (Csv, "0,1,2,label\n5,3,1,a\n4,2,8,b\n", {}),
    "header above one number": (Csv, "2019,2020,name,n\n5,3,a,1\n4,2,b,2\n", {}),
    "header and text only": (Csv, "colour,shape\nred,round\nblue,square\n", {}),
    "header alone": (Csv, "a,b\n", {}),
    "blank lines": (Csv, "\n\na,b\n\n1,2\n", {}),
}


@pytest.mark.parametrize(("form", "text", "expected"), LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_a_file_is_like(
    tmp_path: Path,
    form: type[Csv] | type[Tsv],
    text: str,
    expected: dict[str, Any],
    pack: Callable[..., Any] | type[bytes],
) -> None:
    (tmp_path / "data").write_bytes(pack(text.encode()))
    assert plain(delimited_source("data", tmp_path, form)) == expected


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf8", None), ("utf-8-sig", None), ("latin1", "latin1"), ("utf16", "utf16")],
)
def test_encodings(tmp_path: Path, encoding: str, expected: str | None) -> None:
    (tmp_path / "data").write_bytes("größe,label\n1,ä\n2,é\n3,ä\n".encode(encoding))
    found = plain(delimited_source("data", tmp_path, Csv))
    assert found.get("encoding") == expected
    source = Csv(path="data", **found)
    assert source.open(tmp_path).columns == ["größe", "label"]


def test_a_character_across_chunks_is_no_other_encoding(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"a,b\n" + b"x,1\n" * ((1 << 18) - 2) + "xé,1\n".encode())
    assert plain(delimited_source("data", tmp_path, Csv)) == {}


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"\n \n", "is empty"), (b"a,b\n\0,1\n", "zero byte")]
)
def test_what_is_no_table(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(DataError, match=words):
        delimited_source("data", tmp_path, Csv)


def test_a_short_row_does_not_hide_the_header() -> None:
    assert has_header([["a", "b"], ["1"], ["1", "2"]])
