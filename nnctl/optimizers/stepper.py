"""An optimizer at work: its state, and the step over the flat vector."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from nnctl.engine.parameters import Array, Layout
from nnctl.engine.workers import Workers
from nnctl.errors import ConfigError
from nnctl.optimizers.base import Optimizer, Work

#: Entries updated at a time. Measured with Adam in ns an entry, on one and two threads: of 235,000 float32 parameters
#: 1.46 and 1.31 with 32,768 (calling NumPy and handing over dominate), 1.38 and 0.96 with 65,536, 1.34 and 0.88 with
#: 131,072; of 4 million 1.75 and 1.25, 1.83 and 1.01, 1.73 and 0.92.
BLOCK = 131_072


@dataclass(frozen=True)
class Block:
    """A piece of the flat vector.

    Attributes:
        span: where it is.
        scale: of its learning rate.
        decayed: how many of its first entries decay.
        state: its part of the state vectors.
        work: two scratch arrays.
    """

    span: slice
    scale: float
    decayed: int
    state: dict[str, Array]
    work: Work


class Stepper:
    """Steps theta along gradients; the only holder of an optimizer's arrays.

    The rule is elementwise, so the result depends neither on the block size nor on the threads, to
    the bit.

    Attributes:
        t: steps taken so far.
        scales: the factors of the learning rate that tensors have.
        vectors: the state vectors by name, each as long as the trained part of theta.
        memory: the optimizer's own numbers.
    """

    def __init__(
        self, optimizer: Optimizer, layout: Layout, dtype: DTypeLike, workers: Workers | None = None, block: int = BLOCK
    ) -> None:
        self.optimizer = optimizer
        self.workers = workers or Workers()
        self.t = 0
        self.memory: dict[str, float] = {}
        size, decayed = layout.trained.stop, layout.decayed.stop
        self.vectors = {name: self.workers.share(v) for name, v in optimizer.initial(size, dtype).items()}
        # Worker i runs blocks i, i + threads, ...: these share the scratch arrays, so that they stay in its cache.
        scratch = [np.empty((2, min(block, size)), dtype) for _ in range(self.workers.threads)]
        self.blocks = []
        pieces = [
            (slice(start, min(start + block, whole.stop)), scale)
            for whole, scale in layout.rates()
            for start in range(whole.start, whole.stop, block)
        ]
        for i, (span, scale) in enumerate(pieces):
            length = span.stop - span.start
            first, second = scratch[i % len(scratch)][:, :length]
            state = {name: vector[span] for name, vector in self.vectors.items()}
            self.blocks.append(Block(span, scale, min(max(decayed - span.start, 0), length), state, (first, second)))
        self.scales = sorted({block.scale for block in self.blocks})

    def step(self, theta: Array, g: Array, rate: float) -> None:
        """One step of theta, in place, along the gradient g; `rate` is the learning rate after the schedule."""
        self.t += 1
        before, rules = self.memory, {}
        for scale in self.scales:
            self.memory = dict(before)  # the same for every rate
            rules[scale] = self.optimizer.coefficients(self.t, rate * scale, self.memory)

        def update(block: Block) -> None:
            part = theta[block.span]
            shrink = 1 - rate * block.scale * self.optimizer.weight_decay
            if shrink != 1:
                part[: block.decayed] *= shrink
            self.optimizer.update(part, g[block.span], block.state, rules[block.scale], block.work)

        self.workers.meet()  # nobody reads theta any more
        self.workers.run(update, self.blocks)

    def state(self) -> tuple[dict[str, Array], dict[str, float]]:
        """A copy of everything the next step depends on beside theta, for a checkpoint."""
        return {name: vector.copy() for name, vector in self.vectors.items()}, {**self.memory, "t": self.t}

    def restore(self, vectors: Mapping[str, Array], memory: Mapping[str, float]) -> None:
        """Continue from a saved state; raises ConfigError for one of another optimizer or network."""
        saved, needed = (
            {name: (vector.shape, vector.dtype.name) for name, vector in held.items()}
            for held in (vectors, self.vectors)
        )
        if saved != needed or "t" not in memory:
            raise ConfigError(
                f"the saved optimizer state holds {saved or 'no vectors'}, where {self.optimizer.type} on this network "
                f"keeps {needed or 'no vectors'}; resume with the optimizer, model and dtype the state was saved with"
            )
        for name, vector in vectors.items():
            self.vectors[name][...] = vector
        self.memory = {name: value for name, value in memory.items() if name != "t"}
        self.t = int(memory["t"])
