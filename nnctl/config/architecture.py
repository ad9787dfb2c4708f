r"""The network that a `model` section describes: branches, a join, a trunk and heads.

        input a -> branch a \                          / head p -> output p
                             join -> layers (the trunk)
        input b -> branch b /                          \ head q -> output q

With one input there is no join; with one output, its head is the end of the trunk. What the file leaves out
(initialisers, output layers) is filled in by `completed`, and `build` grows the graph from what is complete.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnctl.activations import Relu
from nnctl.config.ending import without_contained
from nnctl.config.model import Model
from nnctl.engine.graph import Graph, Signal
from nnctl.engine.layer import Layer
from nnctl.engine.loss import Loss
from nnctl.engine.network import Network
from nnctl.errors import ConfigError
from nnctl.initializers import GlorotUniform
from nnctl.layers import Activation, Block, Dense, Flatten, Reshape
from nnctl.layers.pooling import MaxPool
from nnctl.spec import nearest

#: The node that joins several inputs.
JOIN = "join"


@dataclass(frozen=True)
class Wanted:
    """What an output must give: a number of values, to its loss."""

    units: int
    loss: Loss


def build(model: Model, inputs: Mapping[str, Signal], wanted: Mapping[str, Wanted]) -> Network:
    """The network for named inputs and outputs.

    Raises:
        ConfigError: where layers do not fit their inputs, or the last one of an output its target.
    """
    full = completed(model, inputs, wanted)
    graph, source = _joined(full, inputs)
    if not full.outputs:
        ((output, want),) = wanted.items()
        layers = without_contained(
            prepared([*_shaping(model, inputs), *(full.layers or ())]), want.loss, "model.layers"
        )
        return Network(graph, {output: _chain(graph, layers, source, "", "model.layers")})
    trunk = _trunk(graph, model, inputs, full.layers or (), source)
    ends = {}
    for output, want in wanted.items():
        key = f"model.outputs.{output}"
        layers = without_contained(prepared(full.outputs[output]), want.loss, key)
        ends[output] = _chain(graph, layers, trunk, f"{output}.", key)
    return Network(graph, ends)


def completed(model: Model, inputs: Mapping[str, Signal], wanted: Mapping[str, Wanted]) -> Model:
    """The long form of a model with every layer and initialiser written down.

    Raises:
        ConfigError: for branches and heads that belong to no input or output, and as `build`.
    """
    _refuse_unknown(model.inputs, inputs, "model.inputs", "input")
    _refuse_unknown(model.outputs, wanted, "model.outputs", "output")
    update: dict[str, Any] = {"inputs": {name: tuple(settle(layers)) for name, layers in model.inputs.items()}}
    written = model.written_layers()
    graph, source = _joined(model.model_copy(update=update), inputs)
    if len(wanted) == 1 and not model.outputs:
        ((_, want),) = wanted.items()
        layers = [*_shaping(model, inputs)]
        update["layers"] = tuple(_ended(graph, source, layers, written, want, model))
        return Model(join=model.join, **update)
    trunk = _trunk(graph, model, inputs, written, source)
    update["layers"] = tuple(settle(written))
    ends = update["outputs"] = {}
    for output, want in wanted.items():
        ends[output] = tuple(_ended(graph, trunk, [], model.outputs.get(output, ()), want, model, f"{output}."))
        # The layers of one head can be used by the next.
        _chain(graph, prepared(ends[output]), trunk, f"{output}.", f"model.outputs.{output}")
    return Model(join=model.join, **update)


def spelled_out(model: Model, inputs: Mapping[str, Signal], wanted: Mapping[str, Wanted]) -> Model:
    """The model section with what was inferred written down, in the form that was used."""
    full = completed(model, inputs, wanted)
    update: dict[str, Any] = {"inputs": full.inputs, "outputs": full.outputs if model.outputs else {}}
    if model.layers is not None:
        return model.model_copy(update={**update, "layers": full.layers, "outputs": full.outputs})
    init = model.init or model.activation.initializer
    output_init = model.output_init or model.init or GlorotUniform()
    return model.model_copy(update={**update, "init": init, "output_init": output_init})


def _joined(model: Model, inputs: Mapping[str, Signal]) -> tuple[Graph, str]:
    """A graph with every input's branch and what joins them, and the name of what the trunk reads."""
    graph, ends = Graph(inputs), []
    for name, signal in inputs.items():
        layers = model.inputs.get(name, ())
        shaping: list[Layer] = []
        if layers and _lacks_channels(layers, signal):
            shaping = [Reshape(shape=(*signal.shape, 1))]
        elif not layers and len(inputs) > 1 and model.layers is None and len(signal.shape) > 1 and not signal.steps:
            shaping = [Flatten()]
        ends.append(_chain(graph, prepared([*shaping, *layers]), name, f"{name}.", f"model.inputs.{name}"))
    if len(ends) == 1:
        return graph, ends[0]
    return graph, graph.add(JOIN, model.join, *ends)


