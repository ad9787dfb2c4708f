"""Real tables as a stranger would read them; NNCTL_REAL_DATA names the folder they are in."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data.fitted import Fitted
from nnctl.data.loading import load
from nnctl.data.spec import DataSpec

FOLDER = Path(os.environ.get("NNCTL_REAL_DATA", "no such folder"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="NNCTL_REAL_DATA is not set")

#: Rows, inputs, task and missing values, from the tables' own descriptions and `grep -c`.
TABLES: dict[str, Any] = {
    "iris/iris_header.csv": ("target", {}, 150, 4, "classification", 0),
    "wine/wine_header.csv": ("target", {}, 178, 13, "classification", 0),
    "breast_cancer/breast_cancer_header.csv": ("target", {}, 569, 30, "classification", 0),
    "penguins/penguins.csv": ("species", {}, 344, 9, "classification", 19),
    "mpg/mpg.csv": ("mpg", {"exclude": ["name"]}, 398, 9, "regression", 6),
    "california_housing/housing.csv": ("median_house_value", {}, 20640, None, "regression", 207),
    "student_admissions/student_data.csv": ("admit", {}, 400, 3, "classification", 0),
    "adult/adult_train_header.csv": ("income", {}, 32561, None, "classification", 4262),
    "digits/digits.csv.gz": ("column_65", {"header": False}, 1797, 64, "classification", 0),
    "timeseries/airline-passengers.csv": ("Passengers", {}, 144, None, "regression", 0),
}


@pytest.mark.parametrize("path", TABLES)
def test_table(path: Any) -> None:
    target, settings, rows, inputs, task, missing = TABLES[path]
    header = {"header": settings["header"]} if "header" in settings else {}
    section = {
        "source": {"type": "csv", "path": path, **header},
        "target": target,
        "exclude": settings.get("exclude", []),
    }
    data = load(DataSpec.model_validate(section), FOLDER, 7, np.float32)
    assert sum(data.report.rows.values()) == rows
    assert data.targets["output"].task == task
    assert sum(data.report.missing.values()) == missing
    assert inputs is None or data.inputs["input"].shape == (inputs,)
    assert np.isfinite(data.train.inputs["input"].values).all()
    assert Fitted.model_validate_json(data.fitted.model_dump_json()) == data.fitted


def test_images() -> None:
    def part(name: Any) -> Any:
        files = f"fashion_mnist/{name}-images-idx3-ubyte.gz", f"fashion_mnist/{name}-labels-idx1-ubyte.gz"
        return {"type": "idx", "path": files[0], "labels": files[1]}

    data = load(DataSpec.model_validate({"source": part("train"), "test": part("t10k")}), FOLDER, 0, np.float32)
    assert data.report.rows == {"train": 51000, "validation": 9000, "test": 10000}
    assert set(data.report.classes["output"]["validation"].values()) == {900}
    assert data.inputs["input"].shape == (28, 28)
