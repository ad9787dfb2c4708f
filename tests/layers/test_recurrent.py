"""Recurrent layers: PyTorch's values over sequences of different lengths, a loop over single steps, and laws."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.engine.batch import OUTPUT, single
from nnctl.engine.graph import Signal
from nnctl.engine.loss import Head
from nnctl.engine.network import Pass, chain
from nnctl.engine.parameters import Array, Layout
from nnctl.engine.sequences import Sequences
from nnctl.engine.shards import MeanLoss
from nnctl.engine.slot import Slot
from nnctl.errors import ConfigError
from nnctl.initializers import Constant, Normal
from nnctl.layers import Dense, Gru, Lstm, Rnn
from nnctl.layers.recurrent import Recurrent, clock
from nnctl.losses.regression import SquaredError

REFERENCE = Path(__file__).parents[1] / "reference" / "recurrent"
CLOSE: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-13}
UNITS = 4
#: Ours of PyTorch's gates.
ORDER = {"rnn": (0,), "lstm": (0, 1, 3, 2), "gru": (0, 1, 2)}
KINDS: dict[str, Recurrent] = {
    "rnn_tanh": Rnn(units=UNITS),
    "rnn_relu": Rnn(units=UNITS, activation="relu"),
    "rnn_both": Rnn(units=UNITS, direction="both"),
    "lstm": Lstm(units=UNITS),
    "lstm_both": Lstm(units=UNITS, direction="both"),
    "gru": Gru(units=UNITS, reset="after"),
    "gru_both": Gru(units=UNITS, reset="after", direction="both"),
}


def ours(kind: str, of: dict[str, Array], what: str, reverse: bool) -> dict[str, Array]:
    """PyTorch's parameters of a direction, or their gradients, as this layer has them."""
    order, end = ORDER[kind], "_reverse" if reverse else ""

    def gates(name: str) -> Array:
        a = of[f"{what}.{name}_l0{end}"]
        return np.concatenate([a[k * UNITS : (k + 1) * UNITS] for k in order])

    found = {"weight": gates("weight_ih").T, "recurrent": gates("weight_hh").T}
    inner, outer = gates("bias_ih"), gates("bias_hh")
    if kind == "gru":
        found["recurrent_bias"] = outer[2 * UNITS :]
        outer = np.concatenate([outer[: 2 * UNITS], np.zeros(UNITS)])
    found["bias"] = inner + outer if what == "param" else inner
    start = {"param": "in", "grad_param": "grad_in"}[what]
    for state in "hc":
        if f"{start}.{state}" in of:
            found[f"initial_{state}"] = of[f"{start}.{state}"][int(reverse), 0]
    return found


