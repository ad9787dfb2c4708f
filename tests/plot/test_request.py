"""Pictures of models with several inputs and outputs."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from nnctl.cli.main import main
from nnctl.errors import ConfigError
from nnctl.plot.canvas import styled
from nnctl.plot.filters import filters_of
from nnctl.plot.request import Request, draw_activations, draw_confusion, draw_curves, draw_features, draw_filters
from tests.runs.made import make_run

CONFIG = """\
name: cars
data:
  source: {type: csv, path: cars.csv}
  inputs:
    facts: {columns: [year, mileage]}
    words: {type: text, column: text}
    photo: {type: image, column: photo, size: [8, 6], color: grey}
    small: {type: image, column: small, size: [4, 3], color: grey}
  outputs:
    price: {target: price, loss: huber, weight: 0.5, metrics: [mae]}
    kind: {target: kind, metrics: [accuracy]}
model:
  inputs:
    words: [{embedding: 3}, global_average_pool]
    photo: [{conv: 4}, relu, {max_pool: 2}, flatten, {dense: 3}]
    small: [{conv: 2}, flatten, {dense: 2}]
  layers: [{dense: 5}, tanh]
"""
ROWS = 40


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, random = tmp_path_factory.mktemp("cars"), np.random.default_rng(0)
    for i in range(ROWS):
        Image.fromarray(random.integers(0, 256, (8, 6), dtype=np.uint8)).save(folder / f"{i}.png")
    frame = pl.DataFrame(
        {
            "year": [1990 + i for i in range(ROWS)],
            "mileage": [(i * 7) % 11 for i in range(ROWS)],
            "text": ["red car " * (1 + i % 3) for i in range(ROWS)],
            "photo": [f"{i}.png" for i in range(ROWS)],
            "small": [f"{i}.png" for i in reversed(range(ROWS))],
            "price": [None if i == 1 else i / 2 for i in range(ROWS)],
            "kind": ["uv"[i % 2] for i in range(ROWS)],
        }
    )
    return make_run(folder, CONFIG, cars_csv=frame.write_csv())


def headings(request: Request) -> list[str]:
    with styled():
        figure = draw_features(request)
    return [title for axes in figure.axes if (title := axes.get_title(loc="left"))]


def test_the_maps_of_the_input_that_is_a_picture(run: Path) -> None:
    caption, *maps = headings(Request(run))
    assert maps == ["photo.conv2d1: 8 × 6 × 4", "photo.max_pool2d1 + relu: 4 × 3 × 4"]
    price, kind = caption.split("; ")
    assert price.startswith("price: predicted ")
    assert price.endswith(", true 0")
    assert kind in ("kind: predicted u, true u", "kind: predicted v, true u")


def test_the_maps_of_the_input_that_is_asked_for(run: Path) -> None:
    assert headings(Request(run, input="small"))[1:] == ["small.conv2d1: 4 × 3 × 2"]


def test_what_is_not_known_is_not_said(run: Path) -> None:
    caption, *_ = headings(Request(run, example=2))
    assert "true" not in caption.split("; ")[0]
    assert caption.endswith(", true v")


def test_a_picture_takes_the_place_of_one_input(run: Path) -> None:
    """All else is of the example."""
    own, other = (Request(run, example=3, image=run.parents[1] / f"{i}.png") for i in (2, 5))
    plain = Request(run, example=3)
    with styled():
        shown = [np.array([a.get_array() for a in draw_features(r).axes[1].images]) for r in (own, other, plain)]
    np.testing.assert_array_equal(shown[0], shown[2])
    assert not np.array_equal(shown[1], shown[2])


def test_the_first_layer_of_each_input(run: Path) -> None:
    model = Request(run).model
    assert filters_of(model, "photo").layer == "photo.conv2d1"
    beside = filters_of(model, "facts")
    assert (beside.layer, beside.pictures, beside.inputs) == ("dense1", None, ())
    with styled():
        figures = [draw_filters(Request(run, input=name)) for name in (None, "facts")]
    notes = [figure.axes[0].get_title(loc="left") for figure in figures]
    assert notes[0].startswith("photo.conv2d1: 4 filters, 3 × 3")
    assert notes[1] == "dense1: 10 inputs, 5 units"


def test_an_input_without_maps_is_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="no layer that reads this input gives maps"), styled():
        draw_features(Request(run, input="facts"))


def test_the_confusion_of_the_output_with_classes(run: Path) -> None:
    for target in (None, "kind"):
        with styled():
            figure = draw_confusion(Request(run, split="train", target=target))
        assert "confusion of kind, train split (n = 28)" in figure.get_suptitle()
    with pytest.raises(ConfigError, match="and price is numbers"):
        draw_confusion(Request(run, target="price"))


def test_names_that_are_not_there(run: Path) -> None:
    with pytest.raises(ConfigError, match="--target: this model has no target 'kin'; did you mean 'kind'"):
        draw_confusion(Request(run, target="kin"))
    with pytest.raises(ConfigError, match="--input: this model has no input 'foto'; did you mean 'photo'"):
        draw_filters(Request(run, input="foto"))


def test_the_activations_of_all_branches(run: Path) -> None:
    with styled():
        figure = draw_activations(Request(run))
    names = [axes.get_title(loc="left") for axes in figure.axes]
    assert {"words.embedding1", "words.global_average_pool1", "join", "price.dense1", "kind.dense1"} <= set(names)


def test_a_panel_for_each_output(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, runs = run.parents[1] / "experiment.yaml", tmp_path / "runs"
    assert main(["train", str(file), "--set", "training.epochs=2", "--runs", str(runs), "--quiet"]) == 0
    with styled():
        figure = draw_curves(Request(Path(capsys.readouterr().out.strip())))
    labels = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes]
    assert labels[:2] == ["loss", "price, loss: huber"]
    assert {"price, mae (units of price)", "kind, loss: binary cross entropy (nats)", "kind, accuracy"} <= set(labels)


def test_from_the_command_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.svg"
    photo = str(run.parents[1] / "4.png")
    what = ["plot", str(run), "--what", "features", "--input", "photo", "--example", "2", "--image", photo]
    assert main([*what, "--output", str(file)]) == 0
    assert file.exists()
    assert main(["plot", str(run), "--what", "confusion", "--target", "kind", "--output", str(file)]) == 0
    assert main(["plot", str(run), "--input", "photo", "--output", str(file)]) == 2
    assert main(["plot", str(run), "--target", "kind", "--output", str(file)]) == 2
    sheet = str(tmp_path / "worst.png")
    assert main(["eval", str(run), "--worst", "3", "--worst-output", sheet]) == 0
    assert Path(sheet).exists()
    assert "use for it" in capsys.readouterr().err