def _trunk(graph: Graph, model: Model, inputs: Mapping[str, Signal], layers: Sequence[Layer], source: str) -> str:
    return _chain(graph, prepared([*_shaping(model, inputs), *settle(layers)]), source, "", "model.layers")


def _shaping(model: Model, inputs: Mapping[str, Signal]) -> list[Layer]:
    """What brings the one input, where it has no branch of its own, into the shape the first layer takes."""
    if len(inputs) > 1 or model.inputs:
        return []
    (signal,) = inputs.values()
    if model.layers is None:
        return [Flatten()] if len(signal.shape) > 1 else []
    return [Reshape(shape=(*signal.shape, 1))] if _lacks_channels(model.layers, signal) else []


def _ended(
    graph: Graph,
    source: str,
    shaping: Sequence[Layer],
    layers: Sequence[Layer],
    want: Wanted,
    model: Model,
    prefix: str = "",
) -> list[Layer]:
    """The layers up to an output, with the output layer where they do not end in one.

    Raises:
        ConfigError: where the last layer does not fit the target.
    """
    written, units = list(layers), want.units
    key = f"model.outputs.{prefix[:-1]}" if prefix else "model.layers"
    if written and (prefix or model.layers is not None):
        if isinstance(written[-1], Dense) and written[-1].units is None:
            written[-1] = written[-1].model_copy(update={"units": units})
        scratch = graph.copy()
        expanded = prepared([*shaping, *settle(written)])
        signal = scratch.signals[_chain(scratch, expanded, source, prefix, key)]
        if signal.shape == (units,) and not signal.steps:
            return settle(written)
        _refuse_end(expanded, signal, units, key)
    return settle([*written, Dense(units=units, init=model.output_init or model.init or GlorotUniform())])


def _chain(graph: Graph, layers: Sequence[Layer], source: str, prefix: str, key: str) -> str:
    """Add layers to the graph; what is wrong is told with the key of the file where they stand."""
    try:
        return graph.chain(layers, source, prefix)
    except ConfigError as error:
        raise ConfigError(f"{key if prefix else 'model'}: {str(error).removeprefix('model: ')}") from None


def _refuse_unknown(named: Iterable[str], known: Iterable[str], key: str, what: str) -> None:
    for name in named:
        if name not in known:
            close = nearest(name, known)
            raise ConfigError(
                f"{key}.{name}: names no {what} of the data; there is {', '.join(known)}"
                + (f"; did you mean {close}?" if close else "")
            )


def _refuse_end(layers: list[Layer], signal: Signal, outputs: int, key: str) -> None:
    """Raise ConfigError where layers end in something that looks like an output layer of another shape or size."""
    last = next((layer for layer in reversed(layers) if not isinstance(layer, Activation)), None)
    if len(signal.shape) > 1 or signal.steps:
        remedy = "end the layers in `- flatten` or `- global_average_pool`"
        if isinstance(last, Dense):
            remedy = "a dense layer acts at each position; put `- flatten` or `- global_average_pool` before it"
        if signal.steps:
            remedy = "put `- global_average_pool` or `- global_max_pool` before the output, which pools over time"
        raise ConfigError(
            f"{key}: the last layer gives {signal} an example, and the target needs {outputs} values; {remedy}"
        )
    if layers and isinstance(layers[-1], Dense):
        raise ConfigError(
            f"{key}: the last layer has {signal.shape[-1]} units and the target needs {outputs}; "
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


def prepared(layers: Sequence[Layer]) -> list[Layer]:
    """Settled layers as they are run: every weighted layer's activation is one of its own, and pooling comes first.

    max_k relu(x_k) = relu(max_k x_k), and so are the gradients, to the bit: where maximum pooling follows a rectifier,
    they change places, and the rectifier has a quarter of the values to work on. A step of a convolutional network is
    about 4 % shorter.
    """
    ordered: list[Layer] = []
    for layer in layers:
        for part in [layer.rewritten(prepared)] if isinstance(layer, Block) else layer.parts():
            before = ordered[-1] if ordered else None
            rectified = isinstance(before, Activation) and isinstance(before.function, Relu)
            ordered.insert(len(ordered) - (1 if rectified and isinstance(part, MaxPool) else 0), part)
    return ordered
