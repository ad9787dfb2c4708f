"""The objective J(theta) over a minibatch and its gradient, computed shard by shard.

A minibatch is cut into shards that run forward and backward through the whole network
independently, on any number of threads. Losses and gradients are added up in shard order. The plan
depends on the model and the batch size and not on the machine, so the number of threads changes the
time and not one bit of the result.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from nnctl.engine.batch import Batch
from nnctl.engine.loss import Head, Loss
from nnctl.engine.means import counted
from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers

#: A shard must do at least this many multiply-adds in its forward pass to be worth a thread: below
#: it, handing over costs more than the second core gains. Measured on two cores with 784-256-128-10, forward
#: and backward: a batch of 128 takes 1.10 ms in 2 shards and 1.50 in 3, one of 512 takes 3.6 ms in 4 and 4.3 in 8.
SHARD_MULTIPLY_ADDS = 12_000_000
MOST_SHARDS = 4


def plan_shards(network: Network, rows: int, most: int = MOST_SHARDS) -> list[slice]:
    """Cut a batch of `rows` examples into 1, 2, 4, ... shards, `most` at most, of equal size, give or take an example.

    A power of two shares out evenly among as many cores.
    """
    by_work = 1 if network.couples_examples else rows * network.multiply_adds // SHARD_MULTIPLY_ADDS
    count = 1 << (max(1, min(by_work, most, rows)).bit_length() - 1)
    edges = [rows * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def scales(loss: Loss, t: Array, w: Array | None, dtype: Any, total: float | None = None) -> tuple[Array, float]:
    """Each example's weight in the batch's mean loss, and the mean's normaliser.

    s_i = w_i / sum_j w_j m_j, as in `engine.loss`; `total` is that sum where it is over more examples than these.
    """
    if w is None and loss.mass(t) is None:  # most often, and 6 us quicker
        total = float(len(t)) if total is None else total
        return np.full(len(t), 1.0 / total, dtype), total
    weights, own = loss.weighting(t, w)
    total = own if total is None else total
    return (weights / total if total > 0 else np.zeros(len(t))).astype(dtype), total


class MeanLoss:
    """J(theta) and dJ/dtheta for batches of examples, without regularization.

        J = sum over the outputs h of weight_h J_h,    J_h = sum_i s_hi L_hi

    Attributes:
        heads: loss and weight of every output, by name.
        gradient: dJ/dtheta of the last batch, flat.
        losses: J_h of the last batch, by output.
        masses: the normaliser of the last batch's mean loss, by output; 0 where no target was known.
        input_gradients: dJ/dx of the last batch by input, where `to_input` asked for it.
        passes: the shards' private memory, by shard.
    """

    def __init__(
        self,
        network: Network,
        heads: Mapping[str, Head],
        theta: Array,
        workers: Workers | None = None,
        *,
        to_input: bool = False,
        most_shards: int = MOST_SHARDS,
    ) -> None:
        self.network, self.heads, self.theta = network, dict(heads), theta
        self._most_shards = most_shards
        self.workers = workers or Workers()
        self.passes: list[Pass] = []
        self.gradient = np.zeros_like(theta)
        self.losses: dict[str, float] = {}
        self.masses: dict[str, float] = {}
        self.input_gradients: dict[str, Array] = {}
        self._to_input = to_input
        self._loss_slots: list[dict[str, Slot]] = []
        self._losses = self.workers.blank((len(heads), most_shards), np.float64)
        self._plans: dict[int, list[slice]] = {}  # by rows: planning walks all layers, 14 us

    def __call__(
        self,
        batch: Batch,
        *,
        address: Sequence[Any] = (0, "dropout"),
        outputs: Mapping[str, Array] | None = None,
        backward: bool = True,
        training: bool = True,
        only: str | None = None,
        masses: Mapping[str, float] | None = None,
    ) -> float:
        """J of a batch; fills `gradient` unless `backward` is False.

        Args:
            batch: the examples; each shard asks for its own rows of every input.
            address: of the pass's random streams; the shard's number is added.
            outputs: by output, receives what the network gives (batch, k).
            backward: whether to compute the gradient too.
            training: whether dropout drops and batch normalisation uses the batch.
            only: the one output that counts; left out, all do.
            masses: by output, what to divide by instead of the batch's own mass. With that of several batches, J and
                gradients of these add up to those of one batch of all their examples.
        """
        rows = len(batch)
        if rows not in self._plans:
            self._plans[rows] = plan_shards(self.network, rows, self._most_shards)
        shards = self._plans[rows]
        self._grow(len(shards))
        heads = self.heads if only is None else {only: self.heads[only]}
        dtype = self.theta.dtype
        loads = {
            h: scales(head.loss, batch.targets[h], batch.weights[h], dtype, None if masses is None else masses[h])
            for h, head in heads.items()
        }
        losses = {h: row for h, row in zip(self.heads, self._losses, strict=True) if h in heads}
        input_gradients: list[dict[str, Array]] = [{}] * len(shards)

        def run(i: int) -> None:
            own, shard, slots = shards[i], self.passes[i], self._loss_slots[i]
            shard.begin(training=training, address=(*address, i))
            ys = shard.forward({name: x[own] for name, x in batch.inputs.items()})
            dys = {}
            for name, head in heads.items():
                scale = loads[name][0][own]
                y, t = ys[name], batch.targets[name][own]
                each = head.loss.forward(y, t, slots[name])
                # Without weights of their own none is 0.
                losses[name][i] = float(scale @ (each if batch.weights[name] is None else counted(each, scale)))
                if outputs is not None and name in outputs:
                    outputs[name][own] = y
                if backward:
                    s = scale if head.weight == 1 else scale * scale.dtype.type(head.weight)
                    dys[name] = head.loss.backward(s, slots[name])
            if backward:
                input_gradients[i] = shard.backward(dys)

        self.workers.meet()  # nobody adds up the gradients of the batch before any more
        self.workers.run(run, range(len(shards)))
        if backward:
            self._add_up(len(shards))
            self._keep_input_gradients(batch, input_gradients)
        self.losses = {h: sum(parts[: len(shards)].tolist()) for h, parts in losses.items()}
        self.masses = {h: mass for h, (_, mass) in loads.items()}
        return weighted(self.losses, self.heads)

    def masses_of(self, batches: Sequence[Batch]) -> dict[str, float]:
        """By output, the normaliser of the mean loss over several batches."""
        return {
            h: sum(scales(head.loss, batch.targets[h], batch.weights[h], self.theta.dtype)[1] for batch in batches)
            for h, head in self.heads.items()
        }

    def pieces(self) -> list[Array]:
        """Which smooth piece every value of the last batch lies on, where layers or losses have kinks."""
        everywhere = []
        for shard, slots in zip(self.passes, self._loss_slots, strict=True):
            everywhere += [node.layer.pieces(shard.slots[name]) for name, node in self.network.nodes.items()]
            everywhere += [head.loss.pieces(slots[name]) for name, head in self.heads.items()]
        return [pieces for pieces in everywhere if pieces is not None]

    def track(self) -> None:
        """Update running statistics after a step; only one-shard networks have any."""
        if self.network.couples_examples:
            if self.workers.first:
                self.passes[0].track(self.theta)
            self.workers.meet()

    def _add_up(self, count: int) -> None:
        """The gradient of the batch: those of the shards, in their order."""
        if count == 1:
            if self.workers.several:  # each process changes its gradient for itself
                np.copyto(self.gradient, self.passes[0].gradient)
            else:
                self.gradient = self.passes[0].gradient
            return
        np.add(self.passes[0].gradient, self.passes[1].gradient, out=self.gradient)
        for shard in self.passes[2:count]:
            self.gradient += shard.gradient

    def _keep_input_gradients(self, batch: Batch, parts: Sequence[Mapping[str, Array]]) -> None:
        if self._to_input:
            self.input_gradients = {
                n: np.concatenate([part[n] for part in parts]) for n in batch.inputs if n in parts[0]
            }

    def _grow(self, count: int) -> None:
        while len(self.passes) < count:
            gradient = self.workers.blank(self.theta.shape, self.theta.dtype)
            self.passes.append(Pass(self.network, self.theta, gradient, to_input=self._to_input))
            self._loss_slots.append({h: Slot(self.theta.dtype, f"loss.{h}") for h in self.heads})


def weighted(losses: Mapping[str, float], heads: Mapping[str, Head]) -> float:
    """J from the losses of the outputs, the same sum everywhere: weight_h J_h, in the order of the heads."""
    return sum(heads[name].weight * loss for name, loss in losses.items())
