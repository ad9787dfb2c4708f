"""Feature maps as pictures."""

from pathlib import Path

import numpy as np
import pytest

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.plot.canvas import styled
from nnctl.plot.features import MOST, draw, maps, with_maps
from nnctl.plot.request import Request, draw_features
from nnctl.plot.stages import Stage
from tests.plot.made import CONV, conv_run, pictures

IMAGE = Stage("conv2d1", np.random.default_rng(0).normal(size=(1, 5, 4, 30)))
LINE = Stage("conv1d1", np.random.default_rng(0).normal(size=(1, 9, 3)))
VECTOR = Stage("dense1", np.ones((1, 7)))


def test_a_map_is_a_channel() -> None:
    np.testing.assert_array_equal(maps(IMAGE.values[0])[7], IMAGE.values[0, :, :, 7])
    np.testing.assert_array_equal(maps(LINE.values[0]), LINE.values.transpose(0, 2, 1))


def test_stages_without_maps_are_left_out() -> None:
    assert with_maps([IMAGE, VECTOR, LINE]) == [IMAGE, LINE]
    with pytest.raises(ConfigError, match="no layer that reads this input gives maps"):
        with_maps([VECTOR])


@pytest.mark.parametrize("picture", [np.zeros((5, 4)), np.zeros((5, 4, 3)), None])
def test_the_figure(picture: Array | None) -> None:
    with styled():
        figure = draw(picture, "said so", [IMAGE, LINE], "title", 8)
        figure.draw_without_rendering()
    top, images, lines, *bars = figure.axes
    assert top.get_title(loc="left") == "said so"
    assert len(top.images) == (picture is not None)
    assert images.get_title(loc="left") == f"conv2d1: 5 × 4 × 30, the first {MOST} channels"
    np.testing.assert_array_equal([i.get_array() for i in images.images], maps(IMAGE.values[0])[:MOST])
    assert {i.get_clim() for i in images.images} == {(IMAGE.values.min(), IMAGE.values.max())}
    assert lines.get_title(loc="left") == "conv1d1: 9 × 3"
    assert [bar.get_ylabel() for bar in bars] == ["activation"] * 2


SECTION = CONV[: CONV.index("model:")]
#: The layers, the shape of an example, and the headings of what is drawn below the caption.
INPUTS = {
    "a picture is on top": ("[{conv: 2}, flatten]", (8, 6, 1), ["conv2d1: 8 × 6 × 2"]),
    "a grey picture": ("[{conv: 2}, flatten]", (8, 6), ["conv2d1: 8 × 6 × 2"]),
    "a signal": ("[{conv1d: 2}, flatten]", (8, 6), ["input: 8 × 6", "conv1d1: 8 × 2"]),
    "more channels than colours": ("[{conv: 2}, flatten]", (8, 6, 5), ["input: 8 × 6 × 5", "conv2d1: 8 × 6 × 2"]),
}


@pytest.mark.parametrize("case", INPUTS)
def test_the_input_is_drawn(tmp_path: Path, case: str) -> None:
    layers, shape, headings = INPUTS[case]
    run = conv_run(tmp_path, f"{SECTION}model: {{layers: {layers}}}\n", shape)
    with styled():
        top, *axes = draw_features(Request(run)).axes
    assert [a.get_title(loc="left") for a in axes if a.get_title(loc="left")] == headings
    assert len(top.images) == (headings[0][:5] != "input")
    if len(top.images):
        assert np.corrcoef(top.images[0].get_array().ravel(), pictures(shape=shape)[0][0].ravel())[0, 1] > 0.999
    else:
        sizes = [np.asarray(image.get_array()).size for image in axes[0].images]
        assert sum(sizes) == np.prod(shape)
        assert axes[len(headings)].get_ylabel() == "value"


def test_one_map_is_as_wide_as_it_is() -> None:
    one = Stage("conv2d1", IMAGE.values[..., :1])
    with styled():
        figure = draw(None, "said so", [one], "title", 8)
        figure.draw_without_rendering()
    (image,) = figure.axes[1].images
    box = image.get_window_extent()
    height, width = IMAGE.values.shape[1:3]
    assert box.height / box.width == pytest.approx(height / width, rel=0.05)
