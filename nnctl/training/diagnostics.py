"""Health of the layers: gradient norms, update sizes, dead and saturated units, non-finite numbers."""

from typing import Any

import numpy as np

from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.layers import Activation, Block
from nnctl.layers.blocks import inner_slot, named_layers

#: A saturated unit lies within this share of its activation's range of one of the ends.
SATURATION = 0.01


def layer_health(network: Network, theta: Array, before: Array, gradient: Array) -> dict[str, dict[str, float]]:
    """Per layer, of one training step:

    - `gradient_norm`: the Euclidean norm of dJ/dtheta over the layer's trained tensors;
    - `update_ratio`: |theta_after - theta_before| / |theta_before| over its weights. Around 1e-3 is
      healthy; much less learns slowly, much more is unstable.
    """
    health: dict[str, dict[str, float]] = {}
    for name, layer in named_layers(network.layers):
        if isinstance(layer, Block):
            continue
        tensors = [n for n, p in network.layout.parameters.items() if n.startswith(f"{name}.") and p.trainable]
        if not tensors:
            continue
        spans = [network.layout.slices[n] for n in tensors]
        weight = network.layout.slices[tensors[0]]
        size = _norm(before[weight])
        health[name] = {
            "gradient_norm": float(np.sqrt(sum(_norm(gradient[s]) ** 2 for s in spans))),
            "update_ratio": _norm(theta[weight] - before[weight]) / size if size else 0.0,
        }
    return health


def unit_health(network: Network, forward: Pass, x: Array) -> dict[str, dict[str, float]]:
    """Per activation layer, over some examples:

    - `dead`: the share of units that are 0 for every example (only activations that can die);
    - `saturated`: the share of units at an end of their range for every example.
    """
    activations = [(name, layer) for name, layer in named_layers(network.layers) if isinstance(layer, Activation)]
    if not activations:
        return {}
    forward.forward(x)
    slots = dict(zip(network.names, forward.slots, strict=True))
    health: dict[str, dict[str, float]] = {}
    for name, layer in activations:
        y = inner_slot(slots, name)["y"].reshape(len(x), -1)
        if layer.function.dies:
            health[name] = {"dead": float(np.mean(np.all(y == 0, axis=0)))}
        elif layer.function.limits is not None:
            low, high = layer.function.limits
            margin = SATURATION * (high - low)
            health[name] = {"saturated": float(np.mean(np.all((y < low + margin) | (y > high - margin), axis=0)))}
    return health


def explain_divergence(
    network: Network, theta: Array, gradient: Array, x: Array, t: Array, loss: float, epoch: int, step: int
) -> str:
    """Where the first number that is not finite stands, and what to try."""
    place = _first_non_finite(network, theta, gradient, x, t)
    return (
        f"training diverged in epoch {epoch}, step {step}: the loss is {loss} and {place}. "
        "Try a tenth of optimizer.learning_rate, training.clip_norm: 1.0, or data.preprocess.numeric: standardize"
    )


def _first_non_finite(network: Network, theta: Array, gradient: Array, x: Array, t: Array) -> str:
    if not np.all(np.isfinite(x)):
        return "the inputs already hold values that are not finite"
    if t.dtype.kind == "f" and not np.all(np.isfinite(t)):
        return "the targets already hold values that are not finite"
    layout = network.layout
    for name in layout.parameters:
        if not np.all(np.isfinite(layout.view(theta, name))):
            return f"the parameter {name} is no longer finite"
    forward = Pass(network, theta)
    for name, slot, (function, p, _) in zip(network.names, forward.slots, forward.calls, strict=True):
        x = function(p, x, slot)
        if not np.all(np.isfinite(x)):
            return f"the output of layer {name} is the first that is not finite"
    for name in reversed(layout.parameters):
        if not np.all(np.isfinite(layout.view(gradient, name))):
            return f"the gradient of {name} is the first that is not finite"
    return "its sum over the batch overflowed"


def _norm(v: Array) -> float:
    return float(np.linalg.norm(v.astype(np.float64)))


def probe(data: Any, dtype: Any, rows: int = 256) -> Array:
    """The fixed examples on which `unit_health` is measured: the first of the training split."""
    x: Array = data.take(slice(0, min(rows, len(data))), dtype)[0]
    return x
