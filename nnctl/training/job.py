"""Everything training needs, assembled from an experiment and its data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from nnctl.config.experiment import Experiment
from nnctl.data.dataset import Dataset
from nnctl.data.loading import LoadedData
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.metrics import Metric
from nnctl.regularization import Penalty


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
    def batches(self) -> int:
        """Batches in an epoch."""
        return ceil(len(self.data.train) / self.batch_size)

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return ceil(self.batches / self.experiment.training.accumulate)

    def penalty(self) -> Penalty:
        """The penalty on the network's weights."""
        return Penalty(self.experiment.regularization, self.network.layout)

    def splits(self) -> Iterator[tuple[str, Dataset]]:
        """The splits there are, by name."""
        for name in ("train", "validation", "test"):
            data = getattr(self.data, name)
            if data is not None:
                yield name, data
