"""The data of golden.py: copies of what is shipped, arrays and a table made here, and parts of larger data."""

import csv
import gzip
import os
import shutil
import tarfile
from itertools import islice
from math import prod
from pathlib import Path

import numpy as np


def prepare(top: Path, root: Path, copied: dict[str, int | None]) -> None:
    """Fill a temporary folder with the experiments and data of a checkout, and with others that there are."""
    shutil.copytree(root / "configs", top / "configs")
    shutil.copytree(root / "datasets", top / "datasets", ignore=folders)
    (top / "data").mkdir()
    random = np.random.default_rng(0)
    y = np.arange(240) % 3
    x = (random.integers(0, 100, (240, 8, 8)) + 50 * y[:, None, None]).astype(np.uint8)
    np.savez(top / "data" / "arrays.npz", x=x, y=y)
    with (top / "data" / "two.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["u", "v", "colour", "a", "b"])
        for u, v, colour in zip(*random.random((2, 200)).round(4).tolist(), ["red", "green"] * 100, strict=True):
            table.writerow([u, v, colour, round(u * v, 4), round(u - 2 * v, 4) + (colour == "red")])
    shared = shared_data(root)
    if shared is not None:
        copy_shared(shared, top, copied)


def folders(folder: str, names: list[str]) -> set[str]:
    """Those of the names in a folder that are folders: data sets that were fetched."""
    return {name for name in names if (Path(folder) / name).is_dir()}


def shared_data(root: Path) -> Path | None:
    """The folder of data that are not shipped."""
    given = os.environ.get("NNCTL_SHARED")
    places = [Path(given)] if given else [folder / "shared" / "data" for folder in root.parents]
    return next((place for place in places if place.is_dir()), None)


def copy_shared(shared: Path, top: Path, copied: dict[str, int | None]) -> None:
    """Copy what there is of the data that are not shipped, and not all of the large ones."""
    for name, count in copied.items():
        source, target = shared / name, top / "data" / Path(name).name
        if source.exists() and count is None:
            shutil.copyfile(source, target)
        elif source.exists():
            with source.open("rb") as file:
                target.write_bytes(b"".join(islice(file, count)))
    raw, measured = (shared / "diabetes_regression" / f"diabetes_{n}.csv.gz" for n in ("data_raw", "target"))
    if raw.exists() and measured.exists():
        names = "age,sex,bmi,pressure,s1,s2,s3,s4,s5,s6,progression"
        rows = zip(*(gzip.decompress(path.read_bytes()).decode().splitlines() for path in (raw, measured)), strict=True)
        content = [names, *(f"{','.join(row.split())},{float(value):g}" for row, value in rows)]
        (top / "data" / "diabetes.csv").write_text("\n".join(content) + "\n")
    images = shared / "mnist_png_small" / "mnist_png_small.tar.gz"
    if images.exists():
        with tarfile.open(images) as archive:
            members = [member for i, member in enumerate(archive) if member.isfile() and i % 8 == 0]
            archive.extractall(top / "data" / "images", members, filter="data")
    for path in sorted((shared / "fashion_mnist").glob("*.gz")):
        part = first_rows(path, 200 if path.name.startswith("train") else 80)
        for name in ("mnist", "fashion-mnist"):  # clothes for digits: the experiments differ in their networks
            (top / "datasets" / name).mkdir(exist_ok=True)
            (top / "datasets" / name / path.name).write_bytes(part)


def first_rows(path: Path, count: int) -> bytes:
    """The first rows of an IDX file of bytes, packed."""
    with gzip.open(path) as file:
        kind = file.read(4)
        sizes = [int.from_bytes(file.read(4)) for _ in range(kind[3])]
        shape = b"".join(size.to_bytes(4) for size in (count, *sizes[1:]))
        return gzip.compress(kind + shape + file.read(count * prod(sizes[1:])), mtime=0)
