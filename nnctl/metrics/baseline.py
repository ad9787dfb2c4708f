"""What a model has to beat: the answer that looks at no feature."""

from dataclasses import dataclass

import numpy as np

from nnctl.engine.means import weighted_mean
from nnctl.engine.parameters import Array
from nnctl.metrics.predictions import Predictions, Task


@dataclass(frozen=True)
class Baseline:
    """The same answer for every example.

    `outputs` (columns,) are the frequencies of the classes or labels, whose largest makes the
    majority class the decision, or the mean of each target column.
    """

    task: Task
    outputs: Array
    classes: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The answer in words."""
        if self.task == "regression":
            return "the mean of the training data"
        if self.task == "multilabel":
            return "each label as frequent as in the training data"
        top = int(self.outputs.argmax())
        name = self.classes[top] if self.classes else str(top)
        return f"always {name} ({self.outputs[top]:.1%} of the training data)"

    def predictions(self, truth: Array, weights: Array | None = None) -> Predictions:
        """The baseline's answers beside the truth of some split, for the same metrics as the model's."""
        outputs = np.broadcast_to(self.outputs, (len(truth), len(self.outputs)))
        return Predictions(self.task, outputs, truth, weights, self.classes)


def baseline(task: Task, truth: Array, weights: Array | None = None, classes: tuple[str, ...] = ()) -> Baseline:
    """The baseline of a training split, from its truth as `Predictions` takes it.

    `classes` says how many classes there are; without it there are as many as the truth shows.
    """
    if task != "classification":
        return Baseline(task, weighted_mean(truth, weights), classes)
    count = len(classes) or int(truth.max(initial=0)) + 1
    return Baseline(task, weighted_mean(truth[:, None] == np.arange(count), weights), classes)
