"""How cells become dates and times, and which order of day, month and year they are written in.

Text is read as year, month, day (`2021-03-31`, `2021/3/31`, `20210331`), as day, month, year (`31.3.2021`, `31/03/21`),
as month, day, year (`3/31/2021`), or with the month in English (`31 Mar 2021`, `March 31, 2021`), each with or without
a time (`17:05`, `T17:05:00.5`, `5:05 pm`) and a zone (`Z`, `+02:00`). What has a zone is brought to UTC. Years of two
digits are 1969 to 2068, as POSIX has them. Dates and times of binary formats are taken as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.preprocess import DATE_KINDS, DateKind, Kind
from nnctl.data.tables import Table
from nnctl.engine.parameters import Array
from nnctl.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: How each kind is written.
WRITTEN = {"date": "2021-03-31", "date_dmy": "31/03/2021", "date_mdy": "03/31/2021"}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: Years of two digits below this are of this century.
PIVOT = 69

_TIME = (
    r"(?:[T ]\s*(?<hour>\d{1,2}):(?<minute>[0-5]\d)(?::(?<second>[0-5]\d(?:\.\d+)?))?"
    r"\s*(?:(?<half>[AaPp])\.?[Mm]\.?)?\s*(?<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?$"
)
_DAY, _MONTH, _YEAR = r"(?<day>\d{1,2})", r"(?<month>\d{1,2})", r"(?<year>\d{4}|\d{2})"
_PATTERNS = {
    "date": rf"^(?<year>\d{{4}})[-/.]{_MONTH}[-/.]{_DAY}{_TIME}",
    "date_dmy": rf"^{_DAY}[-/.]\s?{_MONTH}[-/.]\s?{_YEAR}{_TIME}",
    "date_mdy": rf"^{_MONTH}[-/.]{_DAY}[-/.]{_YEAR}{_TIME}",
}


def as_dates(series: pl.Series, kind: DateKind) -> pl.Series:
    """The column as dates with times, to the microsecond and without zone; null for what is missing or no date."""
    import polars as pl

    if isinstance(series.dtype, pl.Datetime):
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if series.dtype.time_zone else series
        return utc.cast(pl.Datetime("us"))
    if series.dtype == pl.Date:
        return series.cast(pl.Datetime("us"))
    if series.dtype.is_temporal() or series.dtype.is_nested() or series.dtype == pl.Boolean:
        return pl.Series(series.name, [None] * len(series), pl.Datetime("us"))
    text = _with_numbered_months(series.cast(pl.String).str.strip_chars())
    parts = text.str.extract_groups(_PATTERNS[kind]).struct.unnest().with_columns(pl.all().replace("", None))
    year, hour = pl.col("year").cast(pl.Int64), pl.col("hour").cast(pl.Int64).fill_null(0)
    short = pl.col("year").str.len_chars() == 2
    year = year + pl.when(short).then(pl.when(year < PIVOT).then(2000).otherwise(1900)).otherwise(0)
    written = [year.cast(pl.String).str.zfill(4), pl.col("month").str.zfill(2), pl.col("day").str.zfill(2)]
    date = pl.concat_str(written, separator="-").str.to_date("%Y-%m-%d", strict=False)
    half = pl.col("half").str.to_lowercase()
    possible = pl.when(half.is_null()).then(hour < 24).otherwise(hour.is_between(1, 12))
    hour = pl.when(half.is_null()).then(hour).otherwise(hour % 12 + 12 * (half == "p"))
    second = pl.col("second").cast(pl.Float64).fill_null(0.0)
    minute = pl.col("minute").cast(pl.Int64).fill_null(0) - _zone_minutes()
    time = hour * 3_600_000_000 + minute * 60_000_000 + (second * 1e6).round().cast(pl.Int64)
    moment = date.cast(pl.Datetime("us")) + pl.duration(microseconds=time)
    return parts.select(pl.when(possible).then(moment).alias(series.name))[series.name]


def readings(series: pl.Series) -> list[DateKind]:
    """The kinds of date that every value of a column is, missing ones aside; none where it has no dates."""
    import polars as pl

    if series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime):
        return ["date"] if series.null_count() < len(series) else []
    present = series.drop_nulls()
    if series.dtype != pl.String or not len(present):
        return []
    fitting = [kind for kind in DATE_KINDS if not as_dates(present[:1], kind).null_count()]
    return [kind for kind in fitting if not as_dates(present, kind).null_count()]


def inferred(series: pl.Series) -> DateKind | None:
    """The kind of date a column holds, where there is one and no other."""
    kinds = readings(series)
    return kinds[0] if len(kinds) == 1 else None


def date_kind(series: pl.Series, said: Kind | None) -> DateKind | None:
    """The kind of date a column holds, as said or as inferred where nothing is or just `date`; None for no dates."""
    if said is None or said == "date":
        return inferred(series) or ("date" if said else None)
    return next((kind for kind in DATE_KINDS if kind == said), None)


def seconds(table: Table, name: str, kind: DateKind) -> Array:
    """A column of dates as seconds since the start of 1970 (n,), missing ones as NaN.

    Raises:
        DataError: where a value is no date.
    """
    series = table[name]
    dates = as_dates(series, kind)
    wrong = (dates.is_null() & series.is_not_null()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        others = [other for other in readings(series[row : row + 1]) if other != kind]
        also = f", or write data.types: {{{name}: {others[0]}}}" if others else ""
        raise DataError(
            f"{table.place(row)}: column {name!r} holds {series[row]!r}, which is no date as {kind} has them, such as "
            f"{WRITTEN[kind]} or {WRITTEN[kind]} 17:05; correct it, or list it in the source's `missing`{also}"
        )
    since = dates.dt.epoch("us").cast(float) / 1e6
    return np.asarray(since.to_numpy(), np.float64)  # null becomes NaN


def moment(second: float) -> str:
    """Seconds since the start of 1970 as a date, with the time where it is not midnight."""
    text = str(np.datetime64(round(second), "s"))
    return text.removesuffix("T00:00:00")


def _with_numbered_months(text: pl.Series) -> pl.Series:
    """`31 Mar 2021`, `March 31, 2021` and `20210331` as `2021-03-31`."""
    text = text.str.replace(r"^(\d{4})(\d{2})(\d{2})([T ].*)?$", "${1}-${2}-${3}${4}")
    if not text.str.contains("[A-Za-z]{3}").any():
        return text
    for number, name in enumerate(MONTHS, 1):
        month = rf"{name}[a-z]*\.?"
        text = text.str.replace(rf"(?i)^(\d{{1,2}})[-\s]{month}[-,\s]\s?(\d{{4}})", f"${{2}}-{number}-${{1}}")
        text = text.str.replace(rf"(?i)^{month}\s(\d{{1,2}}),?\s(\d{{4}})", f"${{2}}-{number}-${{1}}")
    return text


def _zone_minutes() -> pl.Expr:
    """How far ahead of UTC the zone is."""
    import polars as pl

    digits = pl.col("zone").str.extract_groups(r"^(?<sign>[+-])(?<hours>\d{2}):?(?<minutes>\d{2})$")
    hours, minutes = (digits.struct.field(name).cast(pl.Int64) for name in ("hours", "minutes"))
    ahead = hours * 60 + minutes
    return pl.when(digits.struct.field("sign") == "-").then(-ahead).otherwise(ahead).fill_null(0)
