"""Predictions: the same digits whatever the batches, equal to slow plain arithmetic, of every kind of data."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nnctl.data.sources import source_of
from nnctl.engine.parameters import Array
from nnctl.engine.tiles import MOST_ROWS as TILE
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError, DataError
from nnctl.runs.model import Model
from nnctl.runs.trained import open_trained
from nnctl.use.prediction import Prediction, Predictor
from tests.runs.made import make_run

ROWS = 2 * TILE + 77

PEOPLE = """\
seed: 3
data:
  source: {type: csv, path: people.csv}
  target: job
  exclude: [id]
  weight: w
  preprocess: {missing: indicator, columns: {town: {unseen: other}}}
model: {hidden: [64, 3], activation: tanh, init: {type: normal, deviation: 0.7}}
"""
HOUSES = """\
seed: 4
data: {source: {type: csv, path: houses.csv}, target: [price, rent]}
model: {hidden: [5], init: {type: normal, deviation: 1.0}}
"""
SONGS = """\
seed: 5
loss: squared_error
data: {source: {type: csv, path: songs.csv}, target: [loud, fast]}
model: {hidden: [5], init: {type: normal, deviation: 1.0}}
"""


def csv_of(columns: Sequence[str], rows: Sequence[Sequence[Any]], header: bool = True) -> str:
    lines = [",".join(columns)] if header else []
    return "\n".join([*lines, *(",".join(map(str, row)) for row in rows)]) + "\n"


def people(rows: int, seed: int = 0) -> tuple[list[str], list[tuple[int, str, str, str, str, int]]]:
    """Columns and rows with numbers, gaps and categories."""
    random = np.random.default_rng(seed)
    towns, jobs = ["Ulm", "Rom", "York, N.Y."], ["baker", "smith", "clerk"]
    made = [
        (
            i,
            f"{random.normal(40, 12):.3f}" if random.random() > 0.1 else "",
            f"{random.normal():.4f}",
            '"' + towns[random.integers(3)] + '"',
            jobs[random.integers(3)],
            1,
        )
        for i in range(rows)
    ]
    return ["id", "age", "height", "town", "job", "w"], made


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("people")
    return open_trained(make_run(folder, PEOPLE, people_csv=csv_of(*people(200))))


@pytest.fixture
def frame(tmp_path: Path) -> Callable[..., pl.DataFrame]:
    """Predicts for the text of a file, and returns one frame."""

    def call(
        model: Model, text: str, rows: int = 1 << 15, name: str = "new.csv", threads: int = 1, **options: Any
    ) -> pl.DataFrame:
        (tmp_path / name).write_text(text)
        prediction = Prediction(model, source_of(str(tmp_path / name)), **options)
        with Workers(threads) as workers:
            return pl.concat(list(prediction.frames(rows, workers)))

    return call


@pytest.fixture(scope="module")
def new() -> tuple[list[str], list[tuple[int, str, str, str, str, int]]]:
    return people(ROWS, seed=1)


@pytest.fixture(scope="module")
def expected(model: Model, new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]]) -> Array:
    """The probabilities by plain arithmetic in float64, from the rows as text."""
    _, rows = new
    columns: Any = model.fitted.inputs["input"].columns
    age, height, town = columns
    inputs = []
    for _, years, size, place, _, _ in rows:
        x = [(float(years or age.fill) - age.centre) / age.scale, float(not years)]
        x += [(float(size) - height.centre) / height.scale]
        inputs.append(x + [float(place.strip('"') == category) for category in town.categories])
    y = np.array(inputs)
    views = model.network.layout.views(model.theta.astype(np.float64))
    weights = [views[name] for name in model.network.nodes if "weight" in views[name]]
    for i, p in enumerate(weights):
        y = y @ p["weight"] + p["bias"]
        y = np.tanh(y) if i < len(weights) - 1 else y
    e = np.exp(y)
    probabilities: Array = e / e.sum(axis=1, keepdims=True)
    return probabilities


def test_against_plain_arithmetic(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    frame: Callable[..., pl.DataFrame],
    expected: Array,
) -> None:
    found = frame(model, csv_of(*new))
    assert found.columns == ["prediction", "probability_baker", "probability_clerk", "probability_smith"]
    np.testing.assert_allclose(found[:, 1:].to_numpy(), expected, atol=2e-6)
    sure = np.sort(expected, axis=1)
    sure = sure[:, -1] - sure[:, -2] > 1e-5
    classes = np.array(["baker", "clerk", "smith"])
    assert (found["prediction"].to_numpy()[sure] == classes[expected.argmax(axis=1)][sure]).all()


@pytest.mark.parametrize(("rows", "threads"), [(1, 1), (7, 1), (TILE - 1, 2), (TILE, 1), (TILE + 1, 1), (1000, 3)])
def test_batches_and_threads_change_no_bit(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    frame: Callable[..., pl.DataFrame],
    rows: int,
    threads: int,
) -> None:
    columns, made = new
    made = made[:80] if rows == 1 else made
    whole = frame(model, csv_of(columns, made))
    assert frame(model, csv_of(columns, made), rows=rows, threads=threads).equals(whole)


@pytest.mark.parametrize("layer", [{"lstm": 8}, "global_average_pool"])
def test_batches_and_threads_change_no_bit_of_sequences(
    tmp_path: Path, frame: Callable[..., pl.DataFrame], layer: str | dict[str, int]
) -> None:
    """Their rows share products of as many steps as a tile of them has."""
    random, words = np.random.default_rng(8), np.array(["a", "dog", "cat", "ran", "sat"])
    lines = [
        json.dumps({"text": " ".join(random.choice(words, random.integers(9))), "y": float(random.normal())})
        for _ in range(ROWS)
    ]
    config = f"""
