"""Rows of the source are found again."""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest
from PIL import Image

from nnctl.data.dataset import Dataset
from nnctl.data.tables import table_of
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.runs.trained import open_trained
from nnctl.use.evaluation import file_data, own_data
from nnctl.use.rows import example, rows_of_source
from tests.networks import arrays, input_of
from tests.plot.made import conv_run, pictures
from tests.runs.made import make_run

TABLE = """\
name: table
seed: 3
data: {source: {type: csv, path: table.csv}, target: y, missing_target: drop, split: {validation: 0.3, test: 0.3}}
model: {hidden: [2]}
"""
CSV = "number,word,y\n" + "".join(
    f"{(i * 37) % 50},{'ab'[i % 2]},{'' if i % 7 == 3 else ('no', 'yes')[i % 2]}\n" for i in range(60)
)


def x_of(data: Dataset) -> Array:
    x: Array = data.take(slice(None), np.float32).inputs["input"]
    return x


def truth_of(data: Dataset) -> Array:
    return data.truths["output"].values


SPLITS = ["train", "validation", "test"]


@pytest.mark.parametrize("split", SPLITS)
def test_the_rows_of_a_table(tmp_path: Path, split: Literal["train", "validation", "test"]) -> None:
    run = make_run(tmp_path, TABLE, table_csv=CSV)
    model = open_trained(run)
    _, data = own_data(model, run, split, pytest.fail)
    numbers = data.numbers
    frame = pl.read_csv(tmp_path / "table.csv")
    for i, number in enumerate(numbers):
        number_, word, y = frame.row(int(number) - 1)
        table = pl.DataFrame({"number": [number_], "word": [word], "y": [y]})
        np.testing.assert_array_equal(
            model.fitted.inputs["input"].inputs(table_of(table, ""), np.float32)[0], x_of(data)[i]
        )
        assert y == model.target.class_names[truth_of(data)[i]]


def test_rows_that_are_alike_are_told_apart(tmp_path: Path) -> None:
    csv = "a,y\n" + "1,0\n1,1\n" * 20  # in nothing but the target
    run = make_run(tmp_path, TABLE.replace("missing_target: drop, ", ""), table_csv=csv)
    model = open_trained(run)
    _, data = own_data(model, run, "train", pytest.fail)
    numbers = data.numbers
    assert len(set(numbers)) == len(data)
    assert all((number - 1) % 2 == truth for number, truth in zip(numbers, truth_of(data), strict=True))


def test_a_category_that_training_lacks(tmp_path: Path) -> None:
    csv = "word,y\n" + "".join(f"w{i},{i % 2}\n" for i in range(40))
    run = make_run(tmp_path, TABLE.replace("missing_target: drop, ", ""), table_csv=csv)
    model = open_trained(run)
    _, data = own_data(model, run, "test", pytest.fail)
    assert not x_of(data).any()
    numbers = data.numbers
    assert all((number - 1) % 2 == truth for number, truth in zip(numbers, truth_of(data), strict=True))


@pytest.mark.parametrize("split", SPLITS)
def test_the_rows_of_an_array(tmp_path: Path, split: Literal["train", "validation", "test"]) -> None:
    run = conv_run(tmp_path)
    model = open_trained(run)
    _, data = own_data(model, run, split, pytest.fail)
    numbers = data.numbers
    raw, kinds = pictures()
    np.testing.assert_array_equal(x_of(data), input_of(model.fitted).transform(raw[numbers - 1], np.float32))
    assert [model.target.class_names[t] for t in truth_of(data)] == kinds[numbers - 1].tolist()
    assert data.files is None


def test_one_example_and_some(tmp_path: Path) -> None:
    run = conv_run(tmp_path)
    model = open_trained(run)
    rows = rows_of_source(model, run, "test")
    raw, kinds = pictures()
    for number in (1, 30):
        one = example(rows, number)
        x, t, w = arrays(one.take(slice(None), np.float32))
        np.testing.assert_array_equal(x, input_of(model.fitted).transform(raw[number - 1 : number], np.float32))
        assert model.target.class_names[truth_of(one)[0]] == kinds[number - 1]
        assert (len(t), w) == (1, None)
    with pytest.raises(ConfigError, match="--example 31: there is no such row; .* the last is 30"):
        example(rows, 31)


def test_some_of_a_table_with_weights(tmp_path: Path) -> None:
    csv = "a,w,y\n" + "".join(f"{i},{i + 1},{i % 2}\n" for i in range(20))
    config = TABLE.replace("missing_target: drop", "weight: w")
    run = make_run(tmp_path, config, table_csv=csv)
    data = rows_of_source(open_trained(run), run, "train")
    few = data.subset(np.array([4, 2]))
    np.testing.assert_array_equal(x_of(few), x_of(data)[[4, 2]])
    assert truth_of(few).tolist() == [0, 0]
    assert few.numbers.tolist() == [5, 3]
    assert few.w is not None
    assert few.w.tolist() == [5, 3]


def test_rows_without_a_target_are_counted(tmp_path: Path) -> None:
    run = make_run(tmp_path, TABLE, table_csv=CSV)
    rows = rows_of_source(open_trained(run), run, "test")
    assert rows.numbers.tolist() == [i + 1 for i in range(60) if i % 7 != 3]
    with pytest.raises(ConfigError, match="--example 4"):
        example(rows, 4)


def test_files_of_images(tmp_path: Path) -> None:
    raw, kinds = pictures()
    for i, kind in enumerate(kinds):
        (tmp_path / "images" / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(raw[i, ..., 0]).save(tmp_path / "images" / kind / f"{i:02}.png")
    config = "name: files\ndata: {source: {type: image_folder, path: images, color: grey}}\nmodel: {hidden: [2]}\n"
    run = make_run(tmp_path, config)
    model = open_trained(run)
    expected = [f"{kind}/{i:02}.png" for kind in ("ant", "bee", "cat") for i in range(30) if kinds[i] == kind]
    assert list(file_data(model, str(tmp_path / "images")).files or ()) == expected
    _, data = own_data(model, run, "test", pytest.fail)
    assert list(data.files or ()) == expected
    for i, number in enumerate(data.numbers):
        assert model.target.class_names[truth_of(data)[i]] == expected[number - 1].split("/")[0]