def load(name: str) -> tuple[dict[str, Array], Sequences, Array]:
    with np.load(REFERENCE / f"{name}.npz") as file:
        of = {key: file[key] for key in file.files}
    lengths = of["lengths"]
    real = np.arange(of["in.x"].shape[1])[None] < lengths[:, None]
    return of, Sequences(of["in.x"][real], lengths), real


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("output", ["every", "last"])
def test_the_values_of_another_implementation(name: str, output: str) -> None:
    of, x, real = load(name)
    layer = KINDS[name].model_copy(update={"output": output, "initial": "learned"})
    network = chain([layer], Signal((3,), steps=4))
    theta = np.zeros(network.layout.size)
    gradient = np.zeros_like(theta)
    directions = {False: "forward", True: "backward"} if layer.direction == "both" else {False: ""}
    names = {reverse: f"{layer.type}1" + (f".{way}" if way else "") for reverse, way in directions.items()}
    for reverse, node in names.items():
        for key, value in ours(layer.type, of, "param", reverse).items():
            network.layout.view(theta, f"{node}.{key}")[...] = value
    forward = Pass(network, theta, gradient, to_input=True)
    y = forward.forward({"input": x})["output"]
    last = of["out.h"].transpose(1, 0, 2).reshape(len(x), -1)
    np.testing.assert_allclose(y, of["out.y"][real] if output == "every" else last, **CLOSE)
    if output == "last":
        # What PyTorch was given for every step is not asked of the last one: give that to every step of this one too.
        return
    dy, ends = of["upstream.y"].copy(), of["lengths"] - 1
    rows = np.arange(len(x))
    dy[rows, ends, :UNITS] += of["upstream.h"][0]
    if layer.direction == "both":
        dy[rows, 0, UNITS:] += of["upstream.h"][1]
    dx = forward.backward({"output": dy[real]})["input"]
    np.testing.assert_allclose(dx, of["grad_in.x"][real], **CLOSE)
    for reverse, node in names.items():
        for key, value in ours(layer.type, of, "grad_param", reverse).items():
            np.testing.assert_allclose(network.layout.view(gradient, f"{node}.{key}"), value, **CLOSE, err_msg=key)


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def plain(layer: Recurrent, p: dict[str, Array], x: Array) -> Array:
    """The states after every step of one sequence (time, inputs), as the equations read."""
    W, U, b = p["weight"], p["recurrent"], p["bias"]
    h, c = p.get("initial_h", np.zeros(layer.units)), p.get("initial_c", np.zeros(layer.units))
    steps = []
    for row in x[::-1] if layer.direction == "backward" else x:
        a, s = row @ W + b, h @ U
        if isinstance(layer, Rnn):
            h = np.tanh(a + s) if layer.activation == "tanh" else np.maximum(a + s, 0)
        elif isinstance(layer, Lstm):
            i, f, o, g = np.split(a + s, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        elif isinstance(layer, Gru):
            r, z = (sigmoid(k) for k in np.split((a + s)[: 2 * layer.units], 2))
            fed = (
                r * (s[2 * layer.units :] + p["recurrent_bias"])
                if layer.reset == "after"
                else (r * h) @ U[:, 2 * layer.units :]
            )
            h = z * h + (1 - z) * np.tanh(a[2 * layer.units :] + fed)
        steps.append(h)
    states = np.array(steps).reshape(-1, layer.units)
    return states[::-1] if layer.direction == "backward" else states


SPREAD = Normal(deviation=0.6)
LAYERS: list[Recurrent] = [
    Rnn(units=3, init=SPREAD, bias_init=SPREAD),
    Rnn(units=3, activation="relu", direction="backward", initial="learned", init=SPREAD),
    Lstm(units=3, init=SPREAD, bias_init=SPREAD),
    Lstm(units=3, direction="backward", initial="learned", init=SPREAD),
    Gru(units=3, init=SPREAD, bias_init=SPREAD),
    Gru(units=3, direction="backward", initial="learned", init=SPREAD),
    Gru(units=3, reset="after", init=SPREAD, bias_init=SPREAD),
]


def bound(layer: Recurrent) -> dict[str, Array]:
    layout = Layout({"layer": layer.parameters((2,))})
    p: dict[str, Array] = layout.views(layout.initial(3, dtype="f8"))["layer"]
    for name, value in p.items():
        if name.startswith(("initial", "recurrent_bias")):
            value[...] = np.random.default_rng(1).normal(size=value.shape)
    return p


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.type}-{layer.direction}")
def test_as_the_equations_read(layer: Recurrent) -> None:
    p, lengths = bound(layer), np.array([2, 0, 5, 1, 3])
    x = np.random.default_rng(2).normal(size=(lengths.sum(), 2))
    expected = [plain(layer, p, part) for part in np.split(x, np.cumsum(lengths)[:-1])]
    for output in ("every", "last"):
        slot = Slot("f8")
        slot.lengths = lengths
        y = layer.model_copy(update={"output": output}).forward(p, x, slot)
        if output == "every":
            np.testing.assert_allclose(y, np.concatenate(expected), **CLOSE)
            continue
        start, end = p.get("initial_h", np.zeros(3)), 0 if layer.direction == "backward" else -1
        np.testing.assert_allclose(y, [states[end] if len(states) else start for states in expected], **CLOSE)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.type}-{layer.direction}")