data:
  source: {{type: jsonl, path: texts.jsonl}}
  inputs: {{text: {{type: text, column: text}}}}
  target: y
model: {{layers: [{{embedding: 8}}, {json.dumps(layer)}, {{dense: 8}}, tanh]}}
"""
    text = "\n".join(lines) + "\n"
    model = open_trained(make_run(tmp_path, config, texts_jsonl=text))
    whole = frame(model, text, name="new.jsonl")
    for rows, threads in ((1, 1), (TILE - 1, 2), (TILE, 1), (TILE + 1, 1), (1000, 3)):
        assert frame(model, text, rows=rows, name="new.jsonl", threads=threads).equals(whole), rows


def test_a_row_depends_on_no_other(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    frame: Callable[..., pl.DataFrame],
) -> None:
    columns, made = new
    others = people(ROWS, seed=2)[1]
    mixed = [mine if i % 3 else other for i, (mine, other) in enumerate(zip(made, others, strict=True))]
    mine = [i for i in range(ROWS) if i % 3]
    assert frame(model, csv_of(columns, mixed))[mine].equals(frame(model, csv_of(columns, made))[mine])


def test_cuts_change_no_bit_of_wide_products(tmp_path: Path) -> None:
    """Where some kernels have other code for the last rows of a block."""
    random = np.random.default_rng(7)
    np.save(tmp_path / "x.npy", random.normal(size=(30, 784)))
    np.save(tmp_path / "t.npy", np.arange(30) % 3)
    config = """
