"""CSV and TSV as hostile users write them."""

import gzip
import sys
from collections.abc import Sequence
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from nnctl.data.sources import Csv, Tsv, records
from nnctl.data.tables import MISSING, Table
from nnctl.errors import DataError


def read(tmp_path: Path, content: str | bytes, **settings: Any) -> Table:
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "a.csv").write_bytes(data)
    return Csv(path="a.csv", **settings).open(tmp_path)


def rows(table: Table) -> list[list[Any]]:
    return [list(row) for row in table.frame.rows()]


GOOD: dict[str, Any] = {
    "plain": ("a,b\n1,x\n2,y\n", {}, [["1", "x"], ["2", "y"]], [2, 3]),
    "no newline at the end": ("a,b\n1,x", {}, [["1", "x"]], [2]),
    "byte order mark": ("\ufeffa,b\n1,2\n", {}, [["1", "2"]], [2]),
    "windows line ends": ("a,b\r\n1,2\r\n3,4\r\n", {}, [["1", "2"], ["3", "4"]], [2, 3]),
    "old mac line ends": ("a,b\r1,2\r", {}, [["1", "2"]], [2]),
    "spaces": (" a , b\n 1 ,\t2 \n", {}, [["1", "2"]], [2]),
    "blank lines": ("\n\na,b\n\n1,2\n   \n3,4\n\n", {}, [["1", "2"], ["3", "4"]], [5, 7]),
    "quotes": ('a,b\n"x, y","say ""hi"""\n1,2\n', {}, [["x, y", 'say "hi"'], ["1", "2"]], [2, 3]),
    "quoted line end": ('a,b\n"x\ny",1\n3,4\n', {}, [["x\ny", "1"], ["3", "4"]], [2, 4]),
    "space before a quote": ('a,b\n1, "x, y"\n', {}, [["1", "x, y"]], [2]),
    "quote inside a word": ('a,b\n5" pipe,2\n', {}, [['5" pipe', "2"]], [2]),
    "missing": ("a,b\n?,NA\n,null\nnan,N/A\n", {}, [[None, None]] * 3, [2, 3, 4]),
    "missing of one's own": ("a,b\n-999,NA\n,1\n", {"missing": ["-999"]}, [[None, "NA"], [None, "1"]], [2, 3]),
    "single column": ("a\n1\n\n2\n", {}, [["1"], ["2"]], [2, 4]),
    "missing in a single column": (
        'a\n1\n""\n\n" "\n"\n"\n2\n',
        {},
        [["1"], [None], [None], [None], ["2"]],
        [2, 3, 5, 6, 8],
    ),
    "unicode": ("größe,名前\n1,ひ\n", {}, [["1", "ひ"]], [2]),
    "odd line separators are text": ("a,b\nx\x0by,z\x85\u2028w\n", {}, [["x\x0by", "z\x85\u2028w"]], [2]),
    "odd ones after a quote": ('a,b\n"x\x0by",z\u2028w\n', {}, [["x\x0by", "z\u2028w"]], [2]),
    "semicolons": ("a;b\n1,5;2\n", {"separator": ";"}, [["1,5", "2"]], [2]),
    "columns of spaces": ("a  b\n1   2\n", {"separator": " "}, [["1", "2"]], [2]),
    "no header": ("1,2\n3,4\n", {"header": False}, [["1", "2"], ["3", "4"]], [1, 2]),
    "no quotes": ('a,b\n"x,y"\n', {"quote": None}, [['"x', 'y"']], [2]),
    "latin1": ("a,b\né,1\n".encode("latin1"), {"encoding": "latin1"}, [["é", "1"]], [2]),
    "utf16": ("a,b\né,1\n".encode("utf16"), {"encoding": "utf16"}, [["é", "1"]], [2]),
    "gzip": (gzip.compress(b"a,b\n1,2\n"), {}, [["1", "2"]], [2]),
}


@pytest.mark.parametrize("case", GOOD)
def test_reads(tmp_path: Path, case: str) -> None:
    content, settings, expected, lines = GOOD[case]
    table = read(tmp_path, content, **settings)
    assert rows(table) == expected
    assert table.lines.tolist() == lines


