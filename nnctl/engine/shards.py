"""The objective J(theta) over a minibatch and its gradient, computed shard by shard.

A minibatch is cut into shards that run forward and backward through the whole network
independently, on any number of threads. Losses and gradients are added up in shard order. The plan
depends on the model and the batch size and not on the machine, so the number of threads changes the
time and not one bit of the result.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from nnctl.engine.loss import Loss
from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers

#: A shard must do at least this many multiply-adds in its forward pass to be worth a thread: below
#: it, handing over costs more than the second core gains. Measured on two cores with 784-256-128-10, forward
#: and backward: a batch of 128 takes 1.10 ms in 2 shards and 1.50 in 3, one of 512 takes 3.6 ms in 4 and 4.3 in 8.
SHARD_MULTIPLY_ADDS = 12_000_000
MOST_SHARDS = 4


class Rows(Protocol):
    """A batch's inputs: an array, or what makes one of each part that is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Array: ...


def plan_shards(network: Network, rows: int) -> list[slice]:
    """Cut a batch of `rows` examples into 1, 2 or 4 shards of equal size, give or take an example.

    A power of two shares out evenly among as many cores.
    """
    by_work = 1 if network.couples_examples else rows * network.multiply_adds // SHARD_MULTIPLY_ADDS
    count = 1 << (max(1, min(by_work, MOST_SHARDS, rows)).bit_length() - 1)
    edges = [rows * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def scales(loss: Loss, t: Array, w: Array | None, dtype: Any) -> tuple[Array, float]:
    """Each example's weight in the batch's mean loss, and the mean's normaliser.

    s_i = w_i / sum_j w_j m_j, as in `engine.loss`.
    """
    mass = loss.mass(t)
    if w is None and mass is None:
        return np.full(len(t), 1.0 / len(t), dtype), float(len(t))
    weights = np.ones(len(t)) if w is None else np.asarray(w, np.float64)
    total = float(np.sum(weights if mass is None else weights * mass))
    return (weights / total if total > 0 else np.zeros(len(t))).astype(dtype), total


class Objective:
    """J(theta) and dJ/dtheta for batches of examples, without regularization.

    Attributes:
        gradient: dJ/dtheta of the last batch, flat.
        mass: the normaliser of the last batch's mean loss.
        input_gradient: dJ/dx of the last batch, where `to_input` asked for it.
        passes: the shards' private memory, by shard.
    """

    def __init__(
        self, network: Network, loss: Loss, theta: Array, workers: Workers | None = None, *, to_input: bool = False
    ) -> None:
        self.network, self.loss, self.theta = network, loss, theta
        self.workers = workers or Workers()
        self.passes: list[Pass] = []
        self.gradient = np.zeros_like(theta)
        self.mass = 0.0
        self.input_gradient = np.zeros(0)
        self._to_input = to_input
        self._loss_slots: list[Slot] = []
        self._plans: dict[int, list[slice]] = {}  # by rows: planning walks all layers, 14 us

    def __call__(
        self,
        x: Rows,
        t: Array,
        w: Array | None = None,
        *,
        address: Sequence[Any] = (0, "dropout"),
        outputs: Array | None = None,
        backward: bool = True,
        training: bool = True,
    ) -> float:
        """The mean loss of a batch; fills `gradient` unless `backward` is False.

        Args:
            x: inputs (batch, *input_shape); each shard asks for its own part.
            t: targets, as the loss takes them.
            w: sample weights (batch,), or None for 1.
            address: of the pass's random streams; the shard's number is added.
            outputs: receives the network's outputs (batch, k), where given.
            backward: whether to compute the gradient too.
            training: whether dropout drops and batch normalisation uses the batch.
        """
        if len(x) not in self._plans:
            self._plans[len(x)] = plan_shards(self.network, len(x))
        shards = self._plans[len(x)]
        self._grow(len(shards))
        scale, self.mass = scales(self.loss, t, w, self.theta.dtype)
        losses = [0.0] * len(shards)
        if self._to_input:
            self.input_gradient = np.zeros((len(x), *self.network.shapes[0]), self.theta.dtype)

        def run(i: int) -> None:
            rows, shard, slot = shards[i], self.passes[i], self._loss_slots[i]
            shard.begin(training=training, address=(*address, i))
            y = shard.forward(x[rows])
            losses[i] = float(scale[rows] @ self.loss.forward(y, t[rows], slot))
            if outputs is not None:
                outputs[rows] = y
            if backward:
                dx = shard.backward(self.loss.backward(scale[rows], slot))
                if self._to_input:
                    self.input_gradient[rows] = dx

        self.workers.run(run, range(len(shards)))
        if backward and len(shards) > 1:
            np.add(self.passes[0].gradient, self.passes[1].gradient, out=self.gradient)
            for shard in self.passes[2 : len(shards)]:
                self.gradient += shard.gradient
        elif backward:
            self.gradient = self.passes[0].gradient
        return sum(losses)

    def pieces(self) -> list[Array]:
        """Which smooth piece every value of the last batch lies on, where layers or the loss have kinks."""
        found = []
        for shard, loss_slot in zip(self.passes, self._loss_slots, strict=True):
            found += [layer.pieces(s) for layer, s in zip(self.network.layers, shard.slots, strict=True)]
            found.append(self.loss.pieces(loss_slot))
        return [pieces for pieces in found if pieces is not None]

    def track(self) -> None:
        """Update running statistics after a step; only one-shard networks have any."""
        if self.network.couples_examples:
            self.passes[0].track(self.theta)

    def _grow(self, count: int) -> None:
        while len(self.passes) < count:
            self.passes.append(Pass(self.network, self.theta, np.zeros_like(self.theta), to_input=self._to_input))
            self._loss_slots.append(Slot(self.theta.dtype, "loss"))
