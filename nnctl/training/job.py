"""Everything training needs, assembled from an experiment and its data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl.config.experiment import Experiment
from nnctl.data.batching import Dealt, Stream
from nnctl.data.dataset import Dataset
from nnctl.data.loading import LoadedData
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array, Layout
from nnctl.engine.shards import MOST_SHARDS
from nnctl.engine.workers import Workers
from nnctl.metrics import Metric
from nnctl.regularization import Penalty
from nnctl.training.network_loss import NetworkLoss
from nnctl.training.objective import Objective
from nnctl.training.tally import named


@dataclass(frozen=True)
class Job:
    """A resolved experiment with its data, network, loss and metrics."""

    experiment: Experiment
    base: Path
    data: LoadedData
    network: Network
    heads: Mapping[str, Head]
    metrics: Mapping[str, Sequence[Metric]]

    @property
    def batch_size(self) -> int:
        """Examples in a full batch."""
        rows, asked = len(self.data.train), self.experiment.training.batch_size
        return rows if asked == "full" else min(int(asked), rows)

    @property
    def most_shards(self) -> int:
        """The most pieces a batch is cut into."""
        asked = self.experiment.training.shards
        return MOST_SHARDS if asked == "auto" else asked

    @property
    def layout(self) -> Layout:
        """Where every parameter lies in the flat vector."""
        return self.network.layout

    @property
    def watched(self) -> str:
        """The figure that tells which epoch is the best, where the experiment names none."""
        return "validation.loss" if self.data.validation is not None else "train.loss"

    def monitors(self) -> dict[str, str]:
        """The figures that decide something, by the key that names them, or would."""
        stopping, plateau = self.experiment.training.early_stopping, self.experiment.schedule.monitored
        watched = {"training.early_stopping.monitor": stopping.monitor if stopping else self.watched}
        return watched if plateau is None else {**watched, "schedule.monitor": plateau}

    def higher_is_better(self, key: str) -> bool:
        """Whether a figure of the epochs' rows is better when it is higher; losses are not."""
        rising = named({o: {m.key: m.better == "higher" for m in metrics} for o, metrics in self.metrics.items()})
        return bool(rising.get(key.partition(".")[2]))

    def stream(self, trial: int = 0) -> Stream:
        """The examples of a trial, in batches."""
        e = self.experiment
        return Dealt(self.data.train, self.batch_size, e.training.shuffle, e.runtime.dtype, e.seed, trial)

    def objective(self, theta: Array, model: Array, trial: int, workers: Workers) -> Objective[Any]:
        """What a trial makes smaller: bound to theta, and for validation to `model`, the parameters to keep."""
        return NetworkLoss(self, theta, model, trial, workers)

    def penalty(self) -> Penalty:
        """The penalty on the network's weights."""
        return Penalty(self.experiment.regularization, self.network.layout)

    def splits(self) -> Iterator[tuple[str, Dataset]]:
        """The splits there are, by name."""
        for name in ("train", "validation", "test"):
            data = getattr(self.data, name)
            if data is not None:
                yield name, data
