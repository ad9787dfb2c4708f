"""The network as the textbook draws it: its layers put together to stages, whose units have names."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError
from nnctl.explain.naming import Stage, input_names
from nnctl.explain.trace import LayerTrace, OutputTrace, Trace

#: Up to so many weights have a number each.
TINY = 20

#: What the data call the columns of an input, by input; None where they have no names.
Columns = Mapping[str, Sequence[str] | None]


@dataclass(frozen=True)
class Drawing:
    """Stages, each after those that it reads.

    Attributes:
        stages: the inputs and features first.
        outputs: each output with the stage that it reads.
        unwritten: the layers whose mathematics is not written out.
    """

    stages: list[Stage]
    outputs: list[tuple[OutputTrace, Stage]]
    unwritten: list[LayerTrace]

    @property
    def sources(self) -> list[Stage]:
        """The inputs and features."""
        return [stage for stage in self.stages if not stage.sources]

    @property
    def computed(self) -> list[Stage]:
        """The stages whose units follow from those of others."""
        return [stage for stage in self.stages if stage.sources]

    @property
    def dense(self) -> list[Stage]:
        """The stages of dense layers with weights of their own."""
        return [stage for stage in self.stages if stage.gives == "sums" and stage.weights is None]

    @property
    def tiny(self) -> bool:
        """Whether weights have numbers."""
        return bool(self.dense) and self.dense[0].first_weight is not None

    @property
    def is_chain(self) -> bool:
        """Whether every stage reads the one before it, and the last one is the output."""
        pairs = zip(self.stages, self.stages[1:], strict=False)
        return all(after.sources == (before,) for before, after in pairs) and len(self.outputs) == 1


@dataclass
class _Group:
    """A stage without names; `reads` are the numbers of the groups that it reads."""

    name: str
    start: Array
    head: LayerTrace | None = None
    reads: tuple[int, ...] = ()
    after: list[LayerTrace] = field(default_factory=list)

    @property
    def has_units(self) -> bool:
        """Whether it has units of its own, and not only those of other groups or of the inputs."""
        return self.head is not None or bool(self.reads and self.after)

    @property
    def is_dense(self) -> bool:
        """Whether it has weights of its own."""
        return self.head is not None and self.head.layer.gives == "sums" and self.head.owner == self.name

    @property
    def weights(self) -> int:
        """How many."""
        return self.head.parameters["weight"].before.size if self.head and self.is_dense else 0


def drawing(trace: Trace, columns: Columns | None = None) -> Drawing:
    """The network's stages; where layers are `unwritten`, what they make of the inputs comes first.

    Raises:
        ConfigError: where a dense layer takes more than a flat vector, or nothing is left to write out.
    """
    before = unwritten(trace)
    groups, ends = _grouped(trace, before)
    if before and not any(group.is_dense for group in groups):
        raise ConfigError(
            f"model.layers: explain writes out the dense layers behind {before[-1].name}, and there is none; "
            "`--json` gives the numbers of all layers"
        )
    stages: list[Stage] = []
    units = _units(groups, ends, trace, columns or {})
    tiny, weights = sum(group.weights for group in groups) <= TINY, 0
    for group, (number, names) in zip(groups, units, strict=True):
        sources = tuple(stages[read] for read in group.reads)
        owner = next((stage for stage in stages if group.head and stage.name == group.head.owner), None)
        names = names or tuple(unit for source in sources for unit in source.units)
        first = weights if tiny and group.is_dense else None
        after = tuple(group.after)
        stages.append(Stage(group.name, names, number, group.start, group.head, sources, after, owner, first))
        weights += group.weights
    outputs = [(output, stages[end]) for output, end in zip(trace.outputs, ends, strict=True)]
    return Drawing(stages, outputs, before)


def unwritten(trace: Trace) -> list[LayerTrace]:
    """The layers that give other units than they take, such as convolution and pooling, and all that these depend on.

    Formulas begin with what they make of the inputs.
    """
    kept: list[LayerTrace] = []
    needed: set[str] = set()
    for layer in reversed(trace.layers):
        # Arrays with several axes, side by side along the last one, are not side by side when they are flat.
        interleaved = layer.layer.gives == "same" and len(layer.reads) > 1 and trace.axes[layer.name] > 1
        if layer.name in needed or layer.layer.gives == "new" or interleaved:
            needed.update(layer.reads)
            kept.append(layer)
    return kept[::-1]


def _grouped(trace: Trace, before: list[LayerTrace]) -> tuple[list[_Group], list[int]]:
    """The layers put together to groups, and the number of the group that each output reads."""
    start = {**trace.inputs, **{layer.name: layer.y for layer in before}}
    where: dict[str, str] = {}  # a layer that only passes its input on, and whose output that is
    written = []
    for layer in trace.layers:
        if layer.name not in start and layer.layer.gives == "same" and len(layer.reads) == 1:
            where[layer.name] = where.get(layer.reads[0], layer.reads[0])
        elif layer.name not in start:
            written.append(layer)
    ends = [where.get(output.reads, output.reads) for output in trace.outputs]
    readers = Counter([*(where.get(name, name) for layer in written for name in layer.reads), *ends])
    groups = [_Group(name, values) for name, values in start.items() if name in readers]
    place = {group.name: i for i, group in enumerate(groups)}
    for layer in written:
        read = [where.get(name, name) for name in layer.reads]
        numbers, gives = tuple(place[name] for name in read), layer.layer.gives
        if gives == "changed" and readers[read[0]] == 1:
            groups[numbers[0]].after.append(layer)
            place[layer.name] = numbers[0]
            continue
        place[layer.name] = len(groups)
        if gives == "changed":
            groups.append(_Group(layer.name, layer.x[0], None, numbers, [layer]))
        else:
            _refuse_several_axes(layer)
            groups.append(_Group(layer.name, layer.y, None if gives == "same" else layer, numbers))
    return groups, [place[name] for name in ends]


def _refuse_several_axes(layer: LayerTrace) -> None:
    if layer.layer.gives == "sums" and layer.x[0].size != len(layer.parameters["weight"].before):
        raise ConfigError(
            f"model.layers: {layer.name} takes inputs with several axes, position by position, which explain "
            "does not write out; put `flatten` before it"
        )


def _units(
    groups: list[_Group], ends: list[int], trace: Trace, columns: Columns
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each group's number among those with units of their own, and what these are called."""
    read = [group for group in groups if group.name in trace.inputs]
    known = [name for group in read for name in columns.get(group.name) or [""] * len(group.start)]
    inputs = iter(input_names(sum(len(group.start) for group in read), known))
    features, outputs, numbers = count(1), count(1), count(1)
    hidden = sum(group.has_units and i not in ends for i, group in enumerate(groups))
    for i, group in enumerate(groups):
        size, number = len(group.start), next(numbers) if group.has_units else 0
        if not group.reads:
            names = inputs if group.name in trace.inputs else (f"f{n}" for n in features)
        elif not number:
            names = iter(())
        elif i in ends:
            names = (f"o{n}" for n in outputs)
        else:
            names = (f"h{n}" if hidden == 1 else f"h{number}.{n}" for n in count(1))
        yield number, tuple(islice(names, size))
