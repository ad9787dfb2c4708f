"""The simple recurrent layer."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.engine.parameters import Array, Views
from nnctl.engine.slot import Slot
from nnctl.layers.recurrent import Clock, Recurrent


class Rnn(Recurrent):
    """Units that see their own outputs of the step before.

        h_t = f(x_t W + h_{t-1} U + b)                        f = tanh, or max(0, .)

    With dz_t the gradient with respect to the net input of step t, backwards through time:

        dz_t = f'(z_t) (dJ/dh_t + dz_{t+1} U^T)               tanh' = 1 - h^2
        dJ/dW = sum_t x_t^T dz_t     dJ/dU = sum_t h_{t-1}^T dz_t     dJ/db = sum_t dz_t     dJ/dx_t = dz_t W^T

    Shapes: W (inputs, units), U (units, units), b (units). Sources: Elman, "Finding structure in time", Cognitive
    Science 14 (1990); Werbos, "Backpropagation through time: what it does and how to do it", Proceedings of the
    IEEE 78 (1990). Its gradients vanish or explode over long times: Bengio, Simard and Frasconi, "Learning long-term
    dependencies with gradient descent is difficult", 1994; with relu it wants `recurrent_init: identity`.

    ```yaml
    {type: rnn, units: 32, activation: tanh}
    ```
    """

    type: Literal["rnn"] = "rnn"
    activation: Literal["tanh", "relu"] = Field("tanh", description="What is applied to the net inputs.")
    gates: ClassVar[int] = 1

    def run(self, p: Views, z: Array, start: Sequence[Array], mask: Array | None, time: Clock, slot: Slot) -> Array:
        (h,), U = start, p["recurrent"]
        slot["start"] = start
        for span in time.spans():
            now = z[span]
            n = len(now)
            now += (h[:n] if mask is None else h[:n] * mask[:n]) @ U
            if self.activation == "tanh":
                np.tanh(now, out=now)
            else:
                np.maximum(now, 0, out=now)
            h = now
        slot["h"] = z
        return z

    def run_back(self, p: Views, g: Views, dh: Array, mask: Array | None, time: Clock, slot: Slot) -> Any:
        h, U = slot["h"], p["recurrent"]
        slope = 1 - h * h if self.activation == "tanh" else (h > 0).astype(h.dtype)
        dz = slot.buffer("dz", h.shape)
        back = np.zeros((len(time.rows), self.units), h.dtype)  # what comes back from the step after
        for now in reversed(time.spans()):
            n = now.stop - now.start
            back[:n] += dh[now]
            np.multiply(back[:n], slope[now], out=dz[now])
            np.matmul(dz[now], U.T, out=back[:n])
            if mask is not None:
                back[:n] *= mask[:n]
        seen = time.before(h, slot["start"][0])
        if mask is not None:
            seen *= mask[time.row]
        np.matmul(seen.T, dz, out=g["recurrent"])
        return dz, [back]
