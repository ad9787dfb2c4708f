"""Images that a column names, beside the columns of the same table."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from nnctl.data.inputs.image import Image
from nnctl.data.loading import LoadedData, load
from nnctl.data.spec import DataSpec
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError

ROWS = 24
PICTURES = np.random.default_rng(4).integers(0, 256, (ROWS, 5, 7), np.uint8)
INPUTS: dict[str, Any] = {"facts": {"columns": ["n"]}, "photo": {"type": "image", "column": "file", "color": "grey"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub" / "photos").mkdir(parents=True)
    for i, picture in enumerate(PICTURES):
        Pillow.fromarray(picture).save(tmp_path / "sub" / "photos" / f"{i}.png")
    lines = [f"photos/{i}.png,{i},{'ab'[i % 2]}" for i in range(ROWS)]
    (tmp_path / "sub" / "t.csv").write_text("\n".join(["file,n,t", *lines]) + "\n")
    return tmp_path


def loaded(folder: Path, inputs: dict[str, Any] = INPUTS, **section: Any) -> LoadedData:
    source = {"type": "csv", "path": "sub/t.csv"}
    spec = {"source": source, "target": "t", "inputs": inputs, **section}
    return load(DataSpec.model_validate(spec), folder, 3, np.float64)


def inputs_of(data: LoadedData, split: str = "train") -> tuple[Array, Array, Array]:
    dataset = getattr(data, split)
    facts, photo = (dataset.inputs[name].take(slice(None), np.float64) for name in INPUTS)
    return facts, photo, dataset.numbers - 1


def test_pictures_stand_beside_the_numbers_of_their_row(folder: Path) -> None:
    data = loaded(folder)
    column: Any = data.fitted.inputs["facts"]
    for split in ("train", "validation", "test"):
        facts, photo, rows = inputs_of(data, split)
        np.testing.assert_allclose(photo, PICTURES[rows] / 255)
        np.testing.assert_allclose(column.undone(facts)[:, 0], rows)
    assert {name: fitted.shape for name, fitted in data.inputs.items()} == {"facts": (1,), "photo": (5, 7)}


def test_numbers_of_the_training_split_scale_the_pictures(folder: Path) -> None:
    data = loaded(folder, {**INPUTS, "photo": {**INPUTS["photo"], "numeric": "standardize", "by": "channel"}})
    _, photo, rows = inputs_of(data)
    train = PICTURES[rows].astype(float)
    np.testing.assert_allclose(photo, (train - train.mean()) / train.std(), rtol=1e-12)


def test_a_picture_that_is_damaged_is_refused_or_left_out_with_its_row(folder: Path) -> None:
    (folder / "sub" / "photos" / "3.png").write_bytes(b"no picture")
    (folder / "sub" / "photos" / "8.png").unlink()
    with pytest.raises(DataError, match=r"t\.csv, line 10: photos/8\.png: no such file"):
        loaded(folder)
    data = loaded(folder, malformed="skip")
    assert sum(data.report.rows.values()) == ROWS - 2
    assert [place.split(":")[0] for place in sorted(data.report.malformed)] == [
        "sub/t.csv, line 10", "sub/t.csv, line 5, photos/3.png",
    ]  # fmt: skip
    for split in ("train", "validation", "test"):
        _, photo, rows = inputs_of(data, split)
        assert not {3, 8} & set(rows.tolist())
        np.testing.assert_allclose(photo, PICTURES[rows] / 255)


def test_arrays_have_no_column_of_paths(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((9, 2)))
    spec = {"source": {"type": "npy", "path": "x.npy"}, "inputs": {"photo": INPUTS["photo"]}}
    with pytest.raises(ConfigError, match=r"data\.inputs\.photo: names a column, and x\.npy is an array"):
        load(DataSpec.model_validate(spec), tmp_path, 0, np.float64)


def test_only_training_batches_are_augmented(folder: Path) -> None:
    photo = {**INPUTS["photo"], "augment": [{"type": "flip", "horizontal": True}]}
    data = loaded(folder, {**INPUTS, "photo": photo})
    assert len(data.train.inputs["photo"].augmentations) == 1
    assert data.test is not None
    assert data.test.inputs["photo"].augmentations == ()
    assert Image.model_validate(photo).augmentations == data.train.inputs["photo"].augmentations
