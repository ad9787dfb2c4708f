"""The pictures of the first layer are its weights."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnctl.engine.batch import INPUT
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.plot.canvas import styled
from nnctl.plot.filters import MOST, Filters, draw, filters_of
from nnctl.runs.model import Model
from tests.plot.made import CONV, conv_model, dense_model
from tests.plot.test_pictures import GRID


def weight(model: Model, name: str) -> Array:
    return model.network.layout.view(model.theta, f"{name}.weight")


def drawn(found: Filters) -> Figure:
    with styled():
        figure = draw(found, "title", 8)
        figure.draw_without_rendering()
    return figure


def test_grey_filters(tmp_path: Path) -> None:
    model = conv_model(tmp_path)
    found = filters_of(model, INPUT)
    w = weight(model, "conv2d1")  # (3, 3, 1, 4)
    for f in range(4):
        np.testing.assert_array_equal(np.asarray(found.pictures)[f], w[:, :, 0, f])
    figure = drawn(found)
    assert figure.axes[0].get_title(loc="left") == "conv2d1: 4 filters, 3 × 3"
    np.testing.assert_array_equal([image.get_array() for image in figure.axes[0].images], found.pictures)
    low, high = figure.axes[0].images[0].get_clim()
    assert -low == high == np.abs(w).max()  # zero is white
    assert figure.axes[1].get_ylabel() == "weight"


def test_coloured_filters_are_grey_where_they_are_zero(tmp_path: Path) -> None:
    model = conv_model(tmp_path, CONV, (8, 6, 3))
    found, w = filters_of(model, INPUT), weight(model, "conv2d1")
    assert found.pictures.shape == (4, 3, 3, 3)
    shown = drawn(found).axes[0].images[1].get_array()
    assert shown is not None
    np.testing.assert_allclose(shown, 0.5 + w[..., 1] / np.abs(w).max() / 2, atol=1e-6)


def test_other_channels_have_a_picture_each(tmp_path: Path) -> None:
    model = conv_model(tmp_path, CONV, (8, 6, 2))
    found = filters_of(model, INPUT)
    assert found.captions[:3] == ("1, channel 1", "1, channel 2", "2, channel 1")
    np.testing.assert_array_equal(np.asarray(found.pictures)[3], weight(model, "conv2d1")[:, :, 1, 1])


def test_filters_over_time(tmp_path: Path) -> None:
    config = CONV[: CONV.index("model:")] + "model: {layers: [{type: conv1d, filters: 2}, flatten, dense]}\n"
    model = conv_model(tmp_path, config, (9, 5))
    found = filters_of(model, INPUT)
    np.testing.assert_array_equal(np.asarray(found.pictures)[1], weight(model, "conv1d1")[:, :, 1].T)
    drawn(found)


def test_the_first_layer_may_stand_in_a_block(tmp_path: Path) -> None:
    config = CONV.replace(
        "- {type: conv2d, filters: 4, kernel: 3, padding: valid, bias_init: {type: normal}}",
        "- {type: residual, layers: [relu, {type: conv2d, filters: 1}]}",
    )
    assert filters_of(conv_model(tmp_path, config), INPUT).layer == "residual1.layers.conv2d1"


def test_units_over_pixels(tmp_path: Path) -> None:
    model = dense_model(tmp_path, GRID)
    found = filters_of(model, INPUT)
    np.testing.assert_array_equal(np.asarray(found.pictures)[2], weight(model, "dense1")[:, 2].reshape(4, 4))
    assert found.captions == tuple("12345")


def test_without_hidden_layers_units_are_classes(tmp_path: Path) -> None:
    assert filters_of(dense_model(tmp_path, GRID, "[]"), INPUT).captions == ("ant", "bee", "cat")


def test_the_first_of_many(tmp_path: Path) -> None:
    figure = drawn(filters_of(dense_model(tmp_path, GRID, "[100]"), INPUT))
    assert figure.axes[0].get_title(loc="left") == f"dense1: the first {MOST} of 100 units, 4 × 4"
    assert len(figure.axes[0].images) == MOST


@pytest.mark.parametrize("inputs", [3, 60])
def test_a_matrix_where_there_are_no_pictures(tmp_path: Path, inputs: int) -> None:
    names = [f"{chr(97 + i % 26)}{i}" for i in range(inputs)]
    model = dense_model(tmp_path, names)
    found = filters_of(model, INPUT)
    axes = drawn(found).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), weight(model, "dense1"))
    assert (axes.get_yticklabels()[0].get_text() == "a0") == (inputs == 3)


def test_nothing_to_draw(tmp_path: Path) -> None:
    config = CONV[: CONV.index("model:")] + "model: {layers: [global_average_pool, prelu]}\n"
    with pytest.raises(ConfigError, match="no layer of this network has weights"):
        filters_of(conv_model(tmp_path, config, (8, 6, 3)), INPUT)
