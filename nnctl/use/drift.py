"""How new data differ from those a model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnctl.data.watching import ClassWatch, Finding
from nnctl.engine.parameters import Array
from nnctl.losses.base import ClassLoss
from nnctl.runs.model import Model

#: So many findings are told one by one.
MOST = 10


class Drift:
    """Looks at inputs and predictions while they pass by, in batches; `findings` says what differs."""

    def __init__(self, model: Model) -> None:
        self.inputs = {name: fitted.watch() for name, fitted in model.fitted.inputs.items()}
        self.outputs = {
            name: ClassWatch(name if len(model.fitted.outputs) > 1 else "prediction", target.names, np.array(shares))
            for name, target in model.fitted.outputs.items()
            if target.predicts.exclusive and (shares := model.facts.baseline.get(name)) and _probabilities(model, name)
        }
        self.rows = 0

    def add(
        self, values: Mapping[str, Any], rows: slice, outputs: Mapping[str, Array], place: Callable[[int], str]
    ) -> None:
        """Take in some rows of raw inputs, and what was predicted of them; `place` says where a row stands."""
        self.rows += rows.stop - rows.start
        for name, watch in self.inputs.items():
            watch.add(values[name], rows, place)
        for name, classes in self.outputs.items():
            classes.add(outputs[name])

    def findings(self) -> list[Finding]:
        """What differs, input by input, then of the predictions."""
        findings = [finding for watch in self.inputs.values() for finding in watch.findings()]
        return findings + [finding for classes in self.outputs.values() for finding in classes.findings()]

    def report(self) -> dict[str, Any]:
        """The findings as a JSON document."""
        return {"rows": self.rows, "findings": [finding.as_json() for finding in self.findings()]}


def _probabilities(model: Model, output: str) -> bool:
    """Whether the mean of an output's probabilities should be near the classes' shares in training."""
    loss = model.losses[output]
    weighted = isinstance(loss, ClassLoss) and loss.class_weights is not None
    return loss.type in ("cross_entropy", "binary_cross_entropy") and not weighted
