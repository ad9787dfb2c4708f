"""Histograms, layer by layer."""

from typing import Any

import numpy as np
import pytest

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.plot.canvas import styled
from nnctl.plot.distributions import draw

NORMAL = np.random.default_rng(0).normal(2.0, 3.0, (40, 50))


@pytest.mark.parametrize(
    ("values", "share", "told"),
    [
        (NORMAL, 1.0, f"mean {NORMAL.mean():.3g}\nst. dev. {NORMAL.std():.3g}"),
        (np.r_[np.zeros(60), np.linspace(1, 2, 40)], 0.4, "60% are 0, not drawn"),
        (np.zeros(9), 0.0, "100% are 0, not drawn"),
        (np.full(9, 7.0), 1.0, "mean 7\nst. dev. 0"),
    ],
)
def test_bars_add_up(values: Array, share: float, told: str) -> None:
    with styled():
        figure = draw({"dense1": values}, "weight", "title", 8)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "dense1"
    bars: Any = axes.patches[0]
    assert bars.get_data().values.sum() == pytest.approx(share)
    assert told in axes.texts[0].get_text()
    assert figure.get_supxlabel() == "weight"


def test_no_layers() -> None:
    with pytest.raises(ConfigError, match="no layer of this network has a weight"):
        draw({}, "weight", "title", 8)
