"""Which examples are pictures, and how inputs become pixels again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnctl.engine.batch import INPUT
from nnctl.errors import ConfigError, DataError
from nnctl.plot.pictures import picture_shape, pixels, read_picture
from tests.networks import input_of
from tests.plot.made import CONV, conv_model, dense_model, pictures

GRID = [f"p{i}{j}" for i in range(4) for j in range(4)]
COLUMNS = [
    (GRID, (4, 4, 1)),
    ([f"pixel_{i}" for i in range(25)], (5, 5, 1)),
    (GRID[:15], None),  # no square
    ([f"p{i}" for i in range(9)], None),  # too few
    (["width", *GRID[1:]], None),  # named differently
    ([chr(97 + i) for i in range(16)], None),  # without numbers
]


@pytest.mark.parametrize(("names", "shape"), COLUMNS)
def test_columns_that_are_pictures(tmp_path: Path, names: Sequence[str], shape: tuple[int, int, int] | None) -> None:
    assert picture_shape(dense_model(tmp_path, names), INPUT) == shape


LAYERS = [
    ((8, 6), "[flatten, dense]", (8, 6, 1)),
    ((8, 6), "[{type: conv1d, filters: 2}, flatten, dense]", None),
    ((8, 6), "[{type: conv2d, filters: 2}, flatten, dense]", (8, 6, 1)),
    ((8, 6), "[{type: reshape, shape: [48]}, dense]", (8, 6, 1)),
    ((8, 6, 1), "[flatten, dense]", (8, 6, 1)),
    ((8, 6, 3), "[{type: conv2d, filters: 2}, flatten, dense]", (8, 6, 3)),
    ((8, 6, 2), "[flatten, dense]", None),
    ((16,), "[dense]", None),
]


@pytest.mark.parametrize(("shape", "layers", "found"), LAYERS)
def test_arrays_that_are_pictures(
    tmp_path: Path, shape: tuple[int, ...], layers: str, found: tuple[int, int, int] | None
) -> None:
    config = CONV[: CONV.index("model:")] + f"model: {{layers: {layers}}}\n"
    assert picture_shape(conv_model(tmp_path, config, shape), INPUT) == found


@pytest.mark.parametrize("method", ["standardize", "min_max", "robust", "scale", "none"])
def test_the_normalisation_is_undone(tmp_path: Path, method: str) -> None:
    model = conv_model(tmp_path, CONV.replace("standardize", method))
    raw, _ = pictures(5)
    raw[0, 0, 0, 0], raw[0, 0, 1, 0] = 0, 255
    found = pixels(model, INPUT, input_of(model.fitted).transform(raw, np.float32))
    np.testing.assert_allclose(found, raw[..., 0] / 255, atol=1e-6)


def test_that_of_columns_too(tmp_path: Path) -> None:
    model = dense_model(tmp_path, GRID)
    raw, _ = pictures(shape=(16,))
    centre, scale = ([getattr(c, key) for c in input_of(model.fitted).columns] for key in ("centre", "scale"))
    found = pixels(model, INPUT, (raw - centre) / scale)
    np.testing.assert_allclose(found, ((raw - raw.min()) / np.ptp(raw)).reshape(-1, 4, 4), atol=1e-12)


def test_a_picture_of_one_grey(tmp_path: Path) -> None:
    assert (pixels(conv_model(tmp_path), INPUT, np.zeros((1, 8, 6, 1))) < np.inf).all()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("factor", [1, 4])
def test_a_file_is_read_as_an_example(tmp_path: Path, mode: str, factor: int) -> None:
    model = conv_model(tmp_path)
    raw, _ = pictures(1)
    image = Image.fromarray(raw[0, ..., 0]).resize((6 * factor, 8 * factor), Image.Resampling.NEAREST)
    image.convert(mode).save(tmp_path / "a.png")
    x = read_picture(tmp_path / "a.png", model, INPUT)
    assert x.dtype == np.float32
    expected = input_of(model.fitted).transform(raw, np.float32)
    np.testing.assert_allclose(x, expected, atol=0 if factor == 1 else 1.5)


def test_files_that_are_none(tmp_path: Path) -> None:
    model = conv_model(tmp_path)
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(DataError, match="a.png: is text and no image"):
        read_picture(tmp_path / "a.png", model, INPUT)
    with pytest.raises(DataError, match=r"b.png: cannot be read: No such file"):
        read_picture(tmp_path / "b.png", model, INPUT)


def test_models_of_tables_take_no_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this model takes columns of a table, no pictures; use --example N"):
        read_picture(tmp_path / "a.png", dense_model(tmp_path, GRID), INPUT)
