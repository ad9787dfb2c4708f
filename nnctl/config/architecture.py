r"""The network that a `model` section describes: branches, a join, a trunk and heads.

        input a -> branch a \                          / head p -> output p
                             join -> layers (the trunk)
        input b -> branch b /                          \ head q -> output q

With one input there is no join; with one output, its head is the end of the trunk. The graph is grown once, and
what the file leaves out (initialisers, output layers) is filled in on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nnctl.config.ending import ends_in_contained
from nnctl.config.model import Model
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Loss
from nnctl.engine.network import Network
from nnctl.errors import ConfigError, several
from nnctl.initializers import GlorotUniform
from nnctl.layers import Activation, Block, Dense, Flatten, Reshape
from nnctl.layers.joins import joined
from nnctl.names import unknown

#: The node that joins several inputs, where it has no name of its own.
JOIN = "join"


@dataclass(frozen=True)
class Wanted:
    """What an output must give: a number of values, to its loss, which stands at `key` of the experiment."""

    units: int
    loss: Loss
    key: str = "loss"


class Built(NamedTuple):
    """A network, and the model section with what was inferred written down, in the form that was used."""

    network: Network
    model: Model


def build(model: Model, inputs: Mapping[str, Signal], wanted: Mapping[str, Wanted]) -> Built:
    """The network for named inputs and outputs.

    Raises:
        ConfigError: for branches and heads that belong to no input or output, where layers do not fit what they
            read, or the last one of an output its target.
    """
    _refuse_unknown(model, inputs, wanted)
    graph = Graph(inputs)
    written, end = model.written_layers(), _branches(graph, model, inputs)
    update: dict[str, Any] = {"inputs": {name: tuple(settle(layers)) for name, layers in model.inputs.items()}}
    end = graph.chain(_shaping(model, inputs), end)
    if len(wanted) == 1 and not model.outputs:
        ((output, want),) = wanted.items()
        layers, end = _head(graph, written, end, want, model, "")
        ends = {output: end}
    else:
        layers, ends = settle(written), {}
        trunk = _chain(graph, layers, end, "", _trunk_key(model))
        for output, want in wanted.items():
            head, ends[output] = _head(graph, model.outputs.get(output, ()), trunk, want, model, output)
            if model.outputs or model.layers is not None:
                update.setdefault("outputs", {})[output] = tuple(head)
    if model.layers is not None:
        update["layers"] = tuple(layers)
    else:
        update["init"] = model.init or model.activation.initializer
        update["output_init"] = _output_init(model)
    return Built(Network(graph, ends), model.model_copy(update=update))


def _branches(graph: Graph, model: Model, inputs: Mapping[str, Signal]) -> str:
    """Grow every input's branch and what joins them; returns the name of what the trunk reads."""
    ends = {}
    for name, signal in inputs.items():
        layers, key, prefix = settle(model.inputs.get(name, ())), f"model.inputs.{name}", f"{name}."
        shaping: list[Layer] = []
        if layers and _lacks_channels(layers, signal):
            shaping = [Reshape(shape=(*signal.shape, 1))]
        elif not layers and len(inputs) > 1 and model.layers is None and len(signal.shape) > 1 and not signal.steps:
            shaping = [Flatten()]
        ends[key] = _chain(graph, layers, graph.chain(shaping, name, prefix), prefix, key)
    if len(ends) == 1:
        return ends.popitem()[1]
    try:
        return joined(graph, model.join.name or JOIN, model.join, ends)
    except ConfigError as error:
        raise ConfigError(f"{error.under('model.join').key}: {error}") from None


def _shaping(model: Model, inputs: Mapping[str, Signal]) -> list[Layer]:
    """What brings the one input, where it has no branch of its own, into the shape the first layer takes."""
    if len(inputs) > 1 or model.inputs:
        return []
    (signal,) = inputs.values()
    if model.layers is None:
        return [Flatten()] if len(signal.shape) > 1 else []
    return [Reshape(shape=(*signal.shape, 1))] if _lacks_channels(model.layers, signal) else []