def test_an_array_is_sequences_of_one_length(layer: Recurrent) -> None:
    p, x = bound(layer), np.random.default_rng(4).normal(size=(3, 4, 2))
    for output in ("every", "last"):
        of = layer.model_copy(update={"output": output})
        slot = Slot("f8")
        y = of.forward(p, x, slot)
        sequences = Slot("f8")
        sequences.lengths = np.full(3, 4)
        np.testing.assert_array_equal(y.reshape(-1, 3), of.forward(p, x.reshape(-1, 2), sequences))
        assert y.shape == ((3, 4, 3) if output == "every" else (3, 3))


def test_the_mask_hides_the_same_of_the_state_at_every_step() -> None:
    """With U = 1 and no inputs, tanh(h m) repeats: what is hidden once is hidden at all steps."""
    layer = Rnn(units=40, output="every", recurrent_dropout=0.5, initial="learned", recurrent_init=SPREAD)
    p = {
        "weight": np.zeros((1, 40)), "recurrent": np.eye(40), "bias": np.zeros(40), "initial_h": np.full(40, 0.5)
    }  # fmt: skip
    slot = Slot("f8", "layer")
    slot.training = True
    y = layer.forward(p, np.zeros((2, 5, 1)), slot)
    hidden = y == 0
    assert (hidden == hidden[:, :1]).all()
    assert 20 < hidden[:, 0].sum() < 60
    assert not np.array_equal(hidden[0], hidden[1])
    np.testing.assert_allclose(y[:, 0][~hidden[:, 0]], np.tanh(1.0))
    slot.training = False
    assert not (layer.forward(p, np.zeros((2, 5, 1)), slot) == 0).any()


def test_the_forget_gate_starts_open() -> None:
    layer = Lstm(units=2, bias_init=Constant(value=0.25))
    layout = Layout({"layer": layer.parameters((3,))})
    bias = layout.view(layout.initial(0, dtype="f8"), "layer.bias")
    assert bias.tolist() == [0.25, 0.25, 1.25, 1.25, 0.25, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [3], [1, 4, 0, 2, 4]])
@pytest.mark.parametrize("backward", [False, True])
def test_the_order_of_time(lengths: list[int], backward: bool) -> None:
    """Every step once; of the sequences still under way, longest first, first steps before second ones."""
    time = clock(np.array(lengths, np.int64), backward=backward)
    starts = np.cumsum([0, *lengths])
    rows = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    expected = [
        starts[i] + (lengths[i] - 1 - t if backward else t)
        for t in range(max(lengths, default=0))
        for i in rows
        if t < lengths[i]
    ]
    assert time.order.tolist() == expected
    assert time.rows.tolist() == rows
    for place, step in enumerate(expected):
        if place >= (time.edges[1] if time.times else 0):
            assert time.order[time.previous[place]] == step + (1 if backward else -1)
    assert [int(time.order[p]) for p, i in zip(time.last, rows, strict=True) if lengths[i]] == [
        starts[i] + (0 if backward else lengths[i] - 1) for i in rows if lengths[i]
    ]


def test_what_it_does_not_take() -> None:
    with pytest.raises(ConfigError, match=r"takes sequences, or arrays of \(time, values\), and finds \(2, 3, 4\)"):
        chain([Lstm(units=2)], (2, 3, 4))
    with pytest.raises(ConfigError, match=r"takes sequences of vectors, and finds steps of shape \(2, 3\)"):
        chain([Lstm(units=2)], Signal((2, 3), steps=4))
    with pytest.raises(ConfigError, match=r"finds \(2,\); the recurrent layer before it needs `output: every`"):
        chain([Gru(units=2, output="every"), Dense(units=2), Lstm(units=2), Gru(units=3)], Signal((2,), steps=4))


def test_the_first_layer_of_a_network_is_spared_the_gradient_of_its_input() -> None:
    network = chain([Rnn(units=3), Dense(units=1)], (4, 2))
    theta, random = network.layout.initial(0, dtype="f8"), np.random.default_rng(0)
    loss = MeanLoss(network, {OUTPUT: Head(SquaredError())}, theta)
    loss(single(random.normal(size=(5, 4, 2)), random.normal(size=(5, 1))))
    assert loss.input_gradients == {}
    assert network.multiply_adds == 4 * (2 + 3) * 3 + 3
