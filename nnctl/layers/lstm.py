"""Long short-term memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Initializer, Shape, Views
from nnctl.engine.slot import Slot
from nnctl.initializers import AnyInitializer
from nnctl.layers.recurrent import Clock, Recurrent


class Lstm(Recurrent):
    """Long short-term memory: a cell that is added to, and gates that say what goes in, stays and comes out.

        i = s(x_t W_i + h_{t-1} U_i + b_i)        input gate        s = the logistic function
        f = s(x_t W_f + h_{t-1} U_f + b_f)        forget gate
        o = s(x_t W_o + h_{t-1} U_o + b_o)        output gate
        g = tanh(x_t W_g + h_{t-1} U_g + b_g)     what might go in
        c_t = f c_{t-1} + i g                     cell
        h_t = o tanh(c_t)                         output

    Backwards through time, with dh and dc what comes back to h_t and c_t:

        dc += dh o (1 - tanh(c_t)^2)
        dz_i = dc g i (1 - i)             dz_f = dc c_{t-1} f (1 - f)
        dz_o = dh tanh(c_t) o (1 - o)     dz_g = dc i (1 - g^2)
        dc_{t-1} = dc f           dh_{t-1} = dz U^T

    The factors beside dc and dh are those of the forward pass alone, so that they are computed for all steps at once.
    W is (inputs, 4 units) and U (units, 4 units), in the order i, f, o, g (PyTorch and Keras have i, f, g, o). The
    forget gate's bias starts at `forget_bias` more than the others', so that the cell keeps what it has.

    Sources: Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); the forget gate: Gers,
    Schmidhuber and Cummins, "Learning to forget", 2000; its bias of 1: Jozefowicz, Zaremba and Sutskever, "An
    empirical exploration of recurrent network architectures", ICML 2015; one mask at all steps: Gal and Ghahramani,
    "A theoretically grounded application of dropout in recurrent neural networks", NIPS 2016.

    ```yaml
    {type: lstm, units: 64, direction: both}
    ```
    """

    type: Literal["lstm"] = "lstm"
    forget_bias: float = Field(1.0, description="Added to the start of the forget gate's bias.")
    gates: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("h", "c")

    def gate_bias(self) -> Initializer:
        return ForgetBias(self.bias_init, self.forget_bias)

    def run(self, p: Views, z: Array, start: Sequence[Array], mask: Array | None, time: Clock, slot: Slot) -> Array:
        (h, c), u = start, self.units
        # s(z) = (1 + tanh(z / 2)) / 2, so that one tanh is enough for all four; halving rounds nothing.
        half = np.repeat(np.array([0.5, 0.5, 0.5, 1], z.dtype), u)
        U = p["recurrent"] * half
        z *= half
        states = [slot.buffer(name, (len(z), u)) for name in ("h", "c", "tanh c")]
        for now in time.spans():
            n = now.stop - now.start
            gates, (h_now, c_now, tanh_c) = z[now], [state[now] for state in states]
            gates += (h[:n] if mask is None else h[:n] * mask[:n]) @ U
            np.tanh(gates, out=gates)
            open_ = gates[:, : 3 * u]
            open_ *= 0.5
            open_ += 0.5
            np.multiply(gates[:, u : 2 * u], c[:n], out=c_now)
            c_now += np.multiply(gates[:, :u], gates[:, 3 * u :], out=tanh_c)
            np.tanh(c_now, out=tanh_c)
            np.multiply(gates[:, 2 * u : 3 * u], tanh_c, out=h_now)
            h, c = h_now, c_now
        slot["start"], slot["gates"], slot["states"] = start, z, states
        return states[0]

    def run_back(self, p: Views, g: Views, dh: Array, mask: Array | None, time: Clock, slot: Slot) -> Any:
        u, z, (h, c, tanh_c) = self.units, slot["gates"], slot["states"]
        i, f, o, new = (z[:, k * u : (k + 1) * u] for k in range(4))
        start_h, start_c = slot["start"]
        dz = slot.buffer("dz", z.shape)
        # What dc is multiplied by for i, f and g, and dh for o and for dc: for all steps at once.
        by_i, by_f, by_g = new * i * (1 - i), time.before(c, start_c) * f * (1 - f), i * (1 - new * new)
        by_o, through = tanh_c * o * (1 - o), o * (1 - tanh_c * tanh_c)
        U = np.ascontiguousarray(p["recurrent"].T)
        back, back_c = np.zeros((2, len(time.rows), u), z.dtype)  # what comes back from the step after
        for now in reversed(time.spans()):
            n = now.stop - now.start
            to_h, to_c, part = back[:n], back_c[:n], dz[now]
            to_h += dh[now]
            to_c += to_h * through[now]
            np.multiply(to_c, by_i[now], out=part[:, :u])
            np.multiply(to_c, by_f[now], out=part[:, u : 2 * u])
            np.multiply(to_h, by_o[now], out=part[:, 2 * u : 3 * u])
            np.multiply(to_c, by_g[now], out=part[:, 3 * u :])
            to_c *= f[now]
            np.matmul(part, U, out=to_h)
            if mask is not None:
                to_h *= mask[:n]
        seen = time.before(h, start_h)
        if mask is not None:
            seen *= mask[time.row]
        np.matmul(seen.T, dz, out=g["recurrent"])
        return dz, [back, back_c]


@dataclass(frozen=True)
class ForgetBias:
    """How the biases of four gates start: as the others', and for the forget gate more."""

    inner: AnyInitializer
    more: float
    symmetric: ClassVar[bool] = False

    def sample(self, shape: Shape, fan_in: int, fan_out: int, random: np.random.Generator) -> Array:
        """The biases (4 units,), in the order i, f, o, g."""
        value = self.inner.sample(shape, fan_in, fan_out, random)
        units = shape[0] // 4
        value[units : 2 * units] += self.more
        return value
