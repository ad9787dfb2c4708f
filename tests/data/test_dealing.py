"""Splits by time and by group: nothing lost, no time in two splits nor out of order, no group in two."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.spec import DataSpec, Split
from nnctl.data.splitting import Parts, split, split_by_group, split_by_time
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from tests.process import nnctl

SHARES = st.sampled_from([0.0, 0.1, 0.15, 0.2, 1 / 3, 0.4])
EXPERIMENT = """
name: shop
data:
  source: {type: csv, path: shop.csv}
  target: paid
  split: {by: BY, column: COLUMN}
model: {hidden: [4]}
training: {epochs: 2}
"""


def of(parts: Parts) -> list[Array]:
    return [parts.train, parts.validation, parts.test]


def sizes(rows: int, validation: float, test: float) -> list[int]:
    return [len(part) for part in of(split(rows, validation, test, 0))]


@given(st.lists(st.integers(0, 40), min_size=5, max_size=120), SHARES, SHARES)
def test_splits_by_time_follow_one_another_and_share_no_time(times: list[int], validation: float, test: float) -> None:
    wanted = sizes(len(times), validation, test)
    if len(set(times)) < sum(map(bool, wanted)):
        with pytest.raises(ConfigError, match=r"different times"):
            split_by_time(np.array(times), validation, test)
        return
    parts = of(split_by_time(np.array(times), validation, test))
    assert sorted(np.concatenate(parts)) == list(range(len(times)))
    assert [len(part) > 0 for part in parts] == [size > 0 for size in wanted]
    there = [np.array(times)[part] for part in parts if len(part)]
    for earlier, later in pairwise(there):
        assert earlier.max() < later.min()


@given(st.integers(5, 200), SHARES, SHARES, st.integers(0, 3))
def test_times_that_all_differ_give_the_sizes_asked_for(rows: int, validation: float, test: float, seed: int) -> None:
    times = np.random.default_rng(seed).permutation(rows)
    parts = of(split_by_time(times, validation, test))
    assert [len(part) for part in parts] == sizes(rows, validation, test)


def test_the_border_is_the_nearest_between_two_times() -> None:
    times = np.array([1, 1, 1, 2, 2, 2, 2, 3, 3, 4])
    assert [len(part) for part in of(split_by_time(times, 0.0, 0.3))] == [7, 0, 3]
    assert [len(part) for part in of(split_by_time(times, 0.0, 0.2))] == [7, 0, 3]
    assert [len(part) for part in of(split_by_time(times, 0.0, 0.1))] == [9, 0, 1]


@given(st.lists(st.integers(0, 25), min_size=5, max_size=150), SHARES, SHARES, st.integers(0, 4))
def test_no_group_is_in_two_splits(labels: list[int], validation: float, test: float, seed: int) -> None:
    groups = np.unique(labels, return_inverse=True)[1]
    wanted = sizes(len(groups), validation, test)
    if len(set(labels)) < sum(map(bool, wanted)):
        with pytest.raises(ConfigError, match=r"different groups"):
            split_by_group(groups, validation, test, seed)
        return
    parts = of(split_by_group(groups, validation, test, seed))
    assert sorted(np.concatenate(parts)) == list(range(len(groups)))
    assert [len(part) > 0 for part in parts] == [size > 0 for size in wanted]
    owners = [set(groups[part]) for part in parts]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    again = of(split_by_group(groups, validation, test, seed))
    assert all((one == other).all() for one, other in zip(parts, again, strict=True))


@given(st.lists(st.integers(1, 9), min_size=30, max_size=80), st.integers(0, 4))
def test_sizes_are_near_the_shares_by_the_largest_group(counts: list[int], seed: int) -> None:
    groups, largest = np.repeat(np.arange(len(counts)), counts), max(counts)
    parts = of(split_by_group(groups, 0.2, 0.2, seed))
    for part, size in zip(parts, sizes(len(groups), 0.2, 0.2), strict=True):
        assert abs(len(part) - size) <= 2 * largest


def test_another_seed_deals_groups_out_otherwise() -> None:
    groups = np.arange(100) // 2
    assert any(
        (split_by_group(groups, 0.2, 0.2, s).test != split_by_group(groups, 0.2, 0.2, 0).test).any() for s in (1, 2)
    )


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"by": "time"}, "by is time; name the column of times"),
        ({"column": "a"}, "column is a, and by is row"),
        ({"by": "group", "column": "a", "stratify": True}, "by is group, .*stratify is true"),
    ],
)
def test_contradictions_in_the_section_are_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Split.model_validate(keys)


def test_what_has_nothing_to_split_is_refused() -> None:
    source = {"type": "csv", "path": "a.csv"}
    by = {"by": "group", "column": "a"}
    with pytest.raises(ValueError, match=r"split\.by is group, and every split has examples of its own"):
        DataSpec.model_validate({"train": source, "target": "y", "split": by})
    with pytest.raises(ValueError, match=r"split\.column is a, which is to be predicted"):
        DataSpec.model_validate({"source": source, "target": "a", "split": by})


def test_a_split_by_chance_is_written_as_before() -> None:
    assert set(Split().model_dump()) == {"validation", "test", "stratify"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "day": [f"{1 + day % 28:02d}.{1 + day // 28:02d}.2021" for day in random.integers(0, 300, 200)],
            "customer": [f"c{i}" for i in random.integers(0, 40, 200)],
            "age": random.integers(18, 80, 200),
            "paid": random.normal(size=200).round(3),
        }
    )
    frame.write_csv(folder / "shop.csv")
    for by, column in (("time", "day"), ("group", "customer")):
        (folder / f"{by}.yaml").write_text(EXPERIMENT.replace("BY", by).replace("COLUMN", column))
    return folder


def test_check_shows_the_borders(folder: Path) -> None:
    shown = nnctl("check", "time.yaml", "--json", "--set", "data.exclude=[day, customer]", cwd=folder)
    spans = json.loads(shown.stdout)["spans"]
    borders = [border for part in ("train", "validation", "test") for border in spans[part].split(" to ")]
    assert borders == sorted(borders)
    days = pl.read_csv(folder / "shop.csv")["day"].str.to_date("%d.%m.%Y")
    assert (borders[0], borders[-1]) == (str(days.min()), str(days.max()))
    assert "split by time, column day: train 2021-" in nnctl("check", "time.yaml", cwd=folder).stdout


def test_check_shows_the_groups_which_are_not_learned_from(folder: Path) -> None:
    shown = nnctl("check", "group.yaml", "--json", cwd=folder)
    counts = {part: int(text.split()[0]) for part, text in json.loads(shown.stdout)["spans"].items()}
    assert sum(counts.values()) == 40
    nnctl("train", "group.yaml", "--quiet", cwd=folder)
    resolved = (folder / "runs/shop-0001/config.yaml").read_text()
    assert "features: [day, age]" in resolved
    assert "by: group" in resolved
    assert "stratify: false" in resolved


def test_training_the_resolved_experiment_again_splits_alike(folder: Path) -> None:
    run = nnctl("train", "time.yaml", "--quiet", "--set", "name=timed", cwd=folder).stdout.strip()
    again = nnctl("train", f"{run}/config.yaml", "--quiet", "--set", "name=again", cwd=folder).stdout.strip()
    one, other = (json.loads(nnctl("eval", r, "--json", cwd=folder).stdout)["metrics"] for r in (run, again))
    assert one == other


def test_the_order_of_a_column_that_is_not_learned_from_can_be_said(folder: Path) -> None:
    rows = "".join(f"0{1 + i % 9}/0{1 + i % 7}/2021,{i},{i % 5}.5\n" for i in range(60))
    (folder / "two.csv").write_text("day,age,paid\n" + rows)
    arguments = ["time.yaml", "--set", "data.source.path=two.csv", "--set", "data.exclude=[day]"]
    said = nnctl("check", *arguments, cwd=folder, code=2).stderr
    assert "write data.types: {day: date_dmy}, or {day: date_mdy}" in said
    assert "day: train 2021-" in nnctl("check", *arguments, "--set", "data.types={day: date_mdy}", cwd=folder).stdout


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("data.split.column=dya", 2, "data.split.column: shop.csv has no column 'dya'"),
        ("data.split.column=customer", 2, "data.split.column: 'customer' holds neither dates nor numbers"),
        ("data.split.stratify=true", 2, "by is time, which decides where every row goes, and stratify is true"),
        (
            "data.split={by: group, column: same}",
            2,
            "data.split.column: holds 2 of the 3 different groups that 3 splits need",
        ),
        ("data.split={by: time, column: some}", 3, "shop.csv, line 2: has no time in column 'some'"),
        ("data.split={by: group, column: some}", 3, "shop.csv, line 2: has no group in column 'some'"),
    ],
)
def test_what_cannot_be_dealt_out_is_refused(folder: Path, change: str, code: int, said: str) -> None:
    frame = pl.read_csv(folder / "shop.csv", infer_schema=False)
    index = pl.int_range(pl.len())
    more = frame.with_columns(same=index % 2, some=pl.when(index > 0).then(index))
    (folder / "more").mkdir(exist_ok=True)
    more.write_csv(folder / "more/shop.csv")
    (folder / "more/time.yaml").write_text((folder / "time.yaml").read_text())
    assert said in nnctl("check", "time.yaml", "--set", change, cwd=folder / "more", code=code).stderr
