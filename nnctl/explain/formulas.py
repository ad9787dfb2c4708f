"""What activations and losses look like on paper.

Templates for one unit: {x} is what goes in and {y} what comes out; {o} is an output of the network, {t} its
target, {p} its probability and {k} the number of outputs. Settings of the function stand under their own
names. `[condition]` is 1 where the condition holds and 0 elsewhere.
"""

from typing import Literal, NamedTuple

from nnctl.activations import Activation as Function
from nnctl.activations.softmax import LogSoftmax, Softmax
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Loss
from nnctl.explain.blocks import Quantity, factor
from nnctl.layers import Activation
from nnctl.spec import Spec

SIGMOID = "1/(1 + exp(-{x}))"

#: The function and its slope. Functions that are not here go by their names.
ACTIVATIONS = {
    "linear": ("{x}", "1"),
    "step": ("[{x} >= 0]", "0"),
    "sigmoid": (SIGMOID, "{y}*(1 - {y})"),
    "tanh": ("tanh({x})", "1 - {y}^2"),
    "softsign": ("{x}/(1 + abs({x}))", "(1 - abs({y}))^2"),
    "relu": ("max(0, {x})", "[{x} > 0]"),
    "leaky_relu": ("max(0, {x}) + {slope}*min(0, {x})", "[{x} > 0] + {slope}*[{x} <= 0]"),
    "elu": ("max(0, {x}) + {alpha}*(exp(min(0, {x})) - 1)", "[{x} > 0] + {alpha}*exp({x})*[{x} <= 0]"),
    "softplus": ("log(1 + exp({beta}*{x}))/{beta}", "1/(1 + exp(-{beta}*{x}))"),
}
#: Their units depend on each other: there is no slope of one unit.
COUPLED = (Softmax, LogSoftmax)


def elementwise(layer: Layer) -> Function | None:
    """The function of a layer that takes each unit for itself; None for other layers."""
    if isinstance(layer, Activation) and not isinstance(layer.function, COUPLED):
        return layer.function
    return None


def activation_formula(function: Function) -> tuple[str, str]:
    """The templates of an activation and its slope."""
    return ACTIVATIONS.get(function.type, (function.type + "({x})", function.type + "'({x})"))


class LossFormula(NamedTuple):
    """A loss on paper; None is what is not written out.

    `term` is each output's part of the error; `total` is the error of the target's class where it is not a
    sum over the outputs; `slope` is its derivative with respect to an output.
    """

    term: str | None = None
    total: str | None = None
    slope: str | None = None
    probability: Literal["softmax", "sigmoid"] | None = None


_ENTROPY = "-({t}*log({p}) + (1 - {t})*log(1 - {p}))"
_ENTROPY_GIVEN = "-({t}*log({o}) + (1 - {t})*log(1 - {o}))"
_ENTROPY_SLOPE = "({o} - {t})/({o}*(1 - {o}))"

#: By type, or by type and what sets the variant apart.
LOSSES = {
    "squared_error": LossFormula("1/2*({t} - {o})^2", slope="{o} - {t}"),
    "mean_squared_error": LossFormula("({t} - {o})^2/{k}", slope="2*({o} - {t})/{k}"),
    "mean_absolute_error": LossFormula("abs({t} - {o})/{k}", slope="sign({o} - {t})/{k}"),
    "huber": LossFormula(slope="max(-{delta}, min({delta}, {o} - {t}))/{k}"),
    "smooth_l1": LossFormula(slope="max(-1, min(1, ({o} - {t})/{beta}))/{k}"),
    "hinge": LossFormula("max(0, 1 - (2*{t} - 1)*{o})/{k}", slope="(1 - 2*{t})*[(2*{t} - 1)*{o} < 1]/{k}"),
    "hinge squared": LossFormula(
        "max(0, 1 - (2*{t} - 1)*{o})^2/{k}", slope="2*(1 - 2*{t})*max(0, 1 - (2*{t} - 1)*{o})/{k}"
    ),
    "perceptron": LossFormula("([{o} >= 0] - {t})*{o}", slope="[{o} >= 0] - {t}"),
    "cross_entropy logits": LossFormula(total="-log({p})", slope="{p} - {t}", probability="softmax"),
    "cross_entropy probabilities": LossFormula(total="-log({o})", slope="-{t}/{o}"),
    "kl_divergence": LossFormula(slope="{p} - {t}", probability="softmax"),
    "binary_cross_entropy logits": LossFormula(_ENTROPY + "/{k}", slope="({p} - {t})/{k}", probability="sigmoid"),
    "binary_cross_entropy probabilities": LossFormula(_ENTROPY_GIVEN + "/{k}", slope=_ENTROPY_SLOPE + "/{k}"),
    "logistic logits": LossFormula(_ENTROPY, slope="{p} - {t}", probability="sigmoid"),
    "logistic probabilities": LossFormula(_ENTROPY_GIVEN, slope=_ENTROPY_SLOPE),
}
#: Settings that change a formula beyond what its template says. Class weights do not: they cancel in the
#: weighted mean over one example.
PLAIN = {"label_smoothing": 0.0, "positive_weight": 1.0, "temperature": 1.0}


def loss_formula(loss: Loss) -> LossFormula:
    """The templates of a loss; empty where its settings make it another formula."""
    if any(getattr(loss, name, plain) != plain for name, plain in PLAIN.items()):
        return LossFormula()
    variant = "squared" if getattr(loss, "squared", False) else getattr(loss, "input", None)
    return LOSSES[loss.type if variant is None else f"{loss.type} {variant}"]


def constants(function: Spec) -> dict[str, Quantity]:
    """The settings of a function, for its template: they stand as numbers."""
    settings = {name: getattr(function, name) for name in type(function).model_fields}
    return {
        name: Quantity(factor(value), value)
        for name, value in settings.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def options(spec: Spec, *leave_out: str) -> str:
    """The settings that are not as they are by default, in brackets."""
    fields = type(spec).model_fields
    changed = {
        name: getattr(spec, name)
        for name, field in fields.items()
        if name not in ("type", *leave_out) and getattr(spec, name) != field.default
    }
    return f" ({', '.join(f'{name} {value}' for name, value in changed.items())})" if changed else ""
