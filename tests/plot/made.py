"""Small models that look at pictures; the weights are those of the start."""

import numpy as np
import polars as pl

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


def pictures(count=30, shape=(8, 6, 1), seed=0):
    """Random pictures of unsigned bytes, of three kinds."""
    random = np.random.default_rng(seed)
    kinds = np.array(["ant", "bee", "cat"])[np.arange(count) % 3]
    return random.integers(0, 256, (count, *shape), dtype=np.uint8), kinds


def conv_run(folder, config=CONV, shape=(8, 6, 1)):
    x, kinds = pictures(shape=shape)
    np.savez(folder / "pictures.npz", x=x, y=kinds)
    return make_run(folder, config)


def dense_run(folder, names, hidden="[5]"):
    x, kinds = pictures(shape=(len(names),))
    frame = pl.DataFrame({**dict(zip(names, x.T, strict=True)), "kind": kinds})
    return make_run(folder, DENSE.replace("HIDDEN", hidden), columns_csv=frame.write_csv())


def conv_model(folder, *arguments):
    return open_trained(conv_run(folder, *arguments))


def dense_model(folder, *arguments):
    return open_trained(dense_run(folder, *arguments))
