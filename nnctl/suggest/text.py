"""How a file of delimited text is written: its encoding, separator, quotes and header, told from its first lines."""

import csv
import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Sequence
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

from nnctl.data.sources import Csv, Tsv
from nnctl.data.sources.files import opened
from nnctl.data.tables import MISSING
from nnctl.errors import DataError
from nnctl.suggest.commented import Because

Record = list[str]

#: Lines that are looked at.
LINES = 300
#: By preference: one that text itself seldom holds is more telling.
SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "vertical bar", ",": "comma", " ": "space"}
#: This share of the lines must have the same number of fields.
AGREEMENT = 0.9
SINGLE = "'"
#: Quotes that are not the usual ones, with what is said of them.
QUOTES = {None: "quotation marks are characters like any other here", '"': "", SINGLE: "fields stand in single quotes"}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def delimited_source(path: str, base: Path, form: type[Csv | Tsv]) -> dict[str, Any]:
    """The settings of a source of this form, each that is not the default with its reason.

    Raises:
        DataError: where the file is missing, empty or not text.
    """
    encoding = encoding_of(path, base)
    lines = first_lines(path, base, encoding)
    usual = form(path=path)
    separator, quote = layout(lines, usual)
    records = parse(lines, separator, quote)
    found: dict[str, Any] = {}
    if encoding != "utf8":
        found["encoding"] = Because(encoding, "the bytes are not UTF-8; look whether names and labels came out right")
    if separator != usual.separator:
        found["separator"] = Because(separator, f"a {SEPARATORS[separator]} gives every line as many fields")
    if quote != usual.quote:
        found["quote"] = Because(quote, QUOTES[quote])
    if not has_header(records):
        found["header"] = Because(False, "the first line looks like data; columns are called column_1, column_2, ...")
    return found


def encoding_of(path: str, base: Path) -> str:
    """utf8 where the whole file is, utf16 where it says so, else latin1, in which any byte is a character."""
    decoder = getincrementaldecoder("utf8")()
    encoding, binary = "utf8", False
    with opened(path, base) as stream:
        while chunk := stream.read(1 << 20):
            if encoding == "utf8" and decoder is not None and chunk[:2] in UTF16_MARKS:
                return "utf16"
            binary = binary or b"\0" in chunk
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                encoding = "latin1"
                break
    if binary:
        raise DataError(
            f"{path}: holds zero bytes, which text does not; csv, parquet, npy and idx are told by the ending"
        )
    return encoding


def first_lines(path: str, base: Path, encoding: str) -> list[str]:
    """The first lines that are not blank."""
    with opened(path, base) as stream:
        text = TextIOWrapper(stream, encoding="utf-8-sig" if encoding == "utf8" else encoding)
        lines = [line for line in islice(text, LINES) if line.strip()]
        text.detach()
    if not lines:
        raise DataError(f"{path}: is empty")
    return lines


def layout(lines: Sequence[str], usual: Csv | Tsv) -> tuple[str, str | None]:
    """The separator and quote that give most lines the same number of fields, and more than one."""
    best, agreement = (usual.separator, usual.quote), AGREEMENT
    quotes = (usual.quote, '"' if usual.quote is None else None, SINGLE)
    for separator in (usual.separator, *SEPARATORS):
        for quote in quotes:
            counts = Counter(map(len, parse(lines, separator, quote)))
            fields, agreeing = counts.most_common(1)[0]
            # A quote that is closed lines later swallows records, so what counts is the share of all lines.
            if fields > 1 and agreeing / len(lines) > agreement:
                best, agreement = (separator, quote), agreeing / len(lines)
    opened = [field for record in parse(lines, *best) for field in record if field.startswith(SINGLE)]
    return (best[0], SINGLE) if opened and all(re.fullmatch("'.*'", field) for field in opened) else best


def parse(lines: Sequence[str], separator: str, quote: str | None) -> list[Record]:
    """The fields of each line, without the spaces around them; up to the first that cannot be read."""
    reader = csv.reader(
        lines,
        delimiter=separator,
        quotechar=quote or '"',
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=True,
    )
    records: list[Record] = []
    try:
        records.extend([field.strip() for field in record] for record in reader)
    except csv.Error:
        return records or [[]]
    return records


def has_header(records: Sequence[Record]) -> bool:
    """Whether the first record names the columns.

    It does where it has text above numbers, or counts the columns. It does not where it holds numbers, or
    where in half of the columns its value comes again below.
    """
    first = records[0]
    below = [[r[i] for r in records[1:] if len(r) == len(first)] for i in range(len(first))]
    values = [[v for v in column if v not in MISSING] for column in below]
    if not any(values):
        return True
    known = [(name, column) for name, column in zip(first, values, strict=True) if name not in MISSING]
    if any(column and all(map(is_number, column)) and not is_number(name) for name, column in known):
        return True
    numbers = [float(name) for name, _ in known if is_number(name)]
    if len(numbers) > 2 and numbers in ([*range(len(numbers))], [*range(1, len(numbers) + 1)]):
        return True
    return not numbers and 2 * sum(name in column for name, column in known) < len(known)


def is_number(text: str) -> bool:
    """Whether a field reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
