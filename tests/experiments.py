"""The experiments of configs/ whose data are there; the others need `nnctl datasets fetch`, or `make` files first."""

from pathlib import Path

SHIPPED = sorted(
    path
    for path in (Path(__file__).parents[1] / "configs").glob("*.yaml")
    if "datasets fetch" not in path.read_text() and "Data: nnctl datasets make" not in path.read_text()
)
