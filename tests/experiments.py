"""The experiments of configs/ whose data are shipped; the others need `nnctl datasets fetch`."""

from pathlib import Path

SHIPPED = sorted(
    path for path in (Path(__file__).parents[1] / "configs").glob("*.yaml") if "datasets fetch" not in path.read_text()
)
