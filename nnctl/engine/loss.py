"""The contract every loss keeps."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from nnctl.engine.formulas import LossFormula
from nnctl.engine.means import counted
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.spec import Spec


class Loss(Spec):
    """An immutable value: how far outputs are from targets, and the slope of that.

    A loss is defined per example; the batch's loss is the weighted mean

        J = sum_i s_i L_i,    s_i = w_i / sum_j w_j m_j

    where `w` are the sample weights and `m` is the loss's own `mass` (class weights enter the
    normaliser this way; it is 1 otherwise). `backward` takes the scales `s`, which is what lets
    shards of one batch be computed apart and added up.
    """

    type: str

    #: Which kinds of target the loss is for; the first one is what a table's column is read as
    #: when both would do.
    tasks: ClassVar[tuple[Literal["classification", "multilabel", "regression"], ...]]
    #: How class targets reach the loss: `index` (an integer each) or `one_hot` (a 0/1 vector each;
    #: for two classes with one output, a single 0/1).
    encoding: ClassVar[Literal["index", "one_hot"]] = "one_hot"
    #: Whether classes stand in an order that means something.
    ordered: ClassVar[bool] = False
    #: Whether targets that are numbers reach it in their own units; else they are standardized where nothing is said.
    in_own_units: ClassVar[bool] = False
    #: Whether a target may be several classes in parts, as mixed examples have.
    takes_mixtures: ClassVar[bool] = True
    #: What it is measured in, where that has a name.
    unit: ClassVar[Literal["", "nats"]] = ""
    #: The activation of the outputs that the loss contains: it takes their nets, and computes the two together.
    contains: ClassVar[str | None] = None

    @classmethod
    def outputs(cls, classes: int) -> int:
        """How many outputs tell so many classes: one for each; some need but one (its sign or probability) for two."""
        return classes

    @property
    def takes_probabilities(self) -> bool:
        """Whether the outputs are to be what `contains` makes of nets, by a layer of the network."""
        return False

    @property
    def formula(self) -> LossFormula:
        """The loss on paper, as far as its settings leave it one that can be written out.

        Class weights are no part of it: they cancel in the weighted mean over one example.
        """
        return LossFormula()

    def terms(self, y: Array, t: Array) -> Array | None:
        """Each output's part (..., k) of the loss, where that is a sum over the outputs."""
        return None

    def forward(self, y: Array, t: Array, slot: Slot) -> Array:
        """The loss of each example (batch,), from outputs y (batch, k) and targets t."""
        raise NotImplementedError

    def backward(self, scale: Array, slot: Slot) -> Array:
        """The gradient of sum_i scale_i L_i with respect to the outputs, (batch, k)."""
        raise NotImplementedError

    def mass(self, t: Array) -> Array | None:
        """Each example's share in the normaliser, (batch,); None where it is 1."""
        return None

    def weighting(self, t: Array, w: Array | None) -> tuple[Array, float]:
        """The weights w_i of examples (1 where they have none), and the normaliser sum_j w_j m_j of their mean loss."""
        mass = self.mass(t)
        weights = np.ones(len(t)) if w is None else np.asarray(w, np.float64)
        return weights, float(np.sum(weights if mass is None else weights * counted(mass, weights)))

    def pieces(self, slot: Slot) -> Array | None:
        """Which smooth piece each value of the last forward pass lies on, as in `Layer.pieces`."""
        return None

    def predict(self, y: Array) -> Array:
        """What the outputs mean: values for regression; for classes and labels numbers in 0..1 (batch, k).

        These are probabilities where the loss has them, and in any case an output above 0.5 says yes.
        """
        return y

    def constant(self, mean: Array) -> Array | None:
        """The outputs y (k,), the same for every example, that say no more than the mean (k,) of the targets.

        Where that mean is all there is to know (squared error, entropies) no other constant has a smaller loss. None
        where outputs are scores, of which a mean is none.
        """
        return mean


@dataclass(frozen=True)
class Head:
    """An output's loss, and its weight in the sum over the outputs."""

    loss: Loss
    weight: float = 1.0
