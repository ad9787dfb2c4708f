"""Break every backward formula there is, one at a time: the gradient check must say no, and where."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from nnctl.activations import AnyActivation
from nnctl.activations.gated import Gelu
from nnctl.activations.sigmoids import Sigmoid, Tanh
from nnctl.activations.softmax import Softmax
from nnctl.cli.main import main
from nnctl.engine.batch import INPUT
from nnctl.engine.gradcheck import Settings
from nnctl.engine.layer import Layer
from nnctl.engine.parameters import Array
from nnctl.engine.slot import Slot
from nnctl.initializers import Normal
from nnctl.layers import (
    Activation,
    Add,
    AnyLayer,
    AttentionPool,
    AveragePool1d,
    AveragePool2d,
    BatchNormalization,
    Concatenate,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePool,
    GlobalMaxPool,
    Glu,
    GroupNormalization,
    Gru,
    InstanceNormalization,
    Last,
    LayerNormalization,
    Lstm,
    MaxPool1d,
    MaxPool2d,
    Parallel,
    PRelu,
    Reshape,
    Residual,
    RmsNormalization,
    Rnn,
    SwiGlu,
    Upsample,
    Use,
)
from nnctl.layers.convolution import Filters
from nnctl.layers.normalization import Normalization
from nnctl.losses import AnyLoss
from nnctl.losses.base import LossSpec
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy, Logistic
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.focal import Focal
from nnctl.losses.kl_divergence import KLDivergence
from nnctl.losses.margin import Hinge
from nnctl.losses.ordinal import Ordinal
from nnctl.losses.regression import Huber, Quantile, SmoothL1, SquaredError
from nnctl.regularization import Penalty, Regularization
from nnctl.training.gradients import ALL, GradientReport
from tests.networks import Network, chain, check_network

SPREAD = Normal(deviation=0.6)
ROWS, OUTPUTS = 8, 3
QUICK = Settings(samples=6)


def members(union: Any) -> tuple[type[Any], ...]:
    return get_args(get_args(union)[0])


def dense(units: int, **settings: Any) -> Dense:
    return Dense(units=units, init=SPREAD, bias_init=SPREAD, **settings)


@dataclass(frozen=True)
class Case:
    """A model, and the layer in it that is to be broken."""

    name: str
    layers: tuple[Any, ...]
    loss: Any = field(default_factory=SquaredError)
    input_shape: tuple[int, ...] = (4,)
    l1: float = 0.0
    l2: float = 0.0

    def __str__(self) -> str:
        return self.name

    @property
    def smooth(self) -> bool:
        kinked = {"hinge", "mean_absolute_error", "quantile", "perceptron"}
        kinked |= {"prelu", "max_pool1d", "max_pool2d", "global_max_pool"}
        functions = [layer.function for layer in self.layers if isinstance(layer, Activation)]
        types = {self.loss.type, *(layer.type for layer in self.layers)}
        return not (self.l1 or types & kinked or any(f.kinks for f in functions))

    @property
    def network(self) -> Network:
        return chain(self.layers, self.input_shape)

    def check(self) -> GradientReport:
        random, network = np.random.default_rng(11), self.network
        x = random.normal(size=(ROWS, *self.input_shape))
        t, w = targets(self.loss, random), random.uniform(0.5, 2, ROWS)
        penalty = Penalty(Regularization(l1=self.l1, l2=self.l2), network.layout)
        return check_network(network, self.loss, network.layout.initial(5), x, t, w, penalty, 7, QUICK)


def targets(loss: LossSpec, random: np.random.Generator) -> Array:
    if loss.encoding == "index":
        return random.integers(0, OUTPUTS + loss.ordered, ROWS)
    if isinstance(loss, KLDivergence):
        return random.dirichlet(np.ones(OUTPUTS), ROWS)
    if loss.in_own_units:
        return random.poisson(2.0, (ROWS, OUTPUTS)).astype(float)
    if "regression" in loss.tasks:
        return random.normal(size=(ROWS, OUTPUTS))
    return random.integers(0, 2, (ROWS, OUTPUTS)).astype(float)


def between(layer: Layer, input_shape: tuple[int, ...] = (4,), name: str | None = None) -> Case:
    """The layer in the middle: `dense1` lies before it, `dense2` after it. No bias before a
    normalisation, which takes it out again."""
    layers = (dense(4, bias=False), layer, Flatten(), dense(OUTPUTS))
    return Case(
        name or layer.kind, layers if len(input_shape) > 1 else (*layers[:2], layers[3]), input_shape=input_shape
    )


def ending(loss: LossSpec, activation: Any = None) -> Case:
    last = [Activation(function=activation)] if activation else []
    return Case(loss.type, (dense(3), Activation(function=Tanh()), dense(OUTPUTS), *last), loss)


def filters(cls: type[Any], **settings: Any) -> Any:
    return cls(filters=4, kernel=2, init=SPREAD, bias_init=SPREAD, **settings)


LAYERS = {
    Dense: between(dense(4)),
    Activation: between(Activation(function=Tanh())),
    PRelu: between(PRelu()),
    Dropout: between(Dropout(rate=0.3)),
    GaussianNoise: between(GaussianNoise(deviation=0.3)),
    BatchNormalization: between(BatchNormalization()),
    LayerNormalization: between(LayerNormalization()),
    RmsNormalization: between(RmsNormalization()),
    InstanceNormalization: between(InstanceNormalization(), (3, 4)),
    Glu: between(Glu()),
    SwiGlu: between(SwiGlu()),
    GroupNormalization: between(GroupNormalization(groups=2), (3, 4)),
    Conv1d: between(filters(Conv1d), (3, 4)),
    Conv2d: between(filters(Conv2d), (3, 2, 4)),
    ConvTranspose1d: between(filters(ConvTranspose1d), (2, 4)),
    ConvTranspose2d: between(filters(ConvTranspose2d), (2, 2, 4)),
    MaxPool1d: between(MaxPool1d(), (4, 4)),
    MaxPool2d: between(MaxPool2d(size=3, stride=1, padding=1), (3, 3, 4)),
    AveragePool1d: between(AveragePool1d(), (4, 4)),
    AveragePool2d: between(AveragePool2d(padding="same"), (3, 3, 4)),
    GlobalAveragePool: between(GlobalAveragePool(), (3, 4)),
    GlobalMaxPool: between(GlobalMaxPool(), (3, 4)),
    Last: between(Last(), (3, 4)),
    AttentionPool: between(AttentionPool(units=3, init=SPREAD), (3, 4)),
    Upsample: between(Upsample(mode="bilinear"), (2, 4)),
    Add: between(Parallel(branches=((dense(4),), ()), merge="add")),
    Concatenate: between(Parallel(branches=((dense(2),), ()))),
    Rnn: between(Rnn(units=4, init=SPREAD, bias_init=SPREAD), (3, 4)),
    Lstm: between(Lstm(units=4, init=SPREAD, bias_init=SPREAD), (3, 4)),
    Gru: between(Gru(units=4, init=SPREAD, bias_init=SPREAD), (3, 4)),
    Reshape: between(Reshape(shape=(4, 3)), (3, 4)),
    Flatten: between(Flatten(), (2, 3)),
}
ACTIVATIONS = {member: between(Activation(function=member())) for member in members(AnyActivation)}
LOSSES = {member: ending(member()) for member in members(AnyLoss)}
PENALTIES = {
    "l1": Case("l1", LOSSES[SquaredError].layers, l1=0.3),
    "l2": Case("l2", LOSSES[SquaredError].layers, l2=0.3),
}
VARIANTS = [
    between(Dropout(rate=0.4, by="channel"), (3, 4), "dropout-channel"),
    between(GroupNormalization(groups=2, affine=False), (2, 2, 4), "group-normalization-image"),
    between(filters(Conv2d, stride=2, padding=((0, 1), (1, 0)), groups=2), (3, 4, 4), "conv2d-groups"),
    between(filters(Conv2d, dilation=2, groups="channels", bias=False), (3, 3, 4), "conv2d-depthwise"),
    between(filters(Conv2d, padding=((1, 0), (2, 1)), padding_mode="reflect"), (3, 3, 4), "conv2d-reflect"),
    between(filters(Conv1d, padding=(1, 2), padding_mode="replicate"), (3, 4), "conv1d-replicate"),
    between(AveragePool2d(size=3, stride=2, ceil_mode=True), (4, 4, 4), "average_pool2d-ceil"),
    between(MaxPool1d(dilation=2, stride=1), (5, 4), "max_pool1d-dilation"),
    between(filters(ConvTranspose2d, padding=1, output_padding=1), (2, 2, 4), "conv_transpose2d-padding"),
    between(AveragePool2d(padding=1, count_padding=True), (3, 3, 4), "average_pool2d-padding"),
    between(Rnn(units=4, activation="relu", output="every", initial="learned", init=SPREAD), (3, 4), "rnn-relu"),
    between(Lstm(units=4, direction="backward", recurrent_dropout=0.5, init=SPREAD), (3, 4), "lstm-backward"),
    between(Lstm(units=4, output="every", direction="both", init=SPREAD), (3, 4), "lstm-both"),
    between(Gru(units=4, reset="after", output="every", initial="learned", init=SPREAD), (3, 4), "gru-after"),
    between(Gru(units=4, recurrent_dropout=0.5, init=SPREAD), (3, 4), "gru-dropout"),
    between(Upsample(factor=(2, 3)), (2, 1, 4), "upsample-nearest"),
    between(Residual(layers=(filters(Conv2d),), shortcut=(filters(Conv2d),)), (2, 2, 4), "residual-shortcut"),
    between(Parallel(branches=((dense(4),), (PRelu(),)), merge="add"), name="parallel-add"),
    between(dense(2, bias=False), (3, 4), "dense-positions"),
    between(BatchNormalization(affine=False), (3, 4), "batch-normalization-positions"),
    between(LayerNormalization(affine=False), (3, 4), "layer-normalization-positions"),
    between(Activation(function=Softmax(temperature=0.5)), name="softmax-temperature"),
    between(Activation(function=Gelu(approximate="tanh")), name="gelu-tanh"),
    ending(CrossEntropy(temperature=2.0, label_smoothing=0.1, class_weights=(0.5, 1.0, 2.0))),
    ending(CrossEntropy(input="probabilities"), Softmax()),
    ending(BinaryCrossEntropy(positive_weight=3.0, label_smoothing=0.1, class_weights=(0.5, 1.0, 2.0))),
    ending(BinaryCrossEntropy(input="probabilities"), Sigmoid()),
    ending(Logistic(positive_weight=(0.5, 1.0, 2.0))),
    ending(Ordinal(class_weights=(0.5, 1.0, 2.0, 1.5))),
    ending(Hinge(squared=True)),
    ending(Focal(gamma=0.5, alpha=None, class_weights=(0.5, 1.0, 2.0))),
    ending(Quantile(level=0.8)),
    ending(Huber(delta=0.3)),
    ending(SmoothL1(beta=0.3)),
    Case("penalties", LOSSES[CrossEntropy].layers, l1=0.01, l2=0.1),
]
SOUND = [*LAYERS.values(), *ACTIVATIONS.values(), *LOSSES.values(), *PENALTIES.values(), *VARIANTS]


def one_unit(a: Array) -> Array:
    a = a.copy()
    a[..., 0] *= 1.01
    return a


# How a result goes wrong.
CHANGES: dict[str, Callable[[Array], Array]] = {
    "scaled": lambda a: a * 1.01,
    "negated": lambda a: -a,
    "dropped": lambda a: 0 * a,
    "one-unit": one_unit,
    "units-reversed": lambda a: a[..., ::-1].copy(),
}


def test_every_member_of_every_union_has_a_case() -> None:
    """Blocks and uses are made of other layers; test_graph has the joins and embedding, which one chain cannot."""
    elsewhere = {Residual, Parallel, Use, Embedding}
    assert set(LAYERS) - {Add, Concatenate} == set(members(AnyLayer)) - elsewhere
    assert set(LOSSES) == set(members(AnyLoss))
    assert all(type(case.network.nodes[middle_of(case)].layer) is member for member, case in LAYERS.items())


@pytest.mark.parametrize("case", SOUND, ids=str)
def test_what_is_right_passes(case: Case) -> None:
    report = case.check()
    assert not report.failed, report.worst
    assert not report.undecided
    assert report.worst.worst < (1e-7 if case.smooth else 1e-6), report.worst


def failing(case: Case) -> set[str]:
    """The names over the tolerance; all parameters at once counts as no tensor."""
    return {check.name for check in case.check().failed} - {ALL}


def middle_of(case: Case) -> str:
    """The node of the layer in the middle; that of a block joins what is inside it."""
    return [name for name in case.network.nodes if "." not in name][1]


def before(case: Case) -> set[str]:
    """What a wrong dx of the layer in the middle reaches: everything before it."""
    network = case.network
    reached = set(network.nodes[middle_of(case)].inputs)
    for name in reversed(network.nodes):
        if name in reached:
            reached.update(network.nodes[name].inputs)
    trained = {name for name, p in network.layout.parameters.items() if p.trainable}
    return {name for name in trained if name.rpartition(".")[0] in reached} | {INPUT}


def broken(monkeypatch: pytest.MonkeyPatch, cls: type[Layer], wrong: Callable[..., Array]) -> tuple[Case, str]:
    """Put `wrong(right, self, p, g, dy, slot)` in the place of a layer's backward; the layer in the middle only."""
    case, right = LAYERS[cls], cls.backward
    middle = middle_of(case)

    def backward(self: Layer, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot) -> Array:
        return wrong(right, self, p, g, dy, slot) if slot.path == middle else right(self, p, g, dy, slot)

    monkeypatch.setattr(cls, "backward", backward)
    return case, middle


