"""Data problems, each planted and found; none found where there is none."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.data.loading import load
from nnctl.data.report import Report
from nnctl.data.spec import DataSpec

N = 60
RANDOM = np.random.default_rng(1)
CLEAN = {
    "x": RANDOM.normal(size=N),
    "city": RANDOM.choice(["Bern", "Oslo"], N),
    "t": np.array(["no", "yes"])[np.arange(N) % 2],
}


def problems(folder: Path, columns: dict[str, Any], **section: Any) -> tuple[Report, set[tuple[str, Any]]]:
    pl.DataFrame(columns, strict=False).write_csv(folder / "a.csv")
    section = {"source": {"type": "csv", "path": "a.csv"}, "target": "t", **section}
    report = load(DataSpec.model_validate(section), folder, 0, np.float64).report
    return report, {(p.kind, p.column) for p in report.problems}


def test_clean_data_has_no_problems(tmp_path: Path) -> None:
    report, found = problems(tmp_path, CLEAN)
    assert found == set()
    assert report.rows == {"train": 42, "validation": 9, "test": 9}


PLANTED: dict[str, Any] = {
    "constant": ([3] * N, {}),
    "empty": ([None] * N, {}),
    "identifier": ([f"name {i}" for i in range(N)], {}),
    "leakage": (np.array(["low", "high"])[np.arange(N) % 2], {}),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_columns(tmp_path: Path, kind: str) -> None:
    values, section = PLANTED[kind]
    _, found = problems(tmp_path, {**CLEAN, "odd": values}, **section)
    assert (kind, "odd") in found
    assert {column for _, column in found} == {"odd"}


def test_numbers_that_count_the_rows(tmp_path: Path) -> None:
    assert problems(tmp_path, {**CLEAN, "id": np.arange(N) + 100})[1] == {("identifier", "id")}
    assert problems(tmp_path, {**CLEAN, "id": np.arange(N) ** 2})[1] == {("identifier", "id")}
    assert problems(tmp_path, {**CLEAN, "square": np.arange(N) ** 2})[1] == set()


def test_leading_zeros_are_not_lost_without_a_word(tmp_path: Path) -> None:
    zips = [f"{2100 + i % 9:05d}" for i in range(N)]
    report, found = problems(tmp_path, {**CLEAN, "zip": zips})
    assert found == {("doubtful", "zip")}
    (said,) = (p.message for p in report.problems)
    assert "holds '02100'" in said
    assert "data.types: {zip: categorical}" in said
    assert problems(tmp_path, {**CLEAN, "zip": zips}, types={"zip": "categorical"})[1] == set()
    assert problems(tmp_path, {**CLEAN, "zip": zips}, types={"zip": "numeric"})[1] == set()
    target = [f"{2000 + i % 30:05d}" for i in range(N)]
    assert ("doubtful", "t") in problems(tmp_path, {**CLEAN, "t": target})[1]


def test_a_linear_copy_of_a_number(tmp_path: Path) -> None:
    target = RANDOM.normal(size=N)
    _, found = problems(tmp_path, {**CLEAN, "t": target, "copy": 3 - 2 * target})
    assert found == {("leakage", "copy")}
    _, found = problems(tmp_path, {**CLEAN, "t": target, "copy": target + RANDOM.normal(size=N)})
    assert found == set()


def test_what_gives_the_target_away_is_told_with_the_figure(tmp_path: Path) -> None:
    x, y, n = RANDOM.normal(size=400), RANDOM.normal(size=400), np.arange(400)
    t = np.where(n == 7, x < 0, x > 0)
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "cut": (
            {"t": np.where(x > 0, "yes", "no"), "x": x + 1e-9 * y, "y": y},
            "'x' gives the target away: alone, cut",
        ),
        "more cuts": ({"t": np.where(x > 0, "c", np.where(x > -1, "b", "a")), "x": -x}, "it tells 100.00% of them"),
        "hardly": ({"t": np.where(t, "yes", "no"), "x": x + 0.2 * y, "y": y}, ""),
        "ranks": ({"t": np.exp(3 * x), "x": x + 0.01 * y, "y": y}, "'x' gives the target away: their ranks have a"),
        "no ranks": ({"t": np.exp(3 * x), "x": x + 0.5 * y, "y": y}, ""),
        "many to one": (
            {"t": n % 3 == 0, "status": np.array(["active", "fired", "quit"])[n % 3], "y": y},
            "'status' gives the target away: each of its values goes with one class alone",
        ),
        "sum": ({"t": x + y, "x": x, "y": y}, "the target 't' is x + y in every row"),
    }
    for case, (columns, words) in cases.items():
        report, _ = problems(tmp_path, columns)
        said = [p.message for p in report.problems if p.kind == "leakage"]
        assert words in said[0] if words else not said, (case, said)


def test_duplicates_between_parts(tmp_path: Path) -> None:
    twice = {name: [*values, *values] for name, values in CLEAN.items()}
    report, found = problems(tmp_path, twice)
    assert {kind for kind, _ in found} == {"duplicates"}
    pl.DataFrame(CLEAN).write_parquet(tmp_path / "b.parquet")
    pl.DataFrame(CLEAN)[:7].write_csv(tmp_path / "c.csv")
    section = {
        "source": None,
        "train": {"type": "parquet", "path": "b.parquet"},
        "test": {"type": "csv", "path": "c.csv"},
    }
    report, _train = problems(tmp_path, CLEAN, **section)
    said = "7 rows of the test split (100.0%) also in the training split, equal in the columns learned from"
    assert [p.message for p in report.problems] == [f"{said}; 7 of them in all columns of the file"]
    numbered = pl.DataFrame({**CLEAN, "id": [f"n{i % 4}" for i in range(N)]})
    numbered.write_parquet(tmp_path / "b.parquet")
    numbered[:7].with_columns(id=pl.Series(["n0", *["other"] * 6])).write_csv(tmp_path / "c.csv")
    report, _train = problems(tmp_path, CLEAN, exclude=["id"], **section)
    assert [p.message for p in report.problems] == [f"{said}; 1 of them in all columns of the file"]


def test_duplicate_images(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RANDOM.integers(0, 255, (30, 2, 2)).repeat(2, axis=0))
    np.save(tmp_path / "t.npy", (np.arange(60) // 2) % 2)
    section = {"source": {"type": "npy", "path": "x.npy", "labels": "t.npy"}}
    report = load(DataSpec.model_validate(section), tmp_path, 0, np.float64).report
    assert {p.kind for p in report.problems} == {"duplicates"}


@pytest.mark.parametrize(("shape", "constant", "told"), [((9,), 3, 3), ((3, 3), 3, 0), ((3, 3), 9, 9), ((9,), 0, 0)])
def test_constant_features(tmp_path: Path, shape: tuple[int, ...], constant: int, told: int) -> None:
    """The border of images may well be the same in all."""
    x = RANDOM.integers(0, 255, (60, *shape))
    x.reshape(60, -1)[:, :constant] = 5
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "t.npy", np.arange(60) % 2)
    section = {"source": {"type": "npy", "path": "x.npy", "labels": "t.npy"}}
    report = load(DataSpec.model_validate(section), tmp_path, 0, np.float64).report
    messages = [p.message for p in report.problems if p.kind == "constant"]
    assert messages == [f"{told} of 9 features are the same in every training example"] * (told > 0)


def test_classes(tmp_path: Path) -> None:
    labels = ["no"] * 57 + ["yes"] * 3
    report, found = problems(tmp_path, {**CLEAN, "t": labels})
    assert found == {("classes", None)}
    assert report.classes["output"]["train"] == {"no": 40, "yes": 2}
    section = {"split": {"stratify": False, "validation": 0.4, "test": 0.4}}
    messages = [
        p.message
        for seed in range(9)
        for p in problems(tmp_path, {**CLEAN, "t": ["no"] * 58 + ["yes", "maybe"]}, **section)[0].problems
    ]
    assert any("has no example in the training split" in m for m in messages)


def test_rare_categories_that_training_did_not_get(tmp_path: Path) -> None:
    report, found = problems(tmp_path, {**CLEAN, "city": [f"c{i // 2}" for i in range(N)]})
    assert ("unseen", "city") in found
    assert any("taken as `unseen: other`" in p.message for p in report.problems)


def test_rows_left_out_are_counted(tmp_path: Path) -> None:
    def found(**section: Any) -> dict[str, str]:
        columns = "x,t\n" + "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in range(N)) + malformed
        (tmp_path / "a.csv").write_text(columns)
        section = {"source": {"type": "csv", "path": "a.csv"}, "target": "t", "malformed": "skip", **section}
        report = load(DataSpec.model_validate(section), tmp_path, 0, np.float64).report
        return {p.kind: p.message for p in report.problems if p.kind in ("malformed", "dropped")}

    malformed = ""
    assert found() == {}
    malformed = "1\n2,\n"
    one = "1 left out as malformed: a.csv, line 62: 1 field where the header has 2"
    assert found(missing_target="drop") == {"malformed": one, "dropped": "1 row left out, as it has no target"}
    malformed = "1\n1,2,3\n2,\n3,\n"
    assert found(missing_target="drop") == {
        "malformed": "2 left out as malformed; the first: a.csv, line 62: 1 field where the header has 2",
        "dropped": "2 rows left out, as they have no target",
    }


def test_missing_values_are_counted(tmp_path: Path) -> None:
    report, _ = problems(tmp_path, {**CLEAN, "x": [None, None, *CLEAN["x"][2:]]})
    assert report.missing == {"x": 2}
