"""Health of the layers: gradient norms, update sizes, dead and saturated units, non-finite numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnctl.data.dataset import Dataset
from nnctl.engine.batch import Batch
from nnctl.engine.network import Network, Pass
from nnctl.engine.parameters import Array
from nnctl.engine.shards import MeanLoss
from nnctl.layers import Activation

#: A saturated unit lies within this share of its activation's range of one of the ends.
SATURATION = 0.01
#: What is measured beside training is measured on this many examples.
PROBED = 256


def layer_health(network: Network, theta: Array, before: Array, gradient: Array) -> dict[str, dict[str, float]]:
    """Per layer, of one training step:

    - `gradient_norm`: the Euclidean norm of dJ/dtheta over the layer's trained tensors;
    - `update_ratio`: |theta_after - theta_before| / |theta_before| over its weights. Around 1e-3 is
      healthy; much less learns slowly, much more is unstable.
    """
    health: dict[str, dict[str, float]] = {}
    for name in network.nodes:
        own = network.layout.declarations.get(name, {})  # nothing where it has another layer's weights
        tensors = [f"{name}.{n}" for n, p in own.items() if p.trainable]
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


def gradient_shares(objective: MeanLoss, batch: Batch, address: tuple[Any, ...]) -> dict[str, float]:
    """Each output's share of the gradient in what several outputs depend on; empty where nothing is shared.

        share_h = |dJ_h / dtheta| weight_h / sum over the outputs k of |dJ_k / dtheta| weight_k

    over the parameters that more than one output depends on, and the first `PROBED` examples of the batch. An output
    with nearly all of it decides alone what the shared layers learn. The objective's gradient is used for it.
    """
    network = objective.network
    needed = [
        {network.nodes[name].owner for name in network.ancestors(output) if name in network.nodes}
        for output in objective.heads
    ]
    shared = [
        network.layout.slices[name]
        for name, parameter in network.layout.parameters.items()
        if parameter.trainable and sum(name.rpartition(".")[0] in nodes for nodes in needed) > 1
    ]
    if not shared:
        return {}
    batch, norms = batch.first(PROBED), {}
    for output in objective.heads:
        objective(batch, address=address, only=output)
        norms[output] = float(np.sqrt(sum(_norm(objective.gradient[span]) ** 2 for span in shared)))
    total = sum(norms.values())
    return {output: size / total if total else 0.0 for output, size in norms.items()}


def unit_health(network: Network, forward: Pass, inputs: Mapping[str, Array]) -> dict[str, dict[str, float]]:
    """Per activation layer, over some examples:

    - `dead`: the share of units that are 0 for every example (only activations that can die);
    - `saturated`: the share of units at an end of their range for every example.
    """
    activations = [(n.name, n.layer) for n in network.nodes.values() if isinstance(n.layer, Activation)]
    if not activations:
        return {}
    forward.forward(inputs)
    health: dict[str, dict[str, float]] = {}
    for name, layer in activations:
        y = forward.values[name]
        y = y.reshape(len(y), -1)
        if layer.function.dies:
            health[name] = {"dead": float(np.mean(np.all(y == 0, axis=0)))}
        elif layer.function.limits is not None:
            low, high = layer.function.limits
            margin = SATURATION * (high - low)
            health[name] = {"saturated": float(np.mean(np.all((y < low + margin) | (y > high - margin), axis=0)))}
    return health


def first_non_finite(network: Network, theta: Array, gradient: Array, batch: Batch) -> str:
    """Where the first number that is not finite stands, in the order of the computation: a clause."""
    inputs = {name: x[:] for name, x in batch.inputs.items()}
    forward = Pass(network, theta)
    forward.forward(inputs)
    if not all(np.all(np.isfinite(forward.values[name])) for name in inputs):
        return "the inputs already hold values that are not finite"
    if not all(np.all(np.isfinite(t)) for t in batch.targets.values() if t.dtype.kind == "f"):
        return "the targets already hold values that are not finite"
    layout = network.layout
    for name in layout.parameters:
        if not np.all(np.isfinite(layout.view(theta, name))):
            return f"the parameter {name} is no longer finite"
    for name in network.nodes:
        if not np.all(np.isfinite(forward.values[name])):
            return f"the output of layer {name} is the first that is not finite"
    for name in reversed(layout.parameters):
        if not np.all(np.isfinite(layout.view(gradient, name))):
            return f"the gradient of {name} is the first that is not finite"
    return "its sum over the batch overflowed"


def _norm(v: Array) -> float:
    return float(np.linalg.norm(v.astype(np.float64)))


def probe(data: Dataset, dtype: DTypeLike, rows: int = PROBED) -> Mapping[str, Array]:
    """The fixed examples on which `unit_health` is measured: the first of the training split."""
    return data.take(slice(0, min(rows, len(data))), dtype).inputs
