"""The end of a network and its loss: which of the two applies the output activation."""

from collections.abc import Sequence

from nnctl.engine.layer import Layer
from nnctl.engine.loss import Loss
from nnctl.errors import ConfigError
from nnctl.layers import Activation, Block
from nnctl.layers.weighted import Weighted


def ends_in_contained(layers: Sequence[Layer], loss: Loss, key: str, loss_key: str) -> bool:
    """Whether the last activation is one that the loss contains: the pair is computed by the loss, from nets.

    `key` and `loss_key` are the places of the layers and of the loss in the experiment file.

    Raises:
        ConfigError: where the activation would be applied twice, with two temperatures, or not at all.
    """
    parts = [part for layer in layers for part in layer.parts()]
    last = parts[-1] if parts else None
    function = last.function if isinstance(last, Activation) else None
    if loss.takes_probabilities:
        source = next((layer for layer in reversed(parts) if isinstance(layer, Activation | Weighted | Block)), None)
        if isinstance(source, Weighted) or (isinstance(source, Activation) and not source.function.gives_probabilities):
            raise ConfigError(
                f"{loss_key}.input: {loss.type} is to take probabilities, and the network ends in {source.kind}, whose "
                f"values may be any; leave `input` out, and the loss applies the {loss.contains} itself, or end "
                f"{key} in `- {loss.contains}`"
            )
        return False
    if function is None or function.type != loss.contains:
        return False
    if function != type(function)():
        raise ConfigError(
            f"{key}.{len(layers) - 1}: {loss.type} contains the final {function.type}; its settings belong to the "
            f"loss, as in {loss_key}: {{type: {loss.type}, temperature: 2.0}}, or write `input: probabilities` there"
        )
    return True
