"""JSON lines."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from nnctl.data.sources import JsonLines
from nnctl.data.tables import Table
from nnctl.errors import DataError


def read(tmp_path: Path, text: str | bytes, **options: bool) -> Table:
    (tmp_path / "a.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    return JsonLines(path="a.jsonl").open(tmp_path, **options)


def test_reads_values_of_every_kind(tmp_path: Path) -> None:
    table = read(
        tmp_path, '{"n": 1, "s": "x", "b": true}\n\n{"s": null, "n": 1e-3, "late": 2}\n{"n": NaN, "b": false}\n'
    )
    assert table.frame.to_dict(as_series=False)["s"] == ["x", None, None]
    assert table["n"].to_list()[:2] == [1.0, 0.001]
    assert table["b"].to_list() == [True, None, False]
    assert table["late"].to_list() == [None, 2.0, None]
    assert table.lines.tolist() == [1, 3, 4]


def test_a_column_of_mixed_kinds_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, '{"a": 1}\n{"a": "x"}\n{"a": true}\n')["a"].to_list() == ["1", "x", "True"]


def test_huge_integers_become_floats(tmp_path: Path) -> None:
    assert read(tmp_path, '{"a": 123456789012345678901234567890}\n')["a"].to_list() == [
        123456789012345678901234567890.0
    ]


BAD: dict[str, Any] = {
    "not JSON": ('{"a": 1}\n{"a": }\n', r"a\.jsonl, line 2: not JSON at character 7"),
    "not an object": ('{"a": 1}\n[1, 2]\n', r"line 2: \[1, 2\] where a row is an object"),
    "a key twice": ('{"a": 1, "a": 2}\n', r"line 1: the key 'a' twice"),
    "nested": ('{"a": {"b": 1}}\n', r"column 'a' holds \{'b': 1\}"),
    "text in a list": ('{"a": [1]}\n{"a": [1, "x"]}\n', r"a\.jsonl, line 2: 'a' holds a list with \"x\"; a list holds"),
    "null in a list": ('{"a": [[1, null]]}\n', r"line 1: 'a' holds a list with null"),
    "true in a list": ('{"a": [true]}\n', r"line 1: 'a' holds a list with true"),
    "NaN in a list": ('{"a": [NaN]}\n', r"line 1: 'a' holds a list with NaN"),
    "too large": (f'{{"a": [1{"0" * 400}]}}\n', r"line 1: a number of 401 digits"),
    "three deep": ('{"a": [[[1]]]}\n', r"line 1: 'a' holds a list with \[1\]"),
    "uneven": ('{"a": [[1, 2], [3]]}\n', r"line 1: step 2 of 'a' has 1 numbers, and the first 2"),
    "lists and numbers": ('{"a": [1]}\n{"a": 2}\n', r"column 'a' holds \[\[1\.0\]\]; a table's values are"),
    "deep": ("[" * 100_000, r"line 1: nested too deeply"),
    "binary": (b"\xff\xfe\n", r"line 1: not text in UTF-8"),
    "empty": ("\n\n", r"a\.jsonl: no rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_refuses(tmp_path: Path, case: str) -> None:
    text, message = BAD[case]
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_lists_are_steps_of_one_number_or_several(tmp_path: Path) -> None:
    rows = read(tmp_path, '{"a": [1, 2]}\n{"a": []}\n{}\n{"a": [[3], [4]]}\n')["a"].to_list()
    assert rows == [[[1.0], [2.0]], [], None, [[3.0], [4.0]]]


def test_skips_malformed_lines(tmp_path: Path) -> None:
    table = read(tmp_path, '{"a": 1}\noops\n{"a": 2}\n', skip_malformed=True)
    assert table["a"].to_list() == [1.0, 2.0]
    assert len(table.malformed) == 1
    assert table.malformed[0].startswith("a.jsonl, line 2: not JSON")


def test_batches_and_gzip(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"".join(b'{"a": %d}\n' % i for i in range(7))))
    batches = list(JsonLines(path="a.jsonl.gz").batches(tmp_path, 3))
    assert [batch["a"].to_list() for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    assert batches[1].lines.tolist() == [4, 5, 6]
