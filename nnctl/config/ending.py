"""The end of a network and its loss: which of the two applies the output activation."""

from collections.abc import Sequence

from nnctl.engine.layer import Layer
from nnctl.engine.loss import Loss
from nnctl.errors import ConfigError
from nnctl.layers import Activation, Block
from nnctl.layers.weighted import Weighted


def without_contained(layers: Sequence[Layer], loss: Loss, key: str) -> list[Layer]:
    """The layers without a last activation that the loss contains: the pair is computed by the loss, from nets.

    `key` is the layers' place in the experiment file.

    Raises:
        ConfigError: where the activation would be applied twice, with two temperatures, or not at all.
    """
    last = layers[-1] if layers else None
    function = last.function if isinstance(last, Activation) else None
    if loss.takes_probabilities:
        source = next((layer for layer in reversed(layers) if isinstance(layer, Activation | Weighted | Block)), None)
        if isinstance(source, Weighted) or (isinstance(source, Activation) and not source.function.gives_probabilities):
            raise ConfigError(
                f"loss.input: {loss.type} is to take probabilities, and the network ends in {source.kind}, whose "
                f"values may be any; leave `input` out, and the loss applies the {loss.contains} itself, or end "
                f"{key} in `- {loss.contains}`"
            )
        return list(layers)
    if function is None or function.type != loss.contains:
        return list(layers)
    if function != type(function)():
        raise ConfigError(
            f"{key}: {loss.type} contains the final {function.type}; its settings belong to the loss, as in "
            f"loss: {{type: {loss.type}, temperature: 2.0}}, or write `input: probabilities` there"
        )
    return list(layers[:-1])
