"""Columns of a table that are inputs by themselves: paths of images, and free text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from nnctl.data.inputs.text import WORD
from nnctl.data.sources import IMAGE_SUFFIXES
from nnctl.data.sources.images import ImageFile
from nnctl.data.tables import Table, as_labels
from nnctl.data.telltale import names_rows
from nnctl.suggest.columns import NEARLY_ALL, Candidate, is_nested
from nnctl.suggest.commented import Because
from nnctl.suggest.looks import SAMPLE, how

if TYPE_CHECKING:
    import polars as pl

#: What an input of columns is called.
FACTS = "facts"
#: Text is free, not a name, with so many words in the middle.
FEWEST_WORDS = 6
#: A word met once in more texts than this teaches little.
MANY_TEXTS = 500
#: Words of an example after so many are left out.
LONGEST_TEXT = 300


def picture_columns(table: Table, targets: Sequence[str]) -> list[str]:
    """The columns of paths of images, of which some are there."""
    names = [name for name in table.columns if name not in targets and names_images(table[name])]
    return [name for name in names if any((table.folder / path).is_file() for path in sample(table[name]))]


def names_images(series: pl.Series) -> bool:
    """Whether nearly all values end as the names of images do."""
    import polars as pl

    if series.dtype != pl.String:
        return False
    endings = [Path(value).suffix.lower() in IMAGE_SUFFIXES for value in sample(series)]
    return bool(endings) and sum(endings) >= NEARLY_ALL * len(endings)


def text_columns(table: Table, names: Sequence[str]) -> list[str]:
    """The columns of free text: sentences, nearly each a different one."""
    return [name for name in names if not is_nested(table[name]) and _is_free_text(Candidate(table[name], table.lines))]


def _is_free_text(c: Candidate) -> bool:
    if c.numeric or not names_rows(c.distinct, len(c.present)):
        return False
    return median(len(text.split()) for text in sample(c.present)) >= FEWEST_WORDS


def sample(series: pl.Series) -> Iterator[str]:
    """Values of a column, spread evenly."""
    values = series.drop_nulls()
    return iter(values.gather_every(max(1, -(-len(values) // SAMPLE))).to_list())


def inputs(
    table: Table, facts: Sequence[str], pictures: Sequence[str], texts: Sequence[str], taken: Collection[str]
) -> dict[str, Any]:
    """The `inputs` of the data section: columns side by side, then each picture and each text."""
    found: dict[str, Any] = {FACTS: {"columns": list(facts)}} if facts else {}
    for kind, columns in (("picture", pictures), ("text", texts)):
        for column in columns:
            name = called(kind if len(columns) == 1 else column, {*found, *taken})
            found[name] = _picture(table, column) if kind == "picture" else _text(table, column)
    return found


def called(name: str, taken: Collection[str]) -> str:
    """A name for an input or output that nothing else has."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")
    stem = stem if re.match("[A-Za-z]", stem) else f"column_{stem}".rstrip("_")
    return next(each for each in (stem, *(f"{stem}_{i}" for i in range(2, 10_000))) if each not in taken)


def _picture(table: Table, column: str) -> dict[str, Any]:
    paths = table[column].drop_nulls().to_list()
    files = [ImageFile(path, table.folder / path, f"{table.name}, {path}", None) for path in paths]
    there = [file for file in files if file.path.is_file()]
    read = how(there) | {"numeric": Because("auto", "bytes are divided by 255")}
    return {"type": "image", "column": Because(column, "paths, from the folder of the table")} | read


def _text(table: Table, column: str) -> dict[str, Any]:
    values = as_labels(table[column]).drop_nulls()
    lengths = sorted(len(WORD.findall(text)) for text in sample(values))
    reason = f"free text of {lengths[0]} to {lengths[-1]} words, {median(lengths):.0f} in the middle"
    found: dict[str, Any] = {"type": "text", "column": Because(column, reason), "tokens": "word"}
    if len(values) >= MANY_TEXTS:
        found["min_count"] = Because(2, "a word that comes once teaches nothing about others")
    if lengths[-1] > LONGEST_TEXT:
        found["length"] = Because(LONGEST_TEXT, "words of an example after so many are left out")
    return found
