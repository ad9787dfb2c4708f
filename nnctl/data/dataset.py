"""Examples ready for the network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from numpy.typing import DTypeLike

from nnctl.data.encoder import ArrayEncoder, Encoder
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
    """

    encoder: Encoder
    x: Array
    truth: Array
    t: Array
    w: Array | None = None
    rows: Array | None = None

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def input_shape(self) -> Shape:
        """The shape of one example."""
        return self.encoder.input_shape

    def take(self, indices: Array | slice, dtype: DTypeLike) -> tuple[Array, Array, Array | None]:
        """Inputs, targets and weights of some examples. They may be views: read, do not write."""
        x = self.x[indices if self.rows is None else self.rows[indices]]
        t = self.t[indices]
        return (
            self.encoder.transform(x, dtype) if isinstance(self.encoder, ArrayEncoder) else x.astype(dtype, copy=False),
            t.astype(dtype, copy=False) if t.dtype.kind == "f" else t,
            None if self.w is None else self.w[indices],
        )

    def for_loss(self, loss: Loss, dtype: DTypeLike) -> Dataset:
        """The same examples with their targets as the loss takes them."""
        return replace(self, t=self.encoder.target.encode(self.truth, loss, dtype))
