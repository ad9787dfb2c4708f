"""Gated recurrent units."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Declarations, Views
from nnctl.engine.slot import Slot
from nnctl.initializers import Zeros
from nnctl.layers.recurrent import Clock, Recurrent


class Gru(Recurrent):
    """Gated recurrent units: a state that is kept or replaced, unit by unit.

        r = s(x_t W_r + h_{t-1} U_r + b_r)        reset gate        s = the logistic function
        z = s(x_t W_z + h_{t-1} U_z + b_z)        update gate
        n = tanh(x_t W_n + (r h_{t-1}) U_n + b_n)                   what might replace the state
        h_t = z h_{t-1} + (1 - z) n

    With `reset: after`, the gate acts on the product, which then has a bias of its own, and one product is enough:

        n = tanh(x_t W_n + b_n + r (h_{t-1} U_n + b'_n))

    Backwards through time, with dh what comes back to h_t (and a_k for the net input of k):

        da_n = dh (1 - z) (1 - n^2)       da_z = dh (h_{t-1} - n) z (1 - z)
        before:  q = da_n U_n^T           da_r = q h_{t-1} r (1 - r)                 dh_{t-1} gets q r
        after:   q = da_n r               da_r = da_n (h_{t-1} U_n + b'_n) r (1 - r) dh_{t-1} gets q U_n^T
        dh_{t-1} also gets dh z and da_r U_r^T + da_z U_z^T

    W is (inputs, 3 units) and U (units, 3 units), in the order r, z, n. Source: Cho et al., "Learning phrase
    representations using RNN encoder-decoder for statistical machine translation", EMNLP 2014, eq. 5 to 8; `after` is
    cuDNN's, PyTorch's and Keras's default, and of Chung et al. (2014) z and 1 - z have changed places.

    ```yaml
    {type: gru, units: 64, output: every}
    ```
    """

    type: Literal["gru"] = "gru"
    reset: Literal["before", "after"] = Field(
        "before", description="Whether the reset gate acts on the state before the product, as in the paper, or on it."
    )
    gates: ClassVar[int] = 3

    def extra(self) -> Declarations:
        return {"recurrent_bias": self.bias(self.units, Zeros())} if self.reset == "after" else {}

    def run(self, p: Views, z: Array, start: Sequence[Array], mask: Array | None, time: Clock, slot: Slot) -> Array:
        (h,), u, after = start, self.units, self.reset == "after"
        half = np.repeat(np.array([0.5, 0.5, 1], z.dtype), u)  # s(z) = (1 + tanh(z / 2)) / 2
        U = p["recurrent"] * half
        z *= half
        states, products = slot.buffer("h", (len(z), u)), slot.buffer("product", (len(z), u))
        for now in time.spans():
            n = now.stop - now.start
            gates, h_now, product = z[now], states[now], products[now]
            seen = h[:n] if mask is None else h[:n] * mask[:n]
            opened, new = gates[:, : 2 * u], gates[:, 2 * u :]
            if after:
                fed = seen @ U
                opened += fed[:, : 2 * u]
                np.add(fed[:, 2 * u :], p["recurrent_bias"], out=product)
            else:
                opened += seen @ U[:, : 2 * u]
            np.tanh(opened, out=opened)
            opened *= 0.5
            opened += 0.5
            reset, update = opened[:, :u], opened[:, u:]
            new += reset * product if after else np.multiply(reset, seen, out=product) @ U[:, 2 * u :]
            np.tanh(new, out=new)
            np.subtract(h[:n], new, out=h_now)
            h_now *= update
            h_now += new
            h = h_now
        slot["start"], slot["gates"], slot["h"], slot["product"] = start, z, states, products
        return states

    def run_back(self, p: Views, g: Views, dh: Array, mask: Array | None, time: Clock, slot: Slot) -> Any:
        u, z, h, products, after = self.units, slot["gates"], slot["h"], slot["product"], self.reset == "after"
        reset, update, new = (z[:, k * u : (k + 1) * u] for k in range(3))
        came = time.before(h, slot["start"][0])
        seen = came if mask is None else came * mask[time.row]
        dz = slot.buffer("dz", z.shape)
        by_new, by_update = (1 - update) * (1 - new * new), (came - new) * update * (1 - update)
        by_reset = (products if after else seen) * reset * (1 - reset)
        U = np.ascontiguousarray(p["recurrent"].T)  # (3 units, units)
        back = np.zeros((len(time.rows), u), z.dtype)  # what comes back from the step after
        for now in reversed(time.spans()):
            n = now.stop - now.start
            to_h, part = back[:n], dz[now]
            to_h += dh[now]
            d_new = np.multiply(to_h, by_new[now], out=part[:, 2 * u :])
            np.multiply(to_h, by_update[now], out=part[:, u : 2 * u])
            q = d_new if after else d_new @ U[2 * u :]
            np.multiply(q, by_reset[now], out=part[:, :u])
            q = q * reset[now]
            fed = part[:, : 2 * u] @ U[: 2 * u]
            fed += q @ U[2 * u :] if after else q
            if mask is not None:
                fed *= mask[:n]
            to_h *= update[now]
            to_h += fed
        dU = g["recurrent"]
        dU[:, : 2 * u] = seen.T @ dz[:, : 2 * u]
        d_new = dz[:, 2 * u :]
        if after:
            d_new = d_new * reset
            np.add.reduce(d_new, axis=0, out=g["recurrent_bias"])
            dU[:, 2 * u :] = seen.T @ d_new
        else:
            dU[:, 2 * u :] = products.T @ d_new
        return dz, [back]
