"""Rules of thumb: from the size and kind of the data to model, loss, optimizer and training."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from nnctl.data.loading import LoadedData
from nnctl.data.report import UNBALANCED
from nnctl.metrics.metric import DEFAULTS
from nnctl.suggest.commented import Because
from nnctl.training.assemble import class_counts, default_loss

#: The largest class may be this many times the smallest before plain accuracy flatters.
UNEVEN = 1.5
#: With this many classes, to be among the first five is worth knowing.
MANY_CLASSES = 20


class Size(NamedTuple):
    """What suits training sets from `rows` on."""

    rows: int
    layers: int
    least: int
    most: int
    batch: int
    rate: float
    l2: float
    epochs: int
    patience: int


SIZES = (
    Size(0, 1, 16, 64, 16, 0.005, 1e-2, 300, 30),
    Size(1_000, 2, 32, 128, 32, 0.003, 1e-3, 150, 20),
    Size(10_000, 2, 64, 256, 64, 0.001, 1e-4, 60, 10),
    Size(100_000, 2, 64, 256, 256, 0.001, 0.0, 30, 5),
)


def size_for(rows: int) -> Size:
    """The line of the table that holds for a number of training rows."""
    return max(size for size in SIZES if size.rows <= rows)


def recipe(data: LoadedData) -> dict[str, Any]:
    """Everything but the data section."""
    rows = len(data.train)
    size = size_for(rows)
    return {
        "model": _model(prod(data.train.input_shape), size, rows),
        "loss": _loss(data),
        "optimizer": {
            "type": Because("adam", "steps of a size of their own for each weight"),
            "learning_rate": Because(size.rate, "a tenth if the loss jumps or becomes NaN, thrice if it crawls"),
        },
        "regularization": {"l2": Because(size.l2, f"keeps weights small; {rows} training rows {_need(size)}")},
        "training": _training(data, size),
        "metrics": _metrics(data),
    }


def _need(size: Size) -> str:
    return "need a firm hand" if size.rows == 0 else "need little of it" if size.l2 else "need none of it"


def _model(inputs: int, size: Size, rows: int) -> dict[str, Any]:
    units = min(max(inputs, size.least), size.most)
    bound = "" if units == inputs else f", but at {'least' if units > inputs else 'most'} {units}"
    depth = "one layer is" if size.layers == 1 else f"{size.layers} layers of the same size are"
    noun = "input" if inputs == 1 else "inputs"
    reason = f"as many units as there are inputs ({inputs} {noun}){bound}; {depth} enough for {rows} training rows"
    return {"hidden": Because([units] * size.layers, reason), "activation": "relu"}


def _loss(data: LoadedData) -> dict[str, Any]:
    target = data.encoder.target
    loss = default_loss(target)
    reasons = {
        "mean_squared_error": "the target is a number, standardized for training; metrics are in its own units",
        "binary_cross_entropy": "two classes" if target.task == "classification" else "each label is there or not",
        "cross_entropy": f"{len(target.classes)} classes, one of which is right",
    }
    found: dict[str, Any] = {"type": Because(loss.type, reasons[loss.type])}
    counts = class_counts(data)
    if unbalanced(counts):
        reason = f"the largest class is {counts.max() / counts.min():.0f} times the smallest; each now counts the same"
        found["class_weights"] = Because("balanced", reason)
    return found


def _metrics(data: LoadedData) -> Because:
    target = data.encoder.target
    keys = list(DEFAULTS[target.task])
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


def _training(data: LoadedData, size: Size) -> dict[str, Any]:
    rows = len(data.train)
    steps = int(np.ceil(rows / size.batch))
    found: dict[str, Any] = {
        "epochs": Because(size.epochs, "at most"),
        "batch_size": Because(size.batch, f"{steps} steps an epoch"),
        "clip_norm": Because(5.0, "a single odd batch moves the weights only so far"),
    }
    if data.validation is None:
        found["early_stopping"] = Because(None, "there are no validation rows to watch")
    else:
        found["early_stopping"] = {
            "monitor": "validation.loss",
            "patience": Because(size.patience, "epochs in a row without improvement end the training"),
            "restore_best": Because(True, "the model is that of the best epoch"),
        }
    return found
