"""What a layer remembers between its forward and its backward pass.

Layers are immutable and hold no arrays; parameters are read-only within a step. Everything else
lives in a slot: the saved inputs and outputs, buffers that are reused from step to step, and the
address of the random stream. A slot belongs to one layer and one shard, so shards can run at the
same time.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnctl.engine.parameters import Array, Shape
from nnctl.engine.randomness import stream


class Slot:
    """The memory of one layer for one shard.

    Attributes:
        dtype: of buffers, the same as the parameter vector's.
        input_gradient: whether the gradient with respect to the input is wanted. The first layer
            with parameters is spared that product in training.
        training: whether dropout drops and batch normalisation uses the batch.
        address: (seed, purpose, ...) of the pass under way; together with the slot's own path
            it names the layer's random stream. The same address gives the same dropout mask,
            which is how the gradient check holds masks still.
        lengths: of the sequences whose steps the layer reads, (batch,); None where it reads none.
    """

    __slots__ = ("_buffers", "address", "dtype", "input_gradient", "lengths", "path", "saved", "training")

    def __init__(self, dtype: DTypeLike, path: str = "") -> None:
        self.dtype = np.dtype(dtype)
        self.path = path
        self.training = False
        self.input_gradient = True
        self.address: tuple[Any, ...] = (0, "dropout")
        self.saved: dict[str, Any] = {}
        self.lengths: Array | None = None
        self._buffers: dict[str, Array] = {}

    def buffer(self, name: str, shape: Shape, dtype: DTypeLike | None = None) -> Array:
        """An uninitialised array that is reused by later passes.

        The first axis may shrink from call to call (the last batch of an epoch is often smaller):
        the same memory is used again.
        """
        held = self._buffers.get(name)
        if held is not None:
            if held.shape == shape:
                return held
            if held.shape[1:] == shape[1:] and held.shape[0] >= shape[0]:
                return held[: shape[0]]
        held = np.empty(shape, self.dtype if dtype is None else dtype)
        self._buffers[name] = held
        return held

    @property
    def random(self) -> np.random.Generator:
        """The random stream of this layer in this pass, at its beginning."""
        return stream(*self.address, self.path)

    def __getitem__(self, name: str) -> Any:
        return self.saved[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.saved[name] = value