BAD: dict[str, Any] = {
    "empty": ("", {}, r"a\.csv: is empty"),
    "blank": ("\n \n", {}, r"a\.csv: is empty"),
    "header only": ("a,b\n", {}, r"a\.csv: no rows after the header"),
    "long row": ("a,b\n1,2\n1,2,3\n", {}, r"a\.csv, line 3: 3 fields where the header has 2"),
    "short row": ("a,b\n1,2\n\n1\n", {}, r"a\.csv, line 4: 1 field where the header has 2"),
    "short and long cancel": ("a,b\n1\n1,2,3\n", {}, r"line 2: 1 field where the header has 2"),
    "row after a quoted line end": ('a,b\n"x\ny",1\n1\n', {}, r"line 4: 1 field"),
    "no header": ("1,2\n3\n", {"header": False}, r"line 2: 1 field instead of 2"),
    "names too few": ("1,2\n", {"header": False, "columns": ["a"]}, r"line 1: 2 fields where `columns` names 1"),
    "open quote": ('a,b\n1,2\n"x,2\n3,4\n', {}, r"line 3: a quote is opened here and never closed"),
    "text after a quote": ('a,b\n"x"y,2\n', {}, r"line 2: a closing quote is followed by text"),
    "columns twice": ("a, a,b\n1,2,3\n", {}, r"more than one column is named 'a'; give each its own name$"),
    "data as header": ("1,1,0\n1,2,3\n", {}, r"write `header: false`"),
    "zero byte": (b"a,b\n1,2\n1,\0\n", {}, r"line 3: a zero byte"),
    "zero byte after a quote": (b'a,b\n"1",2\n1,\0\n', {}, r"line 3: a zero byte"),
    "rubbish": (b"\x89PNG\r\n\x1a\n\xff\xfe", {}, r"a\.csv, line 1: is not text in utf8; .*`encoding`"),
    "wrong encoding": ("a,b\n1,2\né,1\n".encode("latin1"), {}, r"a\.csv, line 3: is not text in utf8"),
    "cut-off gzip": (gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:-12], {}, r"the gzip file ends before its data does"),
    "damaged gzip": (gzip.compress(b"a,b\n1,2\n")[:10] + b"\xff" * 30, {}, r"the gzip file is damaged"),
}


@pytest.mark.parametrize("case", BAD)
def test_refuses(tmp_path: Path, case: str) -> None:
    content, settings, message = BAD[case]
    with pytest.raises(DataError, match=message):
        read(tmp_path, content, **settings)


