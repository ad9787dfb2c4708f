"""What is trained: the same work, written as an experiment for nnctl and as arguments for the peers' scripts."""

import json
from dataclasses import dataclass
from typing import Any

from benchmarks.claim import PEERS, Setting, Side
from benchmarks.harness import helper


@dataclass(frozen=True)
class Work:
    """Training on made-up images: their shape, the hidden layers, and how.

    `hidden` are the units of dense layers; with `filters`, convolutions of 3 x 3 and halving pools come before.
    Weights start Glorot uniform on all sides. One epoch warms up; `epochs` more are timed.
    """

    shape: tuple[int, ...]
    hidden: tuple[int, ...]
    batch: int
    rows: int
    epochs: int = 4
    filters: tuple[int, ...] = ()
    learning_rate: float = 0.001

    def write(self, setting: Setting, scale: int = 1) -> tuple[str, ...]:
        """Write data and experiment; returns the paths of the experiment, the inputs and the targets."""
        rows = (4 * self.batch if setting.quick else self.rows) * scale
        folder = setting.folder / str(scale)
        folder.mkdir()
        helper("data", "images", folder, rows, *self.shape)
        config = folder / "experiment.yaml"
        config.write_text(json.dumps(self.experiment()))  # JSON is YAML
        return str(config), str(folder / "x.npy"), str(folder / "y.npy")

    def experiment(self) -> dict[str, Any]:
        """The experiment file; no metrics, as the peers compute none."""
        init = "glorot_uniform"
        model: dict[str, Any] = {"hidden": self.hidden, "init": init}
        if self.filters:
            layers: list[dict[str, Any]] = []
            for filters in self.filters:
                layers.append(
                    {"type": "conv2d", "filters": filters, "kernel": 3, "padding": "same", "activation": "relu"}
                )
                layers.append({"type": "max_pool2d", "size": 2})
            layers.append({"type": "flatten"})
            layers += [{"type": "dense", "units": n, "activation": "relu"} for n in self.hidden]
            weighted = [layer | ({"init": init} if "activation" in layer else {}) for layer in layers]
            model = {"layers": [*weighted, {"type": "dense", "init": init}]}
        return {
            "data": {"train": {"type": "npy", "path": "x.npy", "labels": "y.npy"}, "preprocess": {"numeric": "none"}},
            "model": model,
            "loss": "cross_entropy",
            "optimizer": {"type": "adam", "learning_rate": self.learning_rate},
            "training": {"epochs": self.epochs + 1, "batch_size": self.batch},
            "metrics": [],
        }

    def ours(self, config: str, *flags: str) -> Side:
        """The process that trains with nnctl."""
        return Side(("-m", "benchmarks.ours", config, "--threads", "{threads}", *flags))

    def sides(self, setting: Setting, script: str, needs: tuple[str, ...], *flags: str) -> tuple[Side, Side]:
        """The process that trains with nnctl, and a peer's."""
        config, x, y = self.write(setting)
        arguments = [str(PEERS / script), x, y, "--threads", "{threads}", "--batch", self.batch, *flags]
        arguments += ["--epochs", self.epochs + 1, "--learning-rate", self.learning_rate, "--hidden", *self.hidden]
        if self.filters:
            arguments += ["--filters", *self.filters]
        return self.ours(config), Side(tuple(map(str, arguments)), needs)