data: {source: {type: npy, path: x.npy, labels: t.npy}}
model: {hidden: [300, 64], init: {type: normal, deviation: 0.1}}
"""
    model = open_trained(make_run(tmp_path, config))
    x = random.normal(size=(ROWS, 784)).astype(np.float32)
    whole = Predictor(model)({"input": x})["output"]
    for cut in (1, 5, TILE - 1, TILE, TILE + 259, ROWS - 1):
        with Workers(2) as workers:
            predict = Predictor(model, workers)
            parts = [predict({"input": x[:cut]})["output"], predict({"input": x[cut:]}, cut)["output"]]
        assert np.concatenate(parts).tobytes() == whole.tobytes(), cut


def test_columns_in_any_order_extra_ones_and_ones_to_keep(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    tmp_path: Path,
    frame: Callable[..., pl.DataFrame],
) -> None:
    columns, made = new
    plain = frame(model, csv_of(columns, made))
    order = [4, 3, 0, 2, 1, 5]
    text = csv_of(["note", *(columns[i] for i in order)], [["hi", *(row[i] for i in order)] for row in made])
    (tmp_path / "t.csv").write_text(text)
    prediction = Prediction(model, source_of(str(tmp_path / "t.csv")), keep=["id", "town", "id"])
    found = pl.concat(list(prediction.frames()))
    assert list(prediction.ignored) == ["note"]
    assert found.columns == ["id", "town", *plain.columns]
    assert found[:, 2:].equals(plain)
    assert found["id"].to_list() == [str(row[0]) for row in made]


def test_without_probabilities(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    frame: Callable[..., pl.DataFrame],
) -> None:
    assert frame(model, csv_of(*new), probabilities=False).columns == ["prediction"]


def test_a_number_to_keep_is_copied_as_it_is_written(model: Model, frame: Callable[..., pl.DataFrame]) -> None:
    assert frame(model, "age,height,town\n040.50,1,Ulm\n", keep=["age"])["age"].to_list() == ["040.50"]


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (["prediction"], "--keep prediction: the predictions have a column of that name"),
        (["probability_clerk"], "--keep probability_clerk: the predictions have"),
        (["ide"], "--keep: .*has no column 'ide'; did you mean 'id'?"),
    ],
)
def test_what_cannot_be_kept(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    tmp_path: Path,
    keep: Sequence[str],
    message: str,
) -> None:
    (tmp_path / "t.csv").write_text(csv_of(*new))
    prediction = Prediction(model, source_of(str(tmp_path / "t.csv")), keep=keep)
    with pytest.raises(ConfigError, match=message):
        prediction.check()
        next(prediction.frames())


def test_missing_columns_are_all_named_with_the_nearest(model: Model, frame: Callable[..., pl.DataFrame]) -> None:
    with pytest.raises(DataError, match=r"no columns 'age' \(did you mean 'agge'\?\), 'town'"):
        frame(model, "agge,height\n1,2\n")


def test_new_categories(model: Model, frame: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    other = frame(model, "age,height,town\n30,0.5,Nowhere\n")
    assert other.height == 1
    folder = tmp_path / "strict"
    folder.mkdir()
    config = PEOPLE.replace("unseen: other", "unseen: error")
    strict = open_trained(make_run(folder, config, people_csv=csv_of(*people(200))))
    with pytest.raises(DataError, match=r"new.csv, line 3: column 'town' holds 'Urm'.*did you mean 'Ulm'\?"):
        frame(strict, "age,height,town\n30,0.5,Ulm\n30,0.5,Urm\n")


def test_rows_whose_outputs_are_no_numbers_are_named(
    model: Model, frame: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:
    """Such as those of weights that are not numbers: the largest of them would be the first class."""
    broken = replace(model, theta=np.full_like(model.theta, np.nan))
    with pytest.raises(DataError, match="new.csv, line 2: the network's output is not a finite number"):
        frame(broken, "age,height,town\n30,0.5,Ulm\n")


def test_no_rows(model: Model, frame: Callable[..., pl.DataFrame]) -> None:
    empty = frame(model, "id,age,height,town\n", keep=["id"])
    assert empty.height == 0
    assert empty.columns == ["id", "prediction", "probability_baker", "probability_clerk", "probability_smith"]
    assert empty.schema["probability_baker"] == pl.Float32


def test_json_lines_lack_keys_row_by_row(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    frame: Callable[..., pl.DataFrame],
) -> None:
    """An absent key is a missing value in whatever batch it stands; a key that is nowhere is a missing column."""
    columns, made = new
    numbers = {"id": int, "age": float, "height": float, "w": float}
    objects = [
        {c: numbers.get(c, str)(str(v).strip('"')) for c, v in zip(columns, row, strict=True) if v != ""}
        for row in made[:90]
    ]
    text = "".join(json.dumps(o) + "\n" for o in objects)
    whole = frame(model, csv_of(columns, made[:90]))
    for rows in (1, 8, 1000):
        assert frame(model, text, rows=rows, name="new.jsonl").equals(whole), rows
    with pytest.raises(DataError, match="no column 'town'"):
        frame(model, '{"age": 1, "height": 2}\n{"height": 2}\n', rows=1, name="new.jsonl")
    assert frame(model, "", name="new.jsonl").height == 0


def test_several_numbers(tmp_path: Path, frame: Callable[..., pl.DataFrame]) -> None:
    rows = [(i, 0.5 * i, 100.0 + i, 1e9 + i) for i in range(30)]
    model = open_trained(make_run(tmp_path, HOUSES, houses_csv=csv_of(["a", "b", "price", "rent"], rows)))
    found = frame(model, csv_of(["a", "b"], [row[:2] for row in rows]))
    assert found.columns == ["prediction_price", "prediction_rent"]
    assert found.schema["prediction_rent"] == pl.Float64, "float32 has no room for 1e9 + 1"
    p = model.network.layout.views(model.theta.astype(np.float64))
    columns = model.fitted.inputs["input"].columns
    x = np.array([[(v - c.centre) / c.scale for v, c in zip(row, columns, strict=False)] for row in rows])
    z = np.maximum(x @ p["dense1"]["weight"] + p["dense1"]["bias"], 0) @ p["dense2"]["weight"] + p["dense2"]["bias"]
    prices, rents = np.array(rows)[:, 2], np.array(rows)[:, 3]
    target: Any = model.target
    expected = z * np.array(target.scale) + np.array(target.centre)
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-5)
    assert abs(expected[:, 0].mean() - prices.mean()) < 5 * prices.std()
    assert abs(expected[:, 1].mean() - rents.mean()) < 5 * rents.std()


def test_labels(tmp_path: Path, frame: Callable[..., pl.DataFrame]) -> None:
    random = np.random.default_rng(2)
    rows = [(*random.normal(size=2).round(3), *random.integers(0, 2, 2)) for _ in range(TILE + 40)]
    model = open_trained(make_run(tmp_path, SONGS, songs_csv=csv_of(["a", "b", "loud", "fast"], rows)))
    found = frame(model, csv_of(["a", "b", "loud", "fast"], rows), keep=["loud"])
    shares = found.select("probability_loud", "probability_fast").to_numpy()
    assert found.columns == ["loud", "prediction_loud", "prediction_fast", "probability_loud", "probability_fast"]
    assert shares.min() < 0.5 < shares.max()
    p = model.network.layout.views(model.theta.astype(np.float64))
    a, b = model.fitted.inputs["input"].columns
    x = np.array([((row[0] - a.centre) / a.scale, (row[1] - b.centre) / b.scale) for row in rows])
    hidden = np.maximum(x @ p["dense1"]["weight"] + p["dense1"]["bias"], 0)
    np.testing.assert_allclose(shares, hidden @ p["dense2"]["weight"] + p["dense2"]["bias"], atol=1e-5)
    assert (found.select("prediction_loud", "prediction_fast").to_numpy() == (shares > 0.5)).all()


@pytest.fixture
def arrays(tmp_path: Path) -> tuple[Model, Array, str]:
    """A model of arrays, and new examples."""
    random = np.random.default_rng(6)
    np.save(tmp_path / "x.npy", random.integers(0, 255, (60, 4, 3)).astype(np.uint8))
    np.save(tmp_path / "t.npy", np.arange(60) % 3)
    config = "data: {source: {type: npy, path: x.npy, labels: t.npy}, split: {validation: 0, test: 0}}\n"
    new = random.integers(0, 255, (TILE + 9, 4, 3)).astype(np.uint8)
    np.save(tmp_path / "new.npy", new)
    return open_trained(make_run(tmp_path, config)), new, str(tmp_path / "new.npy")


def test_arrays(arrays: tuple[Model, Array, str]) -> None:
    model, new, file = arrays
    found = pl.concat(list(Prediction(model, source_of(file)).frames(100)))
    assert found.columns == ["prediction", "probability_0", "probability_1", "probability_2"]
    p = model.network.layout.views(model.theta.astype(np.float64))["dense1"]
    e = np.exp(new.reshape(len(new), -1) / 255 @ p["weight"] + p["bias"])
    np.testing.assert_allclose(found[:, 1:].to_numpy(), e / e.sum(axis=1, keepdims=True), atol=1e-6)
    assert pl.concat(list(Prediction(model, source_of(file)).frames())).equals(found)
    theta = np.full_like(model.theta, np.nan)
    with pytest.raises(DataError, match="new.npy, row 1: the network's output is not a finite number"):
        list(Prediction(replace(model, theta=theta), source_of(file)).frames())


def test_large_images_fill_their_tiles(tmp_path: Path) -> None:
    """Few rows at a time, for memory, but whole tiles of them: what a batch leaves empty of one is computed too."""
    x = np.random.default_rng(2).integers(0, 255, (150, 200, 200)).astype(np.uint8)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", np.arange(150) % 3)
    config = (
        "data: {source: {type: npy, path: x.npy, labels: y.npy}, task: classification, split: {validation: 0, test: 0}}"
        "\nmodel: {layers: [{type: conv2d, filters: 1, kernel: 8, stride: 8}, flatten, {type: dense}]}\n"
    )
    model = open_trained(make_run(tmp_path, config))
    assert Predictor(model).tiles.rows == 48  # 2^21 inputs, in sixteens; 512 by the work alone
    frames = list(Prediction(model, source_of(str(tmp_path / "x.npy"))).frames())
    assert [frame.height for frame in frames] == [48, 48, 48, 6]


def test_arrays_have_no_columns_to_keep_and_tables_are_no_arrays(
    arrays: tuple[Model, Array, str], tmp_path: Path, model: Model
) -> None:
    array_model, _, file = arrays
    with pytest.raises(ConfigError, match="--keep id: the model takes arrays"):
        Prediction(array_model, source_of(file), keep=["id"]).check()
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="holds a table"):
        list(Prediction(array_model, source_of(str(tmp_path / "t.csv"))).frames())
    with pytest.raises(DataError, match="holds an array"):
        list(Prediction(model, source_of(file)).frames())


def test_the_place_of_a_number_that_is_none_is_that_in_the_whole_array(
    arrays: tuple[Model, Array, str], tmp_path: Path
) -> None:
    model, new, _ = arrays
    x = new.astype(np.float32)
    x[TILE + 3] = np.nan
    np.save(tmp_path / "nan.npy", x)
    with pytest.raises(DataError, match=rf"example {TILE + 3} \(counted from 0\)"):
        list(Prediction(model, source_of(str(tmp_path / "nan.npy"))).frames(100))


def test_printed_numbers_read_back_to_the_bit(
    model: Model,
    new: tuple[Sequence[str], Sequence[tuple[int, str, str, str, str, int]]],
    frame: Callable[..., pl.DataFrame],
) -> None:
    found = frame(model, csv_of(*new))
    back = pl.read_csv(StringIO(found.write_csv()), schema=found.schema)
    assert back.equals(found)
    digits = [float(text) for text in found.write_csv(include_header=False).split(",")[1:2]]
    assert np.float32(digits[0]) == found["probability_baker"][0]
