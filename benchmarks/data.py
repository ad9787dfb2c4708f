"""Writes made-up data for the benchmarks: `python -m benchmarks.data KIND ...`, in a process of its own."""

import argparse
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = 10
LATENT = 16
#: Share of the labels that are drawn at random: no network learns those, so that losses settle above 0.
NOISE = 0.1
CHUNK = 10_000


def images(folder: Path, rows: int, shape: Sequence[int], seed: int = 0) -> None:
    """x.npy (rows, *shape), float32, and y.npy (rows,): what a curved function makes of a few hidden causes.

    Written piece by piece, so that there may be more rows than memory.
    """
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(LATENT, prod(shape))) / 4  # (causes, values)
    inner, outer = random.normal(size=(LATENT, 32)), random.normal(size=(32, CLASSES))
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (rows, *shape))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.int64, (rows,))
    for start in range(0, rows, CHUNK):
        stop = min(start + CHUNK, rows)
        causes = random.normal(size=(stop - start, LATENT))
        values = causes @ mixing + random.normal(size=(stop - start, prod(shape))) / 2
        x[start:stop] = values.reshape(-1, *shape)
        right = np.argmax(np.tanh(causes @ inner / 4) @ outer, axis=1)
        y[start:stop] = np.where(
            random.random(stop - start) < NOISE, random.integers(CLASSES, size=stop - start), right
        )
    x.flush()
    y.flush()


def columns(file: Path, rows: int, features: int, seed: int = 0) -> None:
    """A CSV file of numbers x1, x2, ... and a class, label."""
    import polars as pl

    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, features)).round(4)
    label = np.argmax(np.tanh(x[:, :8] @ np.random.default_rng(1).normal(size=(8, 3))), axis=1)
    frame = pl.DataFrame({f"x{i + 1}": x[:, i] for i in range(features)})
    frame.with_columns(label=pl.Series(np.array(["low", "middle", "high"])[label])).write_csv(file)


def weights(run: Path, file: Path) -> None:
    """The weights of a trained run and the scaling of its inputs as .npz, for a peer to predict with."""
    from nnctl.runs.model import load_model

    model = load_model(run / "model.safetensors")
    inputs: Any = model.fitted.inputs["input"]
    arrays: dict[str, Any] = {
        name: model.network.layout.view(model.theta, name) for name in model.network.layout.slices
    }
    arrays["centre"] = [column.centre for column in inputs.columns]
    arrays["scale"] = [column.scale for column in inputs.columns]
    np.savez(file, classes=list(model.target.class_names), **arrays)


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.data")
    kinds = parser.add_subparsers(dest="kind", required=True)
    each = kinds.add_parser("images")
    each.add_argument("folder", type=Path)
    each.add_argument("rows", type=int)
    each.add_argument("shape", type=int, nargs="+")
    each = kinds.add_parser("columns")
    each.add_argument("file", type=Path)
    each.add_argument("rows", type=int)
    each.add_argument("features", type=int)
    each = kinds.add_parser("weights")
    each.add_argument("run", type=Path)
    each.add_argument("file", type=Path)
    options = vars(parser.parse_args())
    kind: dict[str, Callable[..., None]] = {"images": images, "columns": columns, "weights": weights}
    kind[options.pop("kind")](**options)


if __name__ == "__main__":
    main()
