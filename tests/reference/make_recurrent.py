"""Writes `recurrent`: recurrent layers over sequences of different lengths, with the values PyTorch gives.

Run `python make_recurrent.py` in an environment with PyTorch 2.13.0 and NumPy; the tests only read the results.
Arrays are float64. Sequences are packed, so that the backward direction begins at each one's own end; what comes out
beyond an end is 0. Gates lie as PyTorch has them: i, f, g, o of an LSTM, r, z, n of a GRU, along the first axis.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = Path(__file__).parent / "recurrent"
LENGTHS = (3, 6, 1, 4, 6)
CASES: dict[str, Any] = {
    "rnn_tanh": nn.RNN(3, 4, batch_first=True),
    "rnn_relu": nn.RNN(3, 4, batch_first=True, nonlinearity="relu"),
    "rnn_both": nn.RNN(3, 4, batch_first=True, bidirectional=True),
    "lstm": nn.LSTM(3, 4, batch_first=True),
    "lstm_both": nn.LSTM(3, 4, batch_first=True, bidirectional=True),
    "gru": nn.GRU(3, 4, batch_first=True),
    "gru_both": nn.GRU(3, 4, batch_first=True, bidirectional=True),
}


def case(module: Any) -> dict[str, np.ndarray[Any, Any]]:
    """One pass from a start that all sequences share: every step's output, and the last one's of each direction."""
    module.double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.7)
    lengths = torch.tensor(LENGTHS)
    x = torch.randn(len(LENGTHS), max(LENGTHS), 3, dtype=torch.float64, requires_grad=True)
    directions = 2 if module.bidirectional else 1
    starts = [torch.randn(directions, 1, 4, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    wide = [start.expand(directions, len(LENGTHS), 4).contiguous() for start in starts]
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, last = module(packed, tuple(wide) if isinstance(module, nn.LSTM) else wide[0])
    y, _ = pad_packed_sequence(out, batch_first=True)
    h = last[0] if isinstance(module, nn.LSTM) else last
    upstream_y, upstream_h = torch.randn_like(y), torch.randn_like(h)
    ((y * upstream_y).sum() + (h * upstream_h).sum()).backward()
    tensors = {
        "lengths": lengths, "in.x": x, "grad_in.x": x.grad, "out.y": y, "out.h": h,
        "upstream.y": upstream_y, "upstream.h": upstream_h,
    }  # fmt: skip
    for name, start in zip("hc", starts, strict=True):
        if start.grad is not None:
            tensors[f"in.{name}"], tensors[f"grad_in.{name}"] = start, start.grad
    for name, parameter in module.named_parameters():
        tensors[f"param.{name}"], tensors[f"grad_param.{name}"] = parameter, parameter.grad
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for number, (name, module) in enumerate(CASES.items()):
        torch.manual_seed(number)
        np.savez(HERE / name, allow_pickle=False, **case(module))
