"""Small models that look at pictures; the weights are those of the start."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nnctl.engine.parameters import Array
from nnctl.runs.model import Model
from nnctl.runs.trained import open_trained
from tests.runs.made import make_run

CONV = """\
name: pictures
data: {source: {type: npz, path: pictures.npz}, preprocess: {numeric: standardize}}
model:
  layers:
    - {type: conv2d, filters: 4, kernel: 3, padding: valid, bias_init: {type: normal}}
    - relu
    - dropout
    - {type: max_pool2d, size: 2}
    - flatten
    - {type: dense}
"""
DENSE = """\
name: columns
data: {source: {type: csv, path: columns.csv}, target: kind, preprocess: {numeric: min_max}}
model: {hidden: HIDDEN}
"""


def pictures(count: int = 30, shape: tuple[int, ...] = (8, 6, 1), seed: int = 0) -> tuple[Array, Array]:
    """Random pictures of unsigned bytes, of three kinds."""
    random = np.random.default_rng(seed)
    kinds = np.array(["ant", "bee", "cat"])[np.arange(count) % 3]
    return random.integers(0, 256, (count, *shape), dtype=np.uint8), kinds


def conv_run(folder: Path, config: str = CONV, shape: tuple[int, ...] = (8, 6, 1)) -> Path:
    x, kinds = pictures(shape=shape)
    np.savez(folder / "pictures.npz", x=x, y=kinds)
    return make_run(folder, config)


def dense_run(folder: Path, names: Sequence[str], hidden: str = "[5]") -> Path:
    x, kinds = pictures(shape=(len(names),))
    frame = pl.DataFrame({**dict(zip(names, x.T, strict=True)), "kind": kinds})
    return make_run(folder, DENSE.replace("HIDDEN", hidden), columns_csv=frame.write_csv())


def conv_model(folder: Path, *arguments: Any) -> Model:
    return open_trained(conv_run(folder, *arguments))


def dense_model(folder: Path, *arguments: Any) -> Model:
    return open_trained(dense_run(folder, *arguments))
