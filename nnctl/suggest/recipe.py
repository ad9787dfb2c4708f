"""Rules of thumb: from the size and kind of the data to model, loss, optimizer and training."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from nnctl.data.loading import LoadedData
from nnctl.data.targets.classes import UNBALANCED
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.parameters import Shape
from nnctl.losses.regression import Huber, MeanSquaredError
from nnctl.suggest.commented import Because, Off
from nnctl.suggest.convolution import convolutional, is_image
from nnctl.suggest.training import Pace, optimizer, training
from nnctl.training.assemble import class_counts

#: The largest class may be this many times the smallest before plain accuracy flatters.
UNEVEN = 1.5
#: With this many classes, to be among the first five is worth knowing.
MANY_CLASSES = 20
#: Numbers a word becomes, by the most training rows.
EMBEDDINGS = ((1_000, 16), (10_000, 32), (float("inf"), 64))
#: The sections in the order they are written.
ORDER = ("model", "loss", "optimizer", "regularization", "training", "metrics")


class Size(NamedTuple):
    """What suits tables, and arrays that are no images, from `rows` training rows on."""

    rows: int
    layers: int
    least: int
    most: int
    l2: float
    pace: Pace


SIZES = (
    Size(0, 1, 16, 64, 1e-2, Pace(batch=16, rate=0.005, epochs=300, patience=30)),
    Size(1_000, 2, 32, 128, 1e-3, Pace(batch=32, rate=0.003, epochs=150, patience=20)),
    Size(10_000, 2, 64, 256, 1e-4, Pace(batch=64, rate=0.001, epochs=60, patience=10)),
    Size(100_000, 2, 64, 256, 0.0, Pace(batch=256, rate=0.001, epochs=30, patience=5)),
)


def recipe(data: LoadedData) -> dict[str, Any]:
    """Everything but the data section, and but what is said of each output where they are named."""
    rows, cost = len(data.train), ""
    size = max(size for size in SIZES if size.rows <= rows)
    pace, l2 = size.pace, True
    if INPUT not in data.inputs:
        model, pace, cost, l2 = branched(data, size)
    elif is_image(data.inputs[INPUT].shape):
        layers, pace, cost, reason = convolutional(data, INPUT)
        model, l2 = {"layers": Because(layers, reason)}, False
    else:
        units, reason = _width(data.inputs[INPUT].shape, size, rows)
        model = {"hidden": Because([units] * size.layers, reason), "activation": "relu"}
    tree = {"model": model, "optimizer": optimizer(pace)}
    if l2:
        tree["regularization"] = {"l2": Because(size.l2, f"keeps weights small; {rows} training rows {_need(size)}")}
    tree["training"] = training(data, pace, cost)
    if OUTPUT in data.targets:
        tree |= goal(data, OUTPUT)
    return {key: tree[key] for key in ORDER if key in tree}


def goal(data: LoadedData, output: str) -> dict[str, Any]:
    """The loss and the metrics of an output."""
    return {"loss": _loss(data, output), "metrics": _metrics(data, output)}


def branched(data: LoadedData, size: Size) -> tuple[dict[str, Any], Pace, str, bool]:
    """The model of named inputs, each with the layers it would have alone; how to train it, and whether to use L2."""
    branches: dict[str, Any] = {}
    rows, pace, cost, l2 = len(data.train), size.pace, "", True
    for name, fitted in data.inputs.items():
        if fitted.signal.steps:
            branches[name] = textual(fitted.signal.tokens or 0, rows)
        elif is_image(fitted.shape):
            layers, pace, cost, reason = convolutional(data, name)
            branches[name], l2 = Because([*layers[:-1], {"dense": size.least}, "relu"], reason), False
        else:
            units, reason = _width(fitted.shape, size, rows)
            branches[name] = Because(
                [layer for _ in range(size.layers) for layer in ({"dense": units}, "relu")], reason
            )
    model: dict[str, Any] = {"inputs": branches}
    if len(branches) > 1:
        model["join"] = Because("concatenate", "what the inputs give, side by side")
    both = "what follows from all inputs together" if len(branches) > 1 else "what follows from the text"
    model["layers"] = Because([{"dense": size.least}, "relu"], both)
    return model, pace, cost, l2


def textual(tokens: int, rows: int) -> Because:
    """The layers of a text."""
    units = next(units for most, units in EMBEDDINGS if rows < most)
    reason = f"a vector of {units} numbers for each of {tokens} words; the mean of a text's words forgets their order"
    return Because([{"embedding": units}, "global_average_pool"], reason)


def _need(size: Size) -> str:
    return "need a firm hand" if size.rows == 0 else "need little of it" if size.l2 else "need none of it"


def _width(shape: Shape, size: Size, rows: int) -> tuple[int, str]:
    """The units of hidden layers, and why."""
    inputs = prod(shape)
    units = min(max(inputs, size.least), size.most)
    bound = "" if units == inputs else f", but at {'least' if units > inputs else 'most'} {units}"
    depth = "one layer is" if size.layers == 1 else f"{size.layers} layers of the same size are"
    noun = "input" if inputs == 1 else "inputs"
    reason = f"as many units as there are inputs ({inputs} {noun}){bound}; {depth} enough for {rows} training rows"
    if len(shape) == 3 and is_image((*shape[1:], shape[0])):
        height_first = ", ".join(map(str, (*shape[1:], shape[0])))
        reason += f"; if these are images with their channels first, transpose them to (n, {height_first})"
    return units, reason


def _loss(data: LoadedData, output: str) -> dict[str, Any]:
    loss, reason = data.targets[output].suited_loss
    if len(data.targets) > 1 and isinstance(loss, MeanSquaredError):
        loss = Huber()
        reason = "squares of standardized numbers, straight beyond 1, so that far ones leave the other outputs a say"
    found: dict[str, Any] = {"type": Because(loss.type, reason)}
    counts = class_counts(data, output)
    if unbalanced(counts):
        found["class_weights"] = Off(
            "balanced",
            f"The largest class is {counts.max() / counts.min():.0f} times the smallest. Weights that make each count "
            "the same find more of the rare ones (balanced_accuracy) and cost accuracy, and probabilities that mean "
            "what they say. Take away the # to have them:",
        )
    return found


def _metrics(data: LoadedData, output: str) -> Because:
    keys = [metric.key for metric in data.targets[output].suited_metrics]
    counts = class_counts(data, output)
    if not len(counts):
        return Because(keys, "the usual ones for this kind of target")
    reason = ["accuracy is the share of right answers"]
    if counts.max() > UNEVEN * max(counts.min(), 1):
        keys.append("balanced_accuracy")
        reason.append("balanced_accuracy and macro_f1 count every class the same")
    if len(counts) == 2:
        keys.append("roc_auc")
        reason.append("roc_auc is about the order of the probabilities")
    if len(counts) > MANY_CLASSES:
        keys.append("top_5_accuracy")
    if unbalanced(counts):
        keys.append(keys.pop(keys.index("accuracy")))  # it praises who always says the largest class
    return Because(keys, "; ".join(reason))


def unbalanced(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    """Whether the largest class drowns the smallest."""
    return bool(len(counts) and counts.min() and counts.max() > UNBALANCED * counts.min())