def test_skips_malformed_rows_and_names_each(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b\n1,2\n3\n"x"y,2\n4,5\n6,7,8\n')
    table = Csv(path="a.csv").open(tmp_path, skip_malformed=True)
    assert rows(table) == [["1", "2"], ["4", "5"]]
    assert [m.split(":")[0] for m in table.malformed] == ["a.csv, line 3", "a.csv, line 4", "a.csv, line 6"]


def test_names_columns_without_a_name(tmp_path: Path) -> None:
    assert read(tmp_path, ",b,\n1,2,3\n").columns == ["column_1", "b", "column_3"]
    assert read(tmp_path, "1,2\n", header=False).columns == ["column_1", "column_2"]
    assert read(tmp_path, "1,2\n", header=False, columns=["x", "y"]).columns == ["x", "y"]


def test_tsv_has_no_quotes_unless_told(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('label\ttext\nham\tsay "hi\nspam\t"a\tb\n'.replace("a\tb", "a b"))
    assert Tsv(path="a.tsv").open(tmp_path).frame["text"].to_list() == ['say "hi', '"a b']
    (tmp_path / "b.tsv").write_text('a\tb\n"x\ty"\t1\n')
    assert rows(Tsv(path="b.tsv", quote='"').open(tmp_path)) == [["x\ty", "1"]]


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"digit\.csv: no such file in .*did you mean 'digits\.csv'\?"):
        Csv(path="digit.csv").open(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        Csv(path="nowhere/digit.csv").open(tmp_path)
    with pytest.raises(DataError, match="is a folder"):
        Csv(path=".").open(tmp_path)


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValidationError, match="header: false"):
        Csv(path="a.csv", columns=("a",))
    with pytest.raises(ValidationError, match="'utf9' is not an encoding"):
        Csv(path="a.csv", encoding="utf9")


def test_standard_input_is_read_and_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = TextIOWrapper(BufferedReader(BytesIO(gzip.compress(b"a,b\n1,2\n"))))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert rows(Csv(path="-").open(tmp_path)) == [["1", "2"]]
    assert not stdin.closed


FIELD = st.text(alphabet='ab1 ",;.\u00e9\u2028\x0b', max_size=4)


@given(
    data=st.lists(st.lists(FIELD, min_size=1, max_size=4), min_size=1, max_size=6), quote=st.sampled_from(['"', None])
)
@example(data=[["", ""], [""], ["", ""], ["", "", ""]], quote='"')
def test_fast_and_slow_paths_agree(
    tmp_path_factory: pytest.TempPathFactory, data: Sequence[Sequence[str]], quote: str | None
) -> None:
    """Whatever the text: the same rows, or the same complaint, with polars and without."""
    folder = tmp_path_factory.mktemp("csv")
    (folder / "a.csv").write_text("\n".join(["x,y", *(",".join(fields) for fields in data)]), encoding="utf8")
    source = Csv(path="a.csv", quote=quote)

    def outcome() -> str | tuple[list[list[Any]], list[int]]:
        try:
            table = source.open(folder)
        except DataError as error:
            return str(error)
        return rows(table), table.lines.tolist()

    fast = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records.Records, "_quickly", lambda *_: None)
        assert outcome() == fast


PLAIN = ["1", "007", "+5", "-0", ".5", "5.", "1e5", "1E-400", " 5", "", "NA", "nan", "null", "123456789012345678901"]
ODD = [
    " ",
    "5 ",
    "\u00a05",
    " NA",
    "-nan",
    "inf",
    "-Infinity",
    "1e400",
    "1e",
    "0x10",
    "1_000",
    "true",
    "--5",
    "x",
    " -999",
]


@pytest.mark.parametrize("missing", [MISSING, (), ("-999",)])
@pytest.mark.parametrize("word", PLAIN + ODD)
def test_columns_wanted_as_numbers(tmp_path: Path, word: str, missing: tuple[str, ...]) -> None:
    """The number that Python reads, or the same text as ever, for which whoever reads it has words."""
    (tmp_path / "a.csv").write_text(f"x,c\n{word},NA\n7,1\n", encoding="utf8")
    source = Csv(path="a.csv", missing=missing)
    (table,), (text,) = source.batches(tmp_path, 9, numbers=["x", "y"]), source.batches(tmp_path, 9)
    assert table["c"].equals(text["c"])
    if table["x"].dtype == pl.String:
        assert rows(table) == rows(text)
        assert word not in PLAIN or word in ("NA", "nan", "null") or missing == ("-999",)
    else:
        stripped = word.strip()
        assert table["x"].to_list() == [None if stripped in ("", *missing) else float(stripped), 7]
        assert table["x"].is_finite().all()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("quoted", [False, True])
def test_batches_are_the_whole(tmp_path: Path, size: int, quoted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK", 16)  # many blocks, ending anywhere
    lines = [f'{i},"v{i},\n"' if quoted and i % 3 == 0 else f"{i},v{i}" for i in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["a,b", *lines, ""]))
    whole = Csv(path="a.csv").open(tmp_path)
    batches = list(Csv(path="a.csv").batches(tmp_path, size))
    assert all(len(batch) <= size for batch in batches)
    assert [row for batch in batches for row in rows(batch)] == rows(whole)
    assert [n for batch in batches for n in batch.lines] == whole.lines.tolist()
    assert len(whole) == 20


def test_malformed_rows_at_the_end_of_a_stream_are_not_lost(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n5\n")
    batches = list(Csv(path="a.csv").batches(tmp_path, 2, skip_malformed=True))
    assert [m for batch in batches for m in batch.malformed] == ["a.csv, line 4: 1 field where the header has 2"]
