"""What losses share: how far apart outputs and targets are counted, and class weights."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from nnctl.engine.loss import Loss
from nnctl.engine.means import counted
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError, DataError
from nnctl.losses.logits import weighted
from nnctl.names import unknown
from nnctl.spec import Listed

Tasks = tuple[Literal["classification", "multilabel", "regression"], ...]
Weight = Annotated[float, Field(ge=0)]


class LossSpec(Loss):
    """A loss that may depend on what the training data holds."""

    def resolved(self, class_names: tuple[str, ...], counts: Array) -> Self:
        """The loss with everything inferred from the training data written down.

        `counts` are the training examples (or their total weight) of each class. Only class weights
        are inferred; a loss without them is returned as it is.
        """
        return self

    def refuse_other_outputs(self, outputs: int) -> None:
        """Raise ConfigError where a setting is for another number of outputs."""


def scaled(slope: Array, scale: Array, slot: Slot) -> Array:
    """The slopes (..., k) of examples times their scales (...); 0 where the scale is 0, whatever the slope."""
    dy = slot.buffer("dy", slope.shape, slope.dtype)
    return np.multiply(counted(slope, scale), scale[..., None], out=dy)


#: How far targets may lie outside by rounding, as mixtures of 0 and 1 do.
ROUNDING = 1e-3


def refuse_outside(t: Array, what: str, low: float, high: float) -> None:
    """Raise DataError where targets lie outside [low, high]: the loss would be a number without a meaning.

    Unknown ones (nan) are for a weight of 0 to leave out.
    """
    if t.size and (t.min() < low - ROUNDING or t.max() > high + ROUNDING):
        wrong = t[(t < low - ROUNDING) | (t > high + ROUNDING)].flat[0]
        raise DataError(f"{what} from {low:g} to {high:g}, and a target is {wrong:g}")


class ClassLoss(LossSpec):
    """A loss for classes, with a weight for each."""

    class_weights: Literal["balanced"] | Mapping[str | int, Weight] | Annotated[tuple[Weight, ...], Listed] | None = (
        Field(
            None,
            description="How much an example of each class counts: `balanced` (n / (C n_c): each class as much as the "
            "others), a mapping from class names to weights (1 for those not named), or a list in class order.",
        )
    )

    def resolved(self, class_names: tuple[str, ...], counts: Array) -> Self:
        """The loss with its class weights as a tuple in class order.

        Balanced weights are n / (C n_c), for n examples, n_c of them of class c, and C classes. Source: King and
        Zeng, "Logistic regression in rare events data", 2001; the form is scikit-learn's.
        """
        weights = self.class_weights
        if weights is None:
            return self
        if not class_names:
            raise ConfigError(
                "loss.class_weights: weights classes, and the target has none; leave it out, or weight examples by a "
                "column, data.weight"
            )
        if isinstance(weights, Mapping):
            resolved = named(weights, class_names)
        elif isinstance(weights, tuple):
            resolved = listed(weights, class_names)
        else:
            resolved = balanced(class_names, counts)
        if not any(resolved):
            raise ConfigError("loss.class_weights: are all 0, so that no example counts; give a class a weight above 0")
        return self.model_copy(update={"class_weights": resolved})

    @property
    def weights(self) -> Array | None:
        """The weight of each class in class order; None where all are 1."""
        if self.class_weights is None:
            return None
        if not isinstance(self.class_weights, tuple):
            raise TypeError("class weights by name are used before resolved() put them in class order")
        return np.array(self.class_weights)

    def mass(self, t: Array) -> Array | None:
        """The class weight c of targets t (..., k) of 0 and 1, so that a weight of 2 is having the example twice.

        one output:  c = t w_1 + (1 - t) w_0
        k outputs:   c = the mean weight of the classes the example has; 1 if it has none
        """
        weights = self.weights
        if weights is None:
            return None
        if t.shape[-1] == 1 and len(weights) == 2:
            return np.asarray(weights[0] + (weights[1] - weights[0]) * t[..., 0])
        classes = t.sum(axis=-1, dtype=np.float64)
        mean: Array = np.divide((t * weights).sum(axis=-1), classes, out=np.ones_like(classes), where=classes > 0)
        return mean

    def constant(self, mean: Array) -> Array | None:
        """The mean over the examples, each counting as much as its class."""
        weights = self.weights
        if weights is None:
            return mean
        shares = weights * (np.array([1 - mean[0], mean[0]]) if len(mean) == 1 else mean)
        return np.asarray((shares / shares.sum())[-len(mean) :])


class IndexLoss(ClassLoss):
    """A loss on the numbers of classes, integers (...,), or on distributions over the classes, floats (..., C)."""

    encoding: ClassVar[Literal["index", "one_hot"]] = "index"

    def fill(self, q: Array, t: Array) -> None:
        """Write the targets t as distributions q (..., C): 1 for the class, or what they are."""
        if t.dtype.kind == "f":
            refuse_outside(t, f"{self.type} takes the probabilities of classes,", 0, 1)
            np.copyto(q, t)
        else:
            np.equal(t[..., None], np.arange(q.shape[-1]), out=q)

    def mass(self, t: Array) -> Array | None:
        """The weight of the target's class; 1 for a distribution."""
        weights = self.weights
        if weights is None or t.dtype.kind == "f":
            return None
        self.refuse_unknown(t, len(weights))
        return weights[t]

    def refuse_unknown(self, t: Array, classes: int) -> None:
        """Raise DataError where whole-number targets are no classes, which leaves their losses 0."""
        if t.dtype.kind != "f":
            refuse_outside(t, f"{self.type} takes the numbers of classes,", 0, classes - 1)


