"""Rules of thumb: from the size and kind of the data to model, loss, optimizer and training."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from nnctl.data.loading import LoadedData
from nnctl.data.targets.classes import UNBALANCED
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.parameters import Shape
from nnctl.suggest.commented import Because
from nnctl.suggest.convolution import convolutional, is_image
from nnctl.suggest.training import Pace, optimizer, training
from nnctl.training.assemble import class_counts

#: The largest class may be this many times the smallest before plain accuracy flatters.
UNEVEN = 1.5
#: With this many classes, to be among the first five is worth knowing.
MANY_CLASSES = 20


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
    """Everything but the data section."""
    if is_image(data.inputs[INPUT].shape):
        model, pace, cost = convolutional(data)
        return {
            "model": model,
            "loss": _loss(data),
            "optimizer": optimizer(pace),
            "training": training(data, pace, cost),
            "metrics": _metrics(data),
        }
    rows = len(data.train)
    size = max(size for size in SIZES if size.rows <= rows)
    return {
        "model": _model(data.inputs[INPUT].shape, size, rows),
        "loss": _loss(data),
        "optimizer": optimizer(size.pace),
        "regularization": {"l2": Because(size.l2, f"keeps weights small; {rows} training rows {_need(size)}")},
        "training": training(data, size.pace),
        "metrics": _metrics(data),
    }


def _need(size: Size) -> str:
    return "need a firm hand" if size.rows == 0 else "need little of it" if size.l2 else "need none of it"


def _model(shape: Shape, size: Size, rows: int) -> dict[str, Any]:
    inputs = prod(shape)
    units = min(max(inputs, size.least), size.most)
    bound = "" if units == inputs else f", but at {'least' if units > inputs else 'most'} {units}"
    depth = "one layer is" if size.layers == 1 else f"{size.layers} layers of the same size are"
    noun = "input" if inputs == 1 else "inputs"
    reason = f"as many units as there are inputs ({inputs} {noun}){bound}; {depth} enough for {rows} training rows"
    if len(shape) == 3 and is_image((*shape[1:], shape[0])):
        height_first = ", ".join(map(str, (*shape[1:], shape[0])))
        reason += f"; if these are images with their channels first, transpose them to (n, {height_first})"
    return {"hidden": Because([units] * size.layers, reason), "activation": "relu"}


def _loss(data: LoadedData) -> dict[str, Any]:
    loss, reason = data.targets[OUTPUT].suited_loss
    found: dict[str, Any] = {"type": Because(loss.type, reason)}
    counts = class_counts(data)
    if unbalanced(counts):
        reason = f"the largest class is {counts.max() / counts.min():.0f} times the smallest; each now counts the same"
        found["class_weights"] = Because("balanced", reason)
    return found


def _metrics(data: LoadedData) -> Because:
    keys = [metric.key for metric in data.targets[OUTPUT].suited_metrics]
    counts = class_counts(data)
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
