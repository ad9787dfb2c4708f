"""Examples ready for the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import DTypeLike

from nnctl.data.inputs import Feed, Gathered
from nnctl.data.targets import Truth
from nnctl.engine.batch import Batch
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array
from nnctl.metrics import Predictions


@dataclass(frozen=True)
class Dataset:
    """The examples of one split.

    Attributes:
        inputs: by name.
        truths: what is right, by output.
        numbers: the row of each example in its source, counted from 1 as the source has them; (n,).
        w: sample weights (n,), or None where all are 1.
        losses: by output, from `for_losses`; they say how targets are encoded.
        files: the file of each row of the source, where each has one of its own.
    """

    inputs: Mapping[str, Feed]
    truths: Mapping[str, Truth]
    numbers: Array
    w: Array | None = None
    losses: Mapping[str, Loss] = field(default_factory=dict)
    files: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def nbytes(self) -> int:
        """Bytes of all inputs and truths, in memory or on disk."""
        inputs = sum(feed.nbytes for feed in self.inputs.values())
        return inputs + sum(int(truth.values.nbytes) for truth in self.truths.values())

    @property
    def augmented(self) -> bool:
        """Whether making a batch takes time, as augmenting does."""
        return any(feed.augmentations for feed in self.inputs.values())

    def take(self, indices: Array | slice, dtype: DTypeLike) -> Batch:
        """Some examples. Their arrays may be views: read, do not write."""
        inputs = {name: feed.take(indices, dtype) for name, feed in self.inputs.items()}
        return Batch(inputs, self.targets(indices, dtype), self.weights(indices))

    def batch(self, indices: Array, dtype: DTypeLike, seed: int, trial: int = 0, number: int = 0) -> Batch:
        """The same to train on: augmented by the random streams of a trial's batch with that number, then encoded."""
        inputs, targets = dict[str, Any](), self.targets(indices, dtype)
        for place, (name, feed) in enumerate(self.inputs.items()):
            if not feed.augmentations:
                inputs[name] = Gathered(feed, indices, dtype)
                continue
            (output, t), *_ = targets.items()
            if any(augmentation.mixes for augmentation in feed.augmentations):
                t = self.truths[output].target.shares(t)
            where = (trial, number, place) if place else (trial, number)
            inputs[name], t = feed.changed(indices, t, dtype, seed, *where)
            targets[output] = t.astype(dtype, copy=False) if t.dtype.kind == "f" else t
        return Batch(inputs, targets, self.weights(indices), indices, number)

    def targets(self, indices: Array | slice, dtype: DTypeLike) -> dict[str, Array]:
        """The targets of some examples as the losses take them, by output."""
        return {
            name: truth.target.encode(truth.values[indices], self.losses[name], dtype)
            for name, truth in self.truths.items()
        }

    def weights(self, indices: Array | slice) -> dict[str, Array | None]:
        """What some examples count, by output: their sample weight, and 0 where their target is not known."""
        w = None if self.w is None else self.w[indices]
        return {name: truth.weights(indices, w) for name, truth in self.truths.items()}

    def predictions(self, output: str, outputs: Array, order: Array | slice = slice(None)) -> Predictions:
        """A network's outputs for examples in an order, beside the truth, in the target's own terms.

        Of examples whose target is not known there is nothing to say.
        """
        truth, w = self.truths[output], None if self.w is None else self.w[order]
        values, decoded = truth.values[order], truth.target.decode(self.losses[output].predict(outputs))
        if truth.known is not None:
            known = truth.known[order]
            values, decoded, w = values[known], decoded[known], None if w is None else w[known]
        return truth.target.predictions(decoded, values, w)

    def answered(self, output: str, answer: Array) -> Predictions:
        """One decoded answer (columns,) for every example beside the truth, for the metrics."""
        truth = self.truths[output]
        return truth.target.beside(answer, truth.present, None if self.w is None else truth.of_present(self.w))

    def for_losses(self, losses: Mapping[str, Loss]) -> Dataset:
        """The same examples, with their targets as losses take them."""
        return replace(self, losses=losses)

    def subset(self, indices: Array) -> Dataset:
        """Some of the examples."""
        return replace(
            self,
            inputs={name: feed.subset(indices) for name, feed in self.inputs.items()},
            truths={name: truth.subset(indices) for name, truth in self.truths.items()},
            numbers=self.numbers[indices],
            w=None if self.w is None else self.w[indices],
        )
