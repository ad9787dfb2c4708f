"""What `init` offers for dates, groups and skewed numbers; taking the # away is enough to have it."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from nnctl.suggest.hints import skewed, skewness
from tests.process import nnctl

RANDOM = np.random.default_rng(0)
AMOUNTS = np.exp(RANDOM.normal(3, 1.2, 300))


def test_the_skewness_of_an_exponential_distribution_is_2_and_of_a_mirrored_one_0() -> None:
    x = -np.log(1 - (np.arange(100_000) + 0.5) / 100_000)
    assert skewness(x) == pytest.approx(2, abs=0.05)
    assert skewness(np.concatenate([x, -x])) == pytest.approx(0, abs=1e-9)
    assert skewness(np.ones(5)) == 0


def test_only_what_logarithms_mend_is_offered_them() -> None:
    kind, figures = skewed(AMOUNTS) or ("", "")
    assert kind == "log"
    assert figures == f"skewness {skewness(AMOUNTS):.1f}, of the logarithms {skewness(np.log(AMOUNTS)):.1f}"
    assert (skewed(np.append(AMOUNTS, 0.0)) or ("", ""))[0] == "log1p"
    assert skewed(np.append(AMOUNTS, -1.0)) is None
    assert skewed(RANDOM.normal(size=300)) is None
    assert skewed(np.append(np.zeros(299), 1.0)) is None  # one odd number stays odd
    assert skewed(np.zeros(0)) is None


def without_marks(text: str, *keys: str) -> str:
    """The file with the comments of some keys made lines of it."""
    lines = text.splitlines()
    bare = [line.replace("# ", "", 1) for line in lines]
    chosen = [
        b if b.strip().split(":")[0] in keys and x.strip().startswith("#") else x
        for x, b in zip(lines, bare, strict=True)
    ]
    return "\n".join(chosen) + "\n"


def test_dates_are_features_and_a_split_by_time_is_offered(tmp_path: Path) -> None:
    rows = "".join(f"{1 + i % 28:02d}.{1 + i % 12:02d}.2021,{price:.2f}\n" for i, price in enumerate(AMOUNTS))
    (tmp_path / "sales.csv").write_text("when,price\n" + rows)
    text = nnctl("init", "sales.csv", "--target", "price", cwd=tmp_path).stdout
    assert yaml.safe_load(text)["data"]["types"] == {"when": "date_dmy"}
    assert "when: date_dmy  # 2021-01-01 to 2021-12-28" in text
    (tmp_path / "sales.yaml").write_text(without_marks(text, "by", "column", "target"))
    data = yaml.safe_load((tmp_path / "sales.yaml").read_text())["data"]
    assert data["split"] | {"validation": 0, "test": 0} == {"by": "time", "column": "when", "validation": 0, "test": 0}
    assert data["preprocess"]["target"] == "log"
    assert "split by time, column when: train 2021-01-01 to" in nnctl("check", "sales.yaml", cwd=tmp_path).stdout


def test_a_repeated_name_offers_a_split_by_group_and_skewed_columns_logarithms(tmp_path: Path) -> None:
    rows = "".join(f"c{i % 60},{x:.2f},{i % 7}.5\n" for i, x in enumerate(AMOUNTS))
    (tmp_path / "visits.csv").write_text("customer,income,y\n" + rows)
    text = nnctl("init", "visits.csv", "--target", "y", cwd=tmp_path).stdout
    (tmp_path / "visits.yaml").write_text(without_marks(text, "by", "column", "columns", "income", "numeric"))
    data = yaml.safe_load((tmp_path / "visits.yaml").read_text())["data"]
    assert data["split"]["by"] == "group"
    assert data["split"]["column"] == "customer"
    assert data["preprocess"]["columns"] == {"income": {"numeric": "log"}}
    assert "split by group, column customer: train" in nnctl("check", "visits.yaml", cwd=tmp_path).stdout
