"""A run in a few facts, whatever state it is in."""

import os
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, TypedDict

from nnctl.config.yaml12 import parse
from nnctl.errors import ConfigError, DataError
from nnctl.runs.directory import RunDirectory
from nnctl.runs.facts import RunFacts
from nnctl.training.history import UNREADABLE, EpochRow
from nnctl.training.shares import overbearing

#: Of a layer.
Figures = Mapping[str, float | None]

#: A layer's gradient may be so much smaller or larger than that of the last layer.
FADED, BLOWN_UP = 1e-4, 1e4
#: Update sizes relative to the weights beyond which training stands still or staggers.
SLOWEST, FASTEST = 1e-6, 0.1
#: The share of dead or saturated units that is worth a word.
MANY_UNITS = 0.25


class Overview(TypedDict):
    """A line of the list of runs."""

    name: str
    status: str
    epochs: int
    best_epoch: int | None
    monitor: str | None
    value: float | None
    test: Mapping[str, float | None] | None
    created: str | None
    seconds: float


def overview(run: RunDirectory) -> Overview:
    """A run in a line.

    Raises:
        DataError: where the run's files are damaged.
    """
    info, epochs = run.info(), rows(run)
    evaluation = info.get("evaluation") or {}
    return {
        "name": run.path.name,
        "status": status(info),
        "epochs": info.get("epochs", len(epochs)),
        "best_epoch": info.get("best_epoch"),
        "monitor": info.get("monitor"),
        "value": info.get("best_value"),
        "test": evaluation.get("test"),
        "created": info.get("created"),
        "seconds": sum(row.seconds for row in epochs),
    }


def status(info: RunFacts) -> str:
    """What became of a run; one that says it is running, and whose process is gone, was killed."""
    said = str(info.get("status", "unknown"))
    pid = info.get("pid")
    return "killed" if said == "running" and isinstance(pid, int) and not _alive(pid) else said


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True


def rows(run: RunDirectory) -> list[EpochRow]:
    """The lines of metrics.jsonl.

    Raises:
        DataError: where they are not what a run writes.
    """
    try:
        lines = run.rows()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{run.metrics}: cannot be read ({error})") from None
    epochs = []
    for number, line in enumerate(lines, 1):
        try:
            epochs.append(EpochRow.of_json(line))
        except UNREADABLE as error:
            raise DataError(
                f"{run.metrics}:{number}: is not the line of an epoch ({type(error).__name__}: {error})"
            ) from None
    return epochs


def settings(run: RunDirectory) -> dict[str, Any]:
    """The resolved experiment as plain data.

    Raises:
        DataError: where it cannot be read.
    """
    try:
        written = parse(run.config.read_text(encoding="utf-8"), str(run.config)).data
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise DataError(f"{run.config}: cannot be read ({error})") from None
    if not isinstance(written, dict):
        raise DataError(f"{run.config}: holds no settings")
    return written


def undecided(summary: RunFacts) -> list[str]:
    """What is wrong with the figure that was to say which epoch is the best."""
    if summary["best_value"] is not None and not isnan(summary["best_value"]):
        return []
    fault = f"{summary['monitor']} was not a number in any epoch, so it could not tell which is best"
    remedy = "a split of one class is a frequent reason. Write training.early_stopping.monitor: validation.loss"
    return [f"{fault}; {remedy}"]


def health(epochs: Sequence[EpochRow]) -> list[str]:
    """What is wrong with the layers, named and explained, from the figures of all epochs."""
    last = epochs[-1] if epochs else EpochRow(epoch=0)
    layers = last.layers
    warnings = [warning for name, figures in layers.items() for warning in _unit_warnings(name, figures)]
    shares = {output: share or 0.0 for output, share in last.shares.items()}
    return warnings + _gradient_warnings(layers) + _update_warnings(layers, epochs) + list(overbearing(shares))


def _unit_warnings(name: str, figures: Figures) -> list[str]:
    warnings = []
    if (dead := figures.get("dead") or 0.0) >= MANY_UNITS:
        warnings.append(
            f"{name}: {dead:.0%} of the units are dead: they give 0 for every example, so no gradient reaches their "
            "weights any more. A smaller learning rate, leaky_relu or elu help"
        )
    if (saturated := figures.get("saturated") or 0.0) >= MANY_UNITS:
        warnings.append(
            f"{name}: {saturated:.0%} of the units are saturated: they stay at an end of their range, where the slope "
            "is nearly 0, so their weights hardly learn. Standardized inputs, smaller initial weights or relu help"
        )
    return warnings


def _gradient_warnings(layers: Mapping[str, Figures]) -> list[str]:
    norms = {name: norm for name, figures in layers.items() if (norm := figures.get("gradient_norm"))}
    if len(norms) < 2:
        return []
    first, *_, last = norms
    ratio = norms[first] / norms[last]
    if ratio < FADED:
        fault = f"the gradient vanishes: {first} gets {ratio:.1g} of what {last} gets, so the first layers hardly learn"
        return [f"{fault}. relu, he_normal, normalization or fewer layers help"]
    if ratio > BLOWN_UP:
        fault = f"the gradient explodes: {first} gets {ratio:.1g} times what {last} gets"
        return [f"{fault}. training.clip_norm, smaller initial weights or normalization help"]
    return []


def _update_warnings(layers: Mapping[str, Figures], epochs: Sequence[EpochRow]) -> list[str]:
    warnings = []
    for name in layers:
        ratios = [row.layers.get(name, {}).get("update_ratio") for row in epochs]
        known = [ratio for ratio in ratios if ratio is not None]
        if known and 0 < max(known) < SLOWEST:
            warnings.append(
                f"{name}: no step moved the weights by more than {max(known):.1g} of their size (1e-3 is healthy); "
                "a larger learning rate helps"
            )
        elif known and known[-1] > FASTEST:
            warnings.append(
                f"{name}: a step moves the weights by {known[-1]:.1g} of their size (1e-3 is healthy); "
                "a smaller learning rate helps"
            )
    return warnings