def _head(
    graph: Graph, written: Sequence[Layer], source: str, want: Wanted, model: Model, output: str
) -> tuple[list[Layer], str]:
    """Grow the layers up to an output, with the output layer where they do not end in one.

    Returns them as they are written down, and the name of the node that the output reads. `output` is empty where
    they are the trunk of the only one.

    Raises:
        ConfigError: where the last layer does not fit the target.
    """
    layers, units = list(written), want.units
    key, prefix = (f"model.outputs.{output}", f"{output}.") if output else (_trunk_key(model), "")
    listed = bool(layers) and (bool(output) or model.layers is not None)
    if listed and isinstance(layers[-1], Dense) and layers[-1].units is None:
        layers[-1] = layers[-1].model_copy(update={"units": units})
    layers = settle(layers)
    end = _chain(graph, layers, source, prefix, key)
    signal = graph.signals[end]
    if not listed or signal.shape != (units,) or signal.steps:
        if listed:
            _refuse_end(layers, signal, units, key)
        last = Dense(units=units, init=_output_init(model))
        layers.append(last)
        end = _chain(graph, [last], end, prefix, key, written=False)
    if ends_in_contained(layers, want.loss, key, want.key):
        end = graph.take_away(end)
    return layers, end


def _chain(graph: Graph, layers: Sequence[Layer], source: str, prefix: str, key: str, *, written: bool = True) -> str:
    """Add layers to the graph; what is wrong is told with its key in the file, which has the layers as a list at `key`.

    Where it has no such list, `key` itself is told.
    """
    try:
        return graph.chain(layers, source, prefix)
    except ConfigError as error:
        raise ConfigError(f"{error.under(key).key if written and key != 'model' else key}: {error}") from None


def _trunk_key(model: Model) -> str:
    return "model" if model.layers is None else "model.layers"


def _output_init(model: Model) -> Any:
    return model.output_init or model.init or GlorotUniform()


def _refuse_unknown(model: Model, inputs: Iterable[str], outputs: Iterable[str]) -> None:
    messages = []
    for key, kind, named, known in (
        ("model.inputs", "input", model.inputs, inputs),
        ("model.outputs", "output", model.outputs, outputs),
    ):
        messages += [f"{key}.{name}: the data have {unknown(kind, name, known)}" for name in named if name not in known]
    if messages:
        raise several(messages)


def _refuse_end(layers: Sequence[Layer], signal: Signal, outputs: int, key: str) -> None:
    """Raise ConfigError where layers end in something that looks like an output layer of another shape or size."""
    last = next((layer for layer in reversed(layers) if not isinstance(layer, Activation)), None)
    place = f"{key}.{len(layers) - 1}"
    if len(signal.shape) > 1 or signal.steps:
        remedy = "end the layers in `- flatten` or `- global_average_pool`"
        if isinstance(last, Dense):
            remedy = "a dense layer acts at each position; put `- flatten` or `- global_average_pool` before it"
        if signal.steps:
            remedy = "put `- global_average_pool` or `- global_max_pool` before the output, which pools over time"
        raise ConfigError(
            f"{place}: the last layer gives {signal} an example, and the target needs {outputs} values; {remedy}"
        )
    if isinstance(layers[-1], Dense) and layers[-1].activation is None:
        raise ConfigError(
            f"{place}.units: the last layer has {signal.shape[-1]} units and the target needs {outputs}; "
            f"write `units: {outputs}`, or leave `units` out"
        )


def _lacks_channels(layers: Sequence[Layer], signal: Signal) -> bool:
    """Whether inputs are images (h, w), or signals (n,), and the first layer to look at their axes wants channels."""
    for layer in every_layer(layers):
        if isinstance(layer, Flatten | Reshape):
            return False
        if layer.axes is not None:
            return len(signal.shape) == layer.axes and not signal.steps
    return False


def every_layer(layers: Sequence[Layer]) -> Iterable[Layer]:
    """Every layer, those inside blocks after the block."""
    for layer in layers:
        yield layer
        if isinstance(layer, Block):
            for chain in layer.chains.values():
                yield from every_layer(chain)


def settle(layers: Sequence[Layer]) -> list[Layer]:
    """Choose the initialisers left out: what suits the layers that follow."""
    settled: list[Layer] = []
    for i, layer in enumerate(layers):
        suited = next((after.suits for after in layers[i + 1 :] if after.suits), GlorotUniform())
        settled.append(layer.rewritten(settle) if isinstance(layer, Block) else layer.settled(suited))
    return settled
