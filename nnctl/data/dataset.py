"""Examples ready for the network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.augmentation import Augmentation, augment
from nnctl.data.encoder import ArrayEncoder, Encoder
from nnctl.data.image_cache import gather
from nnctl.engine.batch import Batch, single
from nnctl.engine.loss import Loss
from nnctl.engine.parameters import Array, Shape


@dataclass(frozen=True)
class Dataset:
    """The examples of one part.

    Attributes:
        encoder: what made or makes them from raw data.
        x: for tables their inputs, encoded, (n, d); for arrays all examples of the source as they lie on
            disk, which are encoded batch by batch so that they need never fit into memory.
        truth: what is right, in the target's own terms (see `Target`); (n,) or (n, k).
        t: the same as the loss takes it, from `for_loss`.
        w: sample weights (n,), or None where all are 1.
        rows: which examples of `x` are meant, (n,); None for all.
        files: the file of each example of `x`, where each has one of its own.
        augmentations: what `batch` does to the examples; only the part that is trained on has any.
    """

    encoder: Encoder
    x: Array
    truth: Array
    t: Array
    w: Array | None = None
    rows: Array | None = None
    augmentations: tuple[Augmentation, ...] = ()
    files: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def input_shape(self) -> Shape:
        """The shape of one example."""
        return self.encoder.input_shape

    def take(self, indices: Array | slice, dtype: DTypeLike) -> Batch:
        """Some examples. Their arrays may be views: read, do not write."""
        return single(self.inputs(indices, dtype), *self.targets(indices, dtype))

    def inputs(self, indices: Array | slice, dtype: DTypeLike) -> Array:
        """The inputs of some examples."""
        x = self._raw(indices)
        if isinstance(self.encoder, ArrayEncoder):
            return self.encoder.transform(x, dtype)
        return x.astype(dtype, copy=False)

    def targets(self, indices: Array | slice, dtype: DTypeLike) -> tuple[Array, Array | None]:
        """The targets and the weights of some examples."""
        t = self.t[indices]
        w = None if self.w is None else self.w[indices]
        return t.astype(dtype, copy=False) if t.dtype.kind == "f" else t, w

    def batch(self, indices: Array, dtype: DTypeLike, seed: int, *address: int) -> Batch:
        """The same to train on: augmented by the random streams at an address, then encoded."""
        if not self.augmentations or not isinstance(self.encoder, ArrayEncoder):
            return single(Gathered(self, indices, dtype), *self.targets(indices, dtype))
        x = self._raw(indices)
        t = self.t[indices]
        if any(augmentation.mixes for augmentation in self.augmentations):
            t = self.encoder.target.shares(t)
        z, t = augment(self.augmentations, x.astype(dtype), t, seed, *address)
        if x.dtype == np.uint8:
            np.clip(z, 0, 255, out=z)
        w = None if self.w is None else self.w[indices]
        return single(self.encoder.transform(z, dtype), t.astype(dtype, copy=False) if t.dtype.kind == "f" else t, w)

    def _raw(self, indices: Array | slice) -> Array:
        return gather(self.x, indices if self.rows is None else self.rows[indices])

    def for_loss(self, loss: Loss, dtype: DTypeLike) -> Dataset:
        """The same examples with their targets as the loss takes them."""
        return replace(self, t=self.encoder.target.encode(self.truth, loss, dtype))


@dataclass(frozen=True)
class Gathered:
    """The inputs of a batch, brought together part by part, each on the thread that asks for it.

    Gathering a batch of 128 rows of 784 values takes 60 us, which is 5 % of the step of a small perceptron.
    """

    data: Dataset
    indices: Array
    dtype: DTypeLike

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, rows: slice) -> Array:
        return self.data.inputs(self.indices[rows], self.dtype)
