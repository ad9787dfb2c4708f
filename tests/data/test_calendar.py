"""Dates as features: beside a slow and plain calendar, and through the commands."""

import json
import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.calendar import DateColumn
from nnctl.data.columns import kinds_of
from nnctl.errors import ConfigError, DataError
from tests.data.tables import encoded, fitted, table
from tests.process import nnctl

EXPERIMENT = """
name: sales
data:
  source: {type: csv, path: sales.csv}
  target: sold
model: {hidden: [8]}
training: {epochs: 40}
optimizer: {type: adam, learning_rate: 0.02}
"""


def by_hand(whens: list[datetime]) -> dict[str, list[float]]:
    """Every part, by Python's own calendar."""

    def round_and_round(values: list[float], period: int, name: str) -> dict[str, list[float]]:
        angles = [2 * math.pi * value / period for value in values]
        return {f"t.{name}.sin": list(map(math.sin, angles)), f"t.{name}.cos": list(map(math.cos, angles))}

    def standardized(values: list[float]) -> list[float]:
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values)) or 1.0
        return [(v - mean) / deviation for v in values]

    hours = [when.hour + when.minute / 60 + when.second / 3600 for when in whens]
    return {
        "t.year": standardized([when.year for when in whens]),
        **round_and_round([when.month - 1 for when in whens], 12, "month"),
        **round_and_round([when.weekday() for when in whens], 7, "weekday"),
        **round_and_round(hours, 24, "hour"),
        "t.days": standardized([(when - min(whens)) / timedelta(days=1) for when in whens]),
    }


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0))


@given(st.lists(MOMENTS, min_size=2, max_size=8, unique=True))
def test_parts_are_those_of_a_plain_calendar_and_only_what_differs(whens: list[datetime]) -> None:
    data = table(t=[str(when) for when in whens])
    column = fitted(data, "t")
    assert isinstance(column, DateColumn)
    expected = by_hand(whens)
    counts = {
        "year": lambda t: t.year,
        "month": lambda t: t.month,
        "weekday": lambda t: t.weekday(),
        "hour": datetime.time,
    }
    differing = {part for part, of in counts.items() if len({of(when) for when in whens}) > 1} | {"days"}
    assert list(column.outputs) == [name for name in expected if name.split(".")[1] in differing]
    x = encoded(column, data)
    for place, name in enumerate(column.outputs):
        np.testing.assert_allclose(x[:, place], expected[name], rtol=1e-7, atol=1e-7, err_msg=name)


def test_there_is_no_hour_where_all_times_are_midnight() -> None:
    column = fitted(table(t=["2021-01-04", "2021-02-01", "2022-03-07"]), "t")  # all of them Mondays
    assert column.outputs == ("t.year", "t.month.sin", "t.month.cos", "t.days")


def test_a_new_file_may_have_the_dates_in_binary_form() -> None:
    text = table(t=["2021-01-05 10:00", "2021-02-01 11:30"])
    column = fitted(text, "t")
    binary = table(t=pl.Series([datetime(2021, 1, 5, 10), datetime(2021, 2, 1, 11, 30)]))
    np.testing.assert_array_equal(encoded(column, text), encoded(column, binary))


def test_a_missing_date_follows_missing() -> None:
    data = table(t=["2021-01-01", None, "2021-01-03", "2021-01-09"])
    x = encoded(fitted(data, "t", missing="indicator"), data)
    column = fitted(data, "t", missing="indicator")
    assert column.outputs[-1] == "t is missing"
    assert x[:, -1].tolist() == [0, 1, 0, 0]
    days = x[:, column.outputs.index("t.days")]
    assert days[1] == pytest.approx((days[0] + days[2] + days[3]) / 3)
    at_median = encoded(fitted(data, "t", missing="median"), data)
    np.testing.assert_array_equal(at_median[1], at_median[2])
    with pytest.raises(DataError, match=r"row 2: column 't' is missing"):
        fitted(data, "t", missing="error")


def test_an_order_that_is_not_clear_must_be_named() -> None:
    ambiguous = table(t=["03/04/2021", "05/06/2021"])
    assert kinds_of(ambiguous, ["t"], {}) == {"t": "categorical"}
    with pytest.raises(ConfigError, match=r"data\.types\.t: is date, and '03/04/2021' .*write date_dmy or date_mdy"):
        kinds_of(ambiguous, ["t"], {"t": "date"})
    assert kinds_of(ambiguous, ["t"], {"t": "date_mdy"}) == {"t": "date_mdy"}
    assert kinds_of(table(t=["23/04/2021", "05/06/2021"]), ["t"], {"t": "date"}) == {"t": "date_dmy"}
    assert kinds_of(table(t=["20210304", "20210405"]), ["t"], {}) == {"t": "numeric"}
    assert kinds_of(table(t=["20210304", "20210405"]), ["t"], {"t": "date"}) == {"t": "date"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sales that follow the month, over two years, as CSV and Parquet; a run on them."""
    folder = tmp_path_factory.mktemp("sales")
    random = np.random.default_rng(0)
    whens = [datetime(2020, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 731, 240)]
    sold = [round(math.cos(2 * math.pi * (when.month - 1) / 12), 3) for when in whens]
    text = pl.DataFrame({"when": [f"{when:%d/%m/%Y}" for when in whens], "sold": sold})
    text.write_csv(folder / "sales.csv")
    pl.DataFrame({"when": whens, "sold": sold}).write_parquet(folder / "sales.parquet")
    (folder / "sales.yaml").write_text(EXPERIMENT)
    nnctl("train", "sales.yaml", "--quiet", cwd=folder)
    return folder


def test_a_network_learns_from_dates(folder: Path) -> None:
    metrics = json.loads(nnctl("eval", "runs/sales-0001", "--json", cwd=folder).stdout)["metrics"]
    assert metrics["r2"] > 0.9
    assert "when: date_dmy" in (folder / "runs/sales-0001/config.yaml").read_text()


def test_commands_take_dates_of_every_form(folder: Path) -> None:
    said = [
        nnctl("predict", "runs/sales-0001", "--data", name, cwd=folder).stdout
        for name in ("sales.csv", "sales.parquet")
    ]
    assert said[0] == said[1]
    assert "when.month.sin" in nnctl("explain", "sales.yaml", cwd=folder).stdout
    nnctl("gradcheck", "sales.yaml", cwd=folder)


def test_a_cell_that_is_no_date_is_named_with_its_line(folder: Path) -> None:
    (folder / "odd.csv").write_text("when\n13/04/2021\n31/02/2021\n")
    said = nnctl("predict", "runs/sales-0001", "--data", "odd.csv", cwd=folder, code=3).stderr
    assert "odd.csv, line 3: column 'when' holds '31/02/2021', which is no date" in said


def test_dates_of_two_orders_are_doubted(folder: Path) -> None:
    rows = "".join(f"0{1 + i % 9}/0{1 + i % 7}/2021,{i % 5}.5\n" for i in range(60))
    (folder / "two.csv").write_text("when,sold\n" + rows)
    said = nnctl("check", "sales.yaml", "--set", "data.source.path=two.csv", cwd=folder).stderr
    assert "may have the day or the month first" in said
    assert "data.types: {when: date_dmy}, or date_mdy" in said