LAYER_OUTPUTS = [
    (cls, output)
    for cls, case in LAYERS.items()
    for output in [
        "dx",
        *(n for n, p in case.network.layout.declarations[middle_of(case)].items() if p.trainable),
    ]
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("cls", "output"), LAYER_OUTPUTS, ids=[f"{c.__name__}-{o}" for c, o in LAYER_OUTPUTS])
def test_a_broken_layer_is_found(monkeypatch: pytest.MonkeyPatch, cls: type[Layer], output: str, change: str) -> None:
    def wrong(
        right: Callable[..., Array], self: Layer, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
    ) -> Any:
        dx = right(self, p, g, dy, slot)
        if output == "dx":
            return tuple(map(CHANGES[change], dx)) if self.joins else CHANGES[change](dx)
        gradient = g[output]
        gradient[...] = CHANGES[change](gradient)
        return dx

    case, middle = broken(monkeypatch, cls, wrong)
    assert failing(case) == (before(case) if output == "dx" else {f"{middle}.{output}"})


# Terms that are left out or taken for others: the mistakes people make.
def no_coupling(
    right: Callable[..., Array], self: Normalization, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> Array:
    dx: Array = self._through_scale_and_shift(p, g, dy, slot) * slot["inverse"]
    return dx


def no_variance(
    right: Callable[..., Array], self: Normalization, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> Array:
    axis = 0 if isinstance(self, BatchNormalization) else -1
    d = self._through_scale_and_shift(p, g, dy, slot)
    dx: Array = (d - d.mean(axis=axis, keepdims=True)) * slot["inverse"]
    return dx


def transposed_dx(
    right: Callable[..., Array], self: Dense, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> Array:
    right(self, p, g, dy, slot)
    return dy @ p["weight"]


def transposed_weight(
    right: Callable[..., Array], self: Dense, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> Array:
    dx = right(self, p, g, dy, slot)
    g["weight"][...] = g["weight"].T.copy()
    return dx


def slope_of_both_sides(
    right: Callable[..., Array], self: PRelu, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> Array:
    dx = right(self, p, g, dy, slot)
    g["slope"][...] = (dy * slot["x"]).sum(axis=0)
    return dx


def no_mask(
    right: Callable[..., Array], self: Dropout, p: dict[str, Any], g: dict[str, Any], dy: Array, slot: Slot
) -> Array:
    return dy


def no_rescaling(
    right: Callable[..., Array], self: Dropout, p: dict[str, Any], g: dict[str, Any], dy: Array, slot: Slot
) -> Array:
    dx: Array = dy * (slot["mask"] > 0)
    return dx


def column_major(
    right: Callable[..., Array], self: Flatten, p: dict[str, Any], g: dict[str, Any], dy: Array, slot: Slot
) -> Array:
    return dy.reshape(slot["shape"], order="F")


def to_every_input(
    right: Callable[..., Array], self: Layer, p: dict[str, Any], g: dict[str, Any], dy: Array, slot: Slot
) -> Array:
    dx = right(self, p, g, dy, slot)
    return np.broadcast_to(dx.mean(axis=1, keepdims=True), dx.shape).copy()


def not_shared(
    right: Callable[..., Array], self: AveragePool1d, p: dict[str, Any], g: dict[str, Any], dy: Array, slot: Slot
) -> Array:
    return 2 * right(self, p, g, dy, slot)


def turned_over(
    right: Callable[..., Array], self: Filters, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> Array:
    return right(self, {**p, "weight": p["weight"][::-1].copy()}, g, dy, slot)


def turned_gradient(
    right: Callable[..., Array], self: Filters, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> Array:
    dx = right(self, p, g, dy, slot)
    g["weight"][...] = g["weight"][::-1].copy()
    return dx


def one_reader_only(
    right: Callable[..., Any], self: Add, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> tuple[Array, ...]:
    return dy, 0 * dy


def the_first_part_for_all(
    right: Callable[..., Any], self: Concatenate, p: dict[str, Array], g: dict[str, Array], dy: Array, slot: Slot
) -> tuple[Array, ...]:
    return dy[..., :2], dy[..., :4]


#: What a wrong dx reaches in a case of one layer.
BEFORE = {"dense1.weight", INPUT}
TERMS = [
    (MaxPool1d, to_every_input, BEFORE),
    (GlobalMaxPool, to_every_input, BEFORE),
    (AveragePool1d, not_shared, BEFORE),
    (Conv1d, turned_over, BEFORE),
    (Conv2d, turned_over, BEFORE),
    (Conv2d, turned_gradient, {"conv2d1.weight"}),
    (ConvTranspose2d, turned_over, BEFORE),
    (ConvTranspose2d, turned_gradient, {"conv_transpose2d1.weight"}),
    (Add, one_reader_only, {"dense1.weight", INPUT}),
    (Concatenate, the_first_part_for_all, {"dense1.weight", INPUT}),
    (BatchNormalization, no_coupling, BEFORE),
    (BatchNormalization, no_variance, BEFORE),
    (LayerNormalization, no_coupling, BEFORE),
    (LayerNormalization, no_variance, BEFORE),
    (Dense, transposed_dx, BEFORE),
    (Dense, transposed_weight, {"dense2.weight"}),
    (PRelu, slope_of_both_sides, {"prelu1.slope"}),
    (Dropout, no_mask, BEFORE),
    (Dropout, no_rescaling, BEFORE),
    (Flatten, column_major, BEFORE),
]


@pytest.mark.parametrize(("cls", "wrong", "expected"), TERMS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_missing_term_is_found(
    monkeypatch: pytest.MonkeyPatch, cls: type[Layer], wrong: Callable[..., Array], expected: set[str]
) -> None:
    case, _ = broken(monkeypatch, cls, wrong)
    assert failing(case) == expected


#: The derivative of a step is 0, whichever way 0 is bent.
INERT = {("step", change) for change in CHANGES}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("cls", ACTIVATIONS, ids=lambda cls: cls.__name__)
def test_a_broken_activation_is_found(monkeypatch: pytest.MonkeyPatch, cls: type[Any], change: str) -> None:
    right = cls.backward

    def wrong(self: Any, dy: Array, x: Array, y: Array, out: Array) -> None:
        right(self, dy, x, y, out)
        out[...] = CHANGES[change](out)

    monkeypatch.setattr(cls, "backward", wrong)
    expected = set() if (cls().type, change) in INERT else BEFORE
    assert failing(ACTIVATIONS[cls]) == expected


@pytest.mark.parametrize("cls", [c for c in ACTIVATIONS if c().type != "linear"], ids=lambda cls: cls.__name__)
def test_a_forgotten_derivative_is_found(monkeypatch: pytest.MonkeyPatch, cls: type[Activation]) -> None:
    monkeypatch.setattr(cls, "backward", lambda self, dy, x, y, out: np.copyto(out, dy))
    assert failing(ACTIVATIONS[cls]) == BEFORE


@pytest.mark.parametrize("change", [*CHANGES, "sum-instead-of-mean"])
@pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.__name__)
def test_a_broken_loss_is_found(monkeypatch: pytest.MonkeyPatch, cls: type[LossSpec], change: str) -> None:
    right = cls.backward
    changed: Callable[[Array], Array] = CHANGES.get(change, lambda a: a * ROWS)
    monkeypatch.setattr(cls, "backward", lambda self, scale, slot: changed(right(self, scale, slot)))
    assert failing(LOSSES[cls]) == {"dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias", INPUT}


WEIGHTS, BIASES = {"dense1.weight", "dense2.weight"}, {"dense1.bias", "dense2.bias"}
# What is added to the gradient in place of dR/dtheta (r), and who is wrong then.
WRONG_PENALTIES: dict[str, tuple[Callable[[Array, Array], Array], set[str]]] = {
    "scaled": (lambda r, theta: 1.01 * r, WEIGHTS),
    "negated": (lambda r, theta: -r, WEIGHTS),
    "dropped": (lambda r, theta: 0 * r, WEIGHTS),
    "on-biases": (lambda r, theta: np.where(r == 0, 0.3 * theta, r), BIASES),
}


@pytest.mark.parametrize("change", WRONG_PENALTIES)
@pytest.mark.parametrize("case", PENALTIES.values(), ids=str)
def test_a_broken_penalty_is_found(monkeypatch: pytest.MonkeyPatch, case: Case, change: str) -> None:
    right = Penalty.add_gradient
    changed, expected = WRONG_PENALTIES[change]

    def wrong(self: Penalty, theta: Array, g: Array) -> None:
        r = np.zeros_like(g)
        right(self, theta, r)
        g += changed(r, theta)

    monkeypatch.setattr(Penalty, "add_gradient", wrong)
    assert failing(case) == expected


CONFIG = """
data:
  source: {type: inline, rows: [{x: 0.1, y: 0.4, z: 1.0}, {x: -0.7, y: 0.2, z: 0.3}, {x: 0.5, y: -0.9, z: -0.2}]}
  target: z
  split: {validation: 0, test: 0}
model: {hidden: [3], activation: tanh}
loss: squared_error
"""


def test_the_command_says_no(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.yaml").write_text(CONFIG)
    assert main(["gradcheck", str(tmp_path / "e.yaml")]) == 0
    assert "\npassed: " in capsys.readouterr().out
    right = Tanh.backward
    monkeypatch.setattr(Tanh, "backward", lambda self, dy, x, y, out: right(self, 1.01 * dy, x, y, out))
    assert main(["gradcheck", str(tmp_path / "e.yaml")]) == 4
    out, err = capsys.readouterr()
    assert "\nfailed: " in out
    assert err.startswith("error: the gradient of dense1.weight, dense1.bias, ")
    assert "dense2" not in err