def balanced(class_names: tuple[str, ...], counts: Array) -> tuple[float, ...]:
    """Weights that make every class count the same in total."""
    for name, count in zip(class_names, counts, strict=True):
        if count == 0:
            raise ConfigError(
                f"loss.class_weights: balanced needs examples of every class, and training has none of {name!r}; "
                "give the weights as a mapping instead"
            )
    return tuple((counts.sum() / (len(class_names) * counts)).tolist())


def listed(weights: tuple[float, ...], class_names: tuple[str, ...]) -> tuple[float, ...]:
    """Weights already in class order, if there is one for each class."""
    if len(weights) != len(class_names):
        raise ConfigError(
            f"loss.class_weights: lists {len(weights)} weights, but there are {len(class_names)} classes: "
            + ", ".join(class_names)
        )
    return weights


def named(weights: Mapping[str | int, float], class_names: tuple[str, ...]) -> tuple[float, ...]:
    """Weights by class name, put in class order; 1 for a class not named."""
    by_name = {str(name): weight for name, weight in weights.items()}
    wrong = [name for name in by_name if name not in class_names]
    if wrong:
        raise ConfigError(f"loss.class_weights: the target has {unknown('class', wrong, class_names, 'classes')}")
    return tuple(by_name.get(name, 1.0) for name in class_names)


class ElementLoss(LossSpec):
    """A loss that is a sum, or the mean, over the outputs: L_i = c_i sum_j e(y_ij, t_ij), or that divided by k.

    c_i is the example's mass: 1, or its class weight.
    """

    def element(self, y: Array, t: Array, slot: Slot) -> Array:
        """The terms e (..., k)."""
        raise NotImplementedError

    def slope(self, slot: Slot) -> Array:
        """The derivatives de/dy (..., k) of the last forward pass."""
        raise NotImplementedError

    def share(self, outputs: int) -> float:
        """What each term counts: 1 / k for a mean over the outputs, 1 for a sum."""
        return 1 / outputs

    def terms(self, y: Array, t: Array) -> Array | None:
        terms: Array = self.element(y, t, Slot(y.dtype)) * self.share(y.shape[-1])
        return terms

    def forward(self, y: Array, t: Array, slot: Slot) -> Array:
        t = t.astype(y.dtype, copy=False)
        loss: Array = self.element(y, t, slot).sum(axis=-1)  # (...)
        loss *= self.share(y.shape[-1])
        mass = slot["mass"] = self.mass(t)
        return loss if mass is None else weighted(mass, loss).astype(y.dtype, copy=False)

    def backward(self, scale: Array, slot: Slot) -> Array:
        mass = slot["mass"]
        slope = self.slope(slot)  # (..., k)
        factor = scale if mass is None else scale * mass
        return scaled(slope, factor * self.share(slope.shape[-1]), slot)


class OneHotLoss(ElementLoss, ClassLoss):
    """A loss on 0/1 targets t (..., k), one output for each class or one for two classes."""

    encoding: ClassVar[Literal["index", "one_hot"]] = "one_hot"

    @classmethod
    def outputs(cls, classes: int) -> int:
        return 1 if classes == 2 else classes

    def forward(self, y: Array, t: Array, slot: Slot) -> Array:
        refuse_outside(t, f"{self.type} takes targets", 0, 1)
        return super().forward(y, t, slot)
