"""Writes the cases of `conv`, `pool`, `norm` and `activation` that are listed here, with the values PyTorch gives.

Run `python make_layers.py` in an environment with PyTorch 2.13.0 and NumPy; the tests only read the results.
Arrays are float64 and lie as PyTorch has them: channels before positions.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import gelu, silu

HERE = Path(__file__).parent
CASES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "conv/conv1d_reflect": (nn.Conv1d(2, 3, 3, padding=2, padding_mode="reflect"), (2, 2, 6)),
    "conv/conv2d_reflect": (nn.Conv2d(2, 3, 3, stride=2, padding=1, padding_mode="reflect"), (2, 2, 5, 6)),
    "conv/conv2d_replicate": (
        nn.Conv2d(2, 4, (3, 5), padding=(1, 3), padding_mode="replicate", groups=2),
        (2, 2, 4, 3),
    ),
    "pool/maxpool1d_dilation_ceil": (nn.MaxPool1d(3, stride=2, dilation=2, ceil_mode=True), (2, 3, 10)),
    "pool/maxpool2d_dilation": (nn.MaxPool2d((3, 2), stride=2, padding=1, dilation=(1, 2)), (2, 2, 7, 6)),
    "pool/maxpool2d_ceil": (nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 2, 6, 8)),
    "pool/avgpool2d_ceil_count": (nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 2, 6, 7)),
    "pool/avgpool2d_ceil_exclude": (
        nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        (2, 2, 6, 7),
    ),
    "pool/avgpool1d_ceil_dropped": (nn.AvgPool1d(2, stride=3, padding=1, ceil_mode=True), (2, 2, 5)),
    "norm/rmsnorm": (nn.RMSNorm(5, eps=1e-5), (4, 3, 5)),
    "norm/instancenorm1d": (nn.InstanceNorm1d(3, affine=True), (3, 3, 5)),
    "norm/instancenorm2d": (nn.InstanceNorm2d(3, affine=True), (3, 3, 4, 2)),
    "gated/glu": (nn.GLU(), (3, 2, 8)),
    "gated/swiglu": (lambda x: x.chunk(2, -1)[0] * silu(x.chunk(2, -1)[1]), (3, 2, 8)),
    "gated/geglu": (lambda x: x.chunk(2, -1)[0] * gelu(x.chunk(2, -1)[1]), (3, 2, 8)),
}


def case(module: Any, shape: tuple[int, ...]) -> dict[str, np.ndarray[Any, Any]]:
    """One forward and backward pass."""
    parameters = {}
    if isinstance(module, nn.Module):
        module.double()
        parameters = dict(module.named_parameters())
        for parameter in parameters.values():
            nn.init.normal_(parameter)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    out = module(x)
    upstream = torch.randn_like(out)
    out.backward(upstream)
    tensors = {"in.x": x, "out.out": out, "upstream.out": upstream, "grad_in.x": x.grad}
    for name, parameter in parameters.items():
        tensors[f"param.{name}"], tensors[f"grad_param.{name}"] = parameter, parameter.grad
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


if __name__ == "__main__":
    for number, (name, (module, shape)) in enumerate(CASES.items()):
        torch.manual_seed(number)
        (HERE / name).parent.mkdir(exist_ok=True)
        np.savez(HERE / name, allow_pickle=False, **case(module, shape))
