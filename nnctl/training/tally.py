"""Loss and metrics of examples that come in parts, of which only sums are kept."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.dataset import Dataset
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.engine.shards import weighted
from nnctl.engine.workers import Workers
from nnctl.metrics import Metric
from nnctl.metrics.metric import Sums

#: Outputs wait until there are so many, as metrics take about as long for a few examples as for thousands.
WINDOW_ROWS, WINDOW_VALUES = 8192, 1 << 22


class Tally:
    """What is known of the examples of a split after some of them, in any order.

    Attributes:
        losses: the sum of the examples' weighted losses, by output.
        masses: what makes a mean of it, by output.
    """

    def __init__(
        self,
        data: Dataset,
        network: Network,
        heads: Mapping[str, Head],
        metrics: Mapping[str, Sequence[Metric]],
        dtype: DTypeLike,
        workers: Workers | None = None,
    ) -> None:
        self.data, self.heads, self.workers = data, heads, workers or Workers()
        self.metrics = {output: own for output, own in metrics.items() if own}
        shapes = {output: network.shape_of(output) for output in self.metrics}
        widest = max((int(np.prod(shape)) for shape in shapes.values()), default=1)
        rows = min(len(data), WINDOW_ROWS, max(1, WINDOW_VALUES // max(1, widest)))
        self._windows = {output: self.workers.blank((rows, *shape), dtype) for output, shape in shapes.items()}
        self._room = rows
        self.reset()

    def reset(self) -> None:
        """Forget all examples."""
        self.losses, self.masses = dict.fromkeys(self.heads, 0.0), dict.fromkeys(self.heads, 0.0)
        self.sums: dict[str, dict[str, Sums]] = {}
        for output, own in self.metrics.items():
            target = self.data.truths[output].target
            self.sums[output] = {m.key: m.start(target.no_predictions) for m in own}
        self._waiting, self._rows = 0, list[Array]()

    def room(self, rows: int) -> dict[str, Array]:
        """Where to write the outputs of the next examples, before `add`."""
        if self._waiting + rows > self._room:
            self._flush()
            self.workers.meet()  # nobody reads the windows any more
        if rows > self._room:
            self._windows = {
                name: self.workers.blank((rows, *w.shape[1:]), w.dtype) for name, w in self._windows.items()
            }
            self._room = rows
        return {name: window[self._waiting : self._waiting + rows] for name, window in self._windows.items()}

    def add(self, rows: Array, losses: Mapping[str, float], masses: Mapping[str, float]) -> None:
        """Take in these examples, whose outputs are in their `room`, with the sums of their losses."""
        self._waiting += len(rows)
        self._rows.append(rows)
        for output, loss in losses.items():
            self.losses[output] += loss
            self.masses[output] += masses.get(output, 0.0)

    def means(self) -> dict[str, float]:
        """The mean loss of each output; not a number where no target was known."""
        return {output: self.losses[output] / mass if mass else nan for output, mass in self.masses.items()}

    @property
    def loss(self) -> float:
        """J: the weighted sum of the outputs' means, of which one without a known target is none."""
        known = {output: mean for output, mean in self.means().items() if self.masses[output]}
        return weighted(known, self.heads) if known else nan

    def figures(self) -> dict[str, float]:
        """J, and the loss and the metrics of each output, by the names they have in metrics.jsonl."""
        self._flush()
        by_output = {
            output: {metric.key: metric.value(self.sums[output][metric.key]) for metric in own}
            for output, own in self.metrics.items()
        }
        if len(self.heads) > 1:
            by_output = {output: {"loss": loss, **by_output.get(output, {})} for output, loss in self.means().items()}
        return {"loss": self.loss, **named(by_output, several=len(self.heads) > 1)}

    def snapshot(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Arrays and JSON values from which `restore` makes the same."""
        arrays = {f"window.{name}": window[: self._waiting] for name, window in self._windows.items() if self._waiting}
        if self._waiting:
            arrays["rows"] = np.concatenate(self._rows)
        numbers: dict[str, Any] = {}
        for place, value in self._parts():
            if isinstance(value, list):
                value = np.concatenate(value) if value else np.empty(0)
            if isinstance(value, np.ndarray):
                arrays[f"metrics.{place}"] = value
            else:
                numbers[place] = value.item() if isinstance(value, np.generic) else value
        kept = {"losses": self.losses, "masses": self.masses, "waiting": self._waiting}
        return arrays, {**kept, "metrics": numbers}

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        """Take on a snapshot."""
        self.reset()
        self.losses, self.masses = dict(values["losses"]), dict(values["masses"])
        for name, view in self.room(values["waiting"]).items():
            if values["waiting"]:
                view[...] = arrays[f"window.{name}"]
        self._waiting, self._rows = values["waiting"], [np.array(arrays["rows"])] if values["waiting"] else []
        for place, value in list(self._parts()):
            output, key, name = place.split(" ")
            saved = arrays.get(f"metrics.{place}")
            held = values["metrics"].get(place) if saved is None else np.array(saved)
            self.sums[output][key][name] = [held] if isinstance(value, list) else held

    def _parts(self) -> list[tuple[str, Any]]:
        """Every sum with its place."""
        return [
            (f"{output} {key} {name}", value)
            for output, metrics in self.sums.items()
            for key, sums in metrics.items()
            for name, value in sums.items()
        ]

    def _flush(self) -> None:
        """Let the metrics take in what is waiting."""
        if not self._waiting:
            return
        rows = np.concatenate(self._rows)
        for output, own in self.metrics.items():
            window = self._windows[output][: self._waiting]
            p = self.data.predictions(output, window, rows)
            for metric in own:
                metric.add(self.sums[output][metric.key], p)
        self._waiting, self._rows = 0, []


def named(figures: Mapping[str, Mapping[str, Any]], *, several: bool | None = None) -> dict[str, Any]:
    """The figures of all outputs by one name each: `mae`, or `price.mae` where there are several outputs."""
    several = len(figures) > 1 if several is None else several
    return {
        f"{output}.{key}" if several else key: value for output, own in figures.items() for key, value in own.items()
    }
