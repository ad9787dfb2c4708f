"""Cells as dates: beside Python's own calendar, in every order, and what is none."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.dates import as_dates, inferred, moment, readings, seconds
from nnctl.data.preprocess import DateKind
from nnctl.errors import DataError
from tests.data.tables import table

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
FORMS: list[tuple[DateKind, str]] = [
    ("date", "%Y-%m-%d %H:%M:%S"),
    ("date", "%Y-%m-%dT%H:%M:%S.%f"),
    ("date", "%Y/%m/%d %I:%M:%S %p"),
    ("date", "%Y%m%d %H:%M:%S"),
    ("date", "%d %b %Y %H:%M:%S"),
    ("date", "%B %d, %Y %H:%M:%S"),
    ("date", "%d-%b-%Y %H:%M:%S"),
    ("date_dmy", "%d.%m.%Y %H:%M:%S"),
    ("date_dmy", "%d/%m/%Y %H:%M:%S"),
    ("date_mdy", "%m/%d/%Y %I:%M:%S%p"),
]


@given(MOMENTS, st.sampled_from(FORMS))
def test_what_python_writes_is_read_as_it_was(when: datetime, form: tuple[DateKind, str]) -> None:
    kind, format_ = form
    when = when if "%f" in format_ else when.replace(microsecond=0)
    assert as_dates(pl.Series([when.strftime(format_)]), kind).to_list() == [when]


@given(MOMENTS, st.integers(-12 * 4, 14 * 4))
def test_what_has_a_zone_is_brought_to_utc(when: datetime, quarters: int) -> None:
    there = when.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15 * quarters)))
    (read,) = as_dates(pl.Series([there.isoformat()]), "date")
    assert read == there.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    "text",
    [
        "2021-02-29",
        "2021-13-01",
        "2021-00-10",
        "2021-01-32",
        "2021-03-04 24:00",
        "2021-03-04 12:60",
        "2021-03-04 13:00 pm",
        "2021",
        "17:05",
        "soon",
        "2021-03",
        "1.5",
        "2021-03-04 and more",
        "31/03/2021",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert as_dates(pl.Series([text]), "date").to_list() == [None]


def test_years_of_two_digits_turn_in_1969() -> None:
    read = as_dates(pl.Series(["1/2/69", "1/2/99", "1/2/00", "1/2/68"]), "date_dmy")
    assert [when.year for when in read] == [1969, 1999, 2000, 2068]


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([date(2021, 3, 4)]),
        pl.Series([datetime(2021, 3, 4)], dtype=pl.Datetime("ns")),
        pl.Series([datetime(2021, 3, 4)], dtype=pl.Datetime("ms")),
        pl.Series([datetime(2021, 3, 4, tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo"),
    ],
)
def test_binary_formats_have_dates_of_their_own(series: pl.Series) -> None:
    assert inferred(series) == "date"
    for kind in ("date", "date_mdy"):
        assert as_dates(series, kind).to_list() == [datetime(2021, 3, 4)]


@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        (["03/04/2021", "05/06/2021"], ["date_dmy", "date_mdy"]),
        (["03/04/2021", "25/06/2021"], ["date_dmy"]),
        (["03/04/2021", "05/26/2021"], ["date_mdy"]),
        (["13/04/2021", "05/26/2021"], []),
        (["2021-03-04", None], ["date"]),
        (["2021-03-04", "x"], []),
        (["20210304"], ["date"]),
        ([None], []),
    ],
)
def test_the_order_is_what_reads_every_cell(cells: list[str | None], kinds: list[str]) -> None:
    series = pl.Series(cells, dtype=pl.String)
    assert readings(series) == kinds
    assert inferred(series) == (kinds[0] if len(kinds) == 1 else None)


def test_seconds_are_those_of_python_and_a_wrong_cell_is_named_with_its_row() -> None:
    whens = [datetime(1969, 12, 31, 23, 59, 30), datetime(2021, 3, 4, 5, 6, 7, 250_000)]
    t = seconds(table(when=[*(str(when) for when in whens), None]), "when", "date")
    assert t[:2].tolist() == [when.replace(tzinfo=UTC).timestamp() for when in whens]
    assert np.isnan(t[2])
    with pytest.raises(DataError, match=r"row 2: column 'when' holds '31/3/2021', which is no date .*date_dmy"):
        seconds(table(when=["2021-03-04", "31/3/2021"]), "when", "date")


def test_a_moment_has_its_time_unless_it_is_midnight() -> None:
    assert (moment(0.0), moment(86_400 + 61.0)) == ("1970-01-01", "1970-01-02T00:01:01")
