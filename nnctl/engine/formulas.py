"""Formulas on paper: what a layer or a loss says of its own mathematics.

Templates for one unit: {x} is what goes in and {y} what comes out; {o} is an output of the network, {t} its
target, {p} its probability and {k} the number of outputs. Settings stand under their own names. `[condition]`
is 1 where the condition holds and 0 elsewhere.
"""

from typing import Literal, NamedTuple

from nnctl.spec import Spec

#: Also what makes a probability of a logit.
SIGMOID = "1/(1 + exp(-{x}))"


class UnitFormula(NamedTuple):
    """A function that takes each unit for itself: its value, its slope, and whose settings stand in them."""

    value: str
    slope: str
    settings: Spec


class LossFormula(NamedTuple):
    """A loss; None is what is not written out.

    `term` is each output's part of the error; `total` is the error of the target's class where it is not a
    sum over the outputs; `slope` is its derivative with respect to an output.
    """

    term: str | None = None
    total: str | None = None
    slope: str | None = None
    probability: Literal["softmax", "sigmoid"] | None = None
