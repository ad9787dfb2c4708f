"""Writes cases.json: losses and gradients of PyTorch, in float64. See README.md."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)


def focal(z: Tensor, t: Tensor, alpha: float, gamma: float) -> Tensor:
    """torchvision.ops.sigmoid_focal_loss, with reduction="mean"."""
    p = torch.sigmoid(z)
    ce = functional.binary_cross_entropy_with_logits(z, t, reduction="none")
    p_t = p * t + (1 - p) * (1 - t)
    loss = ce * (1 - p_t) ** gamma
    if alpha >= 0:
        loss = (alpha * t + (1 - alpha) * (1 - t)) * loss
    return loss.mean()


def smoothed(z: Tensor, t: Tensor, e: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(z, t * (1 - e) + e / 2)


def by_class(loss: Tensor, t: Tensor, weights: list[float]) -> Tensor:
    """The weighted mean of losses of examples (n,) by the class of one-hot targets."""
    w = torch.tensor(weights)[t.argmax(dim=1)]
    return (w * loss).sum() / w.sum()


n, k, weights = 6, 4, [0.5, 2.0, 1.0, 3.0]
y = torch.randn(n, k) * 2
numbers, counts = torch.randn(n, k) * 2, torch.poisson(torch.full((n, k), 3.0))
labels = torch.randint(0, 2, (n, k)).double()
one_hot = torch.eye(k)[torch.randint(0, k, (n,))]
CASES: list[tuple[dict[str, Any], Tensor, Callable[[Tensor], Tensor]]] = [
    ({"type": "focal"}, labels, lambda z: focal(z, labels, 0.25, 2.0)),
    ({"type": "focal", "gamma": 0.5, "alpha": 0.7}, labels, lambda z: focal(z, labels, 0.7, 0.5)),
    ({"type": "focal", "gamma": 3.0, "alpha": None}, labels, lambda z: focal(z, labels, -1.0, 3.0)),
    ({"type": "binary_cross_entropy", "label_smoothing": 0.2}, labels, lambda z: smoothed(z, labels, 0.2)),
    ({"type": "poisson"}, counts, lambda z: functional.poisson_nll_loss(z, counts)),
    (
        {"type": "quantile", "level": 0.9},
        numbers,
        lambda z: torch.max(0.9 * (numbers - z), -0.1 * (numbers - z)).mean(),
    ),
    ({"type": "log_cosh"}, numbers, lambda z: torch.log(torch.cosh(z - numbers)).mean()),
    (
        {"type": "mean_squared_error", "class_weights": weights},
        one_hot,
        lambda z: by_class(functional.mse_loss(z, one_hot, reduction="none").mean(dim=1), one_hot, weights),
    ),
    (
        {"type": "squared_error", "class_weights": weights},
        one_hot,
        lambda z: by_class(functional.mse_loss(z, one_hot, reduction="none").sum(dim=1) / 2, one_hot, weights),
    ),
]

if __name__ == "__main__":
    lines = []
    for spec, t, loss in CASES:
        z = y.clone().requires_grad_()
        value = loss(z)
        torch.autograd.backward(value)
        case = {"loss": spec, "y": y.tolist(), "t": t.tolist(), "value": value.item(), "gradient": z.grad.tolist()}
        lines.append(json.dumps(case))
    Path(__file__).with_name("cases.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
