"""Regularization: what keeps weights small."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Layout
from nnctl.spec import Spec

#: Entries worked on at a time, so that the scratch array stays in cache.
BLOCK = 32_768


class Regularization(Spec):
    """Penalties on the size of the weights w; biases and gains are left out.

        penalty     R = l1 sum |w| + l2 / 2 sum w^2
        gradient    dR/dw = l1 sign(w) + l2 w             (sign(0) = 0)

    R is added to the mean loss of the batch, whatever its size. A textbook's lambda / (2 m) sum w^2 over
    m training examples is l2 = lambda / m; scikit-learn's `alpha` is l2 times the size of the batch;
    Keras leaves out the 1/2, so that its l2 is half of this one; PyTorch's `weight_decay` of SGD and
    Adam is this l2. An optimizer's `weight_decay` is something else: it is decoupled from the gradient.

    After every step, `max_norm` scales the incoming weights w_j of each unit j back to

        w_j = w_j min(1, max_norm / |w_j|)

    where |w_j| is over all axes but the last of the weights (inputs..., units). Sources: Krogh and
    Hertz, "A simple weight decay can improve generalization", NIPS 1991; Tibshirani, "Regression
    shrinkage and selection via the lasso", 1996; max-norm: Srivastava et al., "Dropout", JMLR 15, 2014.

    ```yaml
    {l1: 0.0, l2: 1.0e-4, max_norm: 3.0}
    ```
    """

    l1: float = Field(0.0, ge=0, description="Weight of the sum of absolute weights; drives weights to zero.")
    l2: float = Field(0.0, ge=0, description="Weight of half the sum of squared weights; keeps weights small.")
    max_norm: float | None = Field(None, gt=0, description="Largest norm of a unit's incoming weights; null: any.")


class Term(NamedTuple):
    """One penalty on one piece of theta."""

    span: slice
    l1: float
    l2: float

    def blocks(self) -> Iterator[slice]:
        """The piece in parts that stay in cache."""
        for start in range(self.span.start, self.span.stop, BLOCK):
            yield slice(start, min(start + BLOCK, self.span.stop))


class Penalty:
    """A regularization compiled for the layout of one network."""

    def __init__(self, regularization: Regularization, layout: Layout) -> None:
        self.terms = [term for term in _terms(regularization, layout) if term.l1 or term.l2]
        self.max_norm = regularization.max_norm
        self._units = [
            (layout.slices[name], parameter.shape[-1])
            for name, parameter in layout.parameters.items()
            if parameter.trainable and parameter.decays and len(parameter.shape) > 1
        ]

    def value(self, theta: Array) -> float:
        """R(theta), added up in float64."""
        total = 0.0
        for term in self.terms:
            for block in term.blocks():
                size = np.abs(theta[block], dtype=np.float64)
                if term.l1:
                    total += term.l1 * float(size.sum())
                if term.l2:
                    total += term.l2 / 2 * float(np.square(size, out=size).sum())
        return total

    def add_gradient(self, theta: Array, g: Array) -> None:
        """Add dR/dtheta to g, in place."""
        scratch = np.empty(min(BLOCK, len(theta)), theta.dtype)
        for term in self.terms:
            for block in term.blocks():
                w, part = theta[block], scratch[: block.stop - block.start]
                if term.l2:
                    np.multiply(w, term.l2, out=part)
                    g[block] += part
                if term.l1:
                    np.sign(w, out=part)
                    part *= term.l1
                    g[block] += part

    def constrain(self, theta: Array) -> None:
        """Scale units whose incoming weights are longer than `max_norm` back to it, in place."""
        if self.max_norm is None:
            return
        for span, units in self._units:
            w = theta[span].reshape(-1, units)  # a view: (inputs, units)
            length = np.sqrt(np.square(w, dtype=np.float64).sum(axis=0))  # (units,)
            if (length > self.max_norm).any():
                w *= (self.max_norm / np.maximum(length, self.max_norm)).astype(w.dtype)


def _terms(everywhere: Regularization, layout: Layout) -> Iterator[Term]:
    """The decayed part as a whole, or a term for each tensor where some have penalties of their own."""
    trained = {name: p for name, p in layout.parameters.items() if p.trainable}
    if all(p.l1 is None and p.l2 is None for p in trained.values()):
        yield Term(layout.decayed, everywhere.l1, everywhere.l2)
        return
    for name, p in trained.items():
        l1, l2 = (everywhere.l1, everywhere.l2) if p.decays else (0.0, 0.0)
        yield Term(layout.slices[name], l1 if p.l1 is None else p.l1, l2 if p.l2 is None else p.l2)
