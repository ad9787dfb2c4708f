"""Learning curves: loss and metrics by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite
from textwrap import fill
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from nnctl.engine.loss import Loss
from nnctl.errors import DataError
from nnctl.losses import AnyLoss
from nnctl.metrics import AnyMetric, Metric
from nnctl.plot.canvas import BLUE, GREY, VERMILION, new_figure, panels
from nnctl.runs import summary
from nnctl.runs.directory import RunDirectory
from nnctl.training.history import EpochRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Losses that span more than this are drawn on a logarithmic scale.
LOGARITHMIC = 50
#: The splits, how each is drawn: told apart by colour and by stroke.
SPLITS: dict[str, dict[str, Any]] = {
    "train": {"color": BLUE, "linestyle": "-"},
    "validation": {"color": VERMILION, "linestyle": (0, (4, 1.5))},
}
PANEL_HEIGHT = 2.7
#: Letters in a line beside a panel.
LONGEST_LABEL = 26


@dataclass(frozen=True)
class Curves:
    """The epochs of a run.

    Attributes:
        restarts: the lines of metrics.jsonl of each random start.
        kept: which of them the model is from; the newest where training has not ended.
        best: the epoch of the kept start with the best monitored figure, counted from 1; None where it has none.
        monitor: what is monitored.
        model: the epoch the model is from; None where that is not decided yet.
        axes: what each figure is called on its axis, by its key without the split.
    """

    restarts: Sequence[Sequence[EpochRow]]
    kept: int
    best: int | None
    monitor: str
    model: int | None
    axes: Mapping[str, str]


def curves_of(run: RunDirectory) -> Curves:
    """The curves of a run, also of one that goes on or broke off.

    Raises:
        DataError: where no epoch is done yet.
    """
    rows, info, settings = summary.rows(run), run.info(), summary.settings(run)
    if not rows:
        raise DataError(f"{run.path}: no epoch is done yet ({summary.status(info)}); there is nothing to draw")
    restarts = [list(group) for _, group in groupby(rows, lambda row: row.restart)]
    model, scores = info.get("best_epoch"), info.get("restarts") or []
    chosen = [i for i, s in enumerate(scores) if (s["epoch"], s["value"]) == (model, info.get("best_value"))]
    kept = chosen[0] if chosen else -1
    monitor = _monitor(settings, rows)
    keys = (key.split(".", 1)[1] for row in rows for key in row.figures)
    axes = {key: axis_label(key, settings) for key in keys}
    return Curves(restarts, kept, _best(restarts[kept], monitor, settings), monitor, model, axes)


def _monitor(settings: Mapping[str, Any], rows: Sequence[EpochRow]) -> str:
    """What decides which epoch is the best."""
    stopping = (settings.get("training") or {}).get("early_stopping") or {}
    default = "validation.loss" if any("validation.loss" in row.figures for row in rows) else "train.loss"
    return str(stopping.get("monitor", default))


def _best(rows: Sequence[EpochRow], monitor: str, settings: Mapping[str, Any]) -> int | None:
    """The first epoch with the best value of what is monitored."""
    section, _, key = section_of(monitor.partition(".")[2], settings)
    metric = metrics_of(section).get(key)
    higher = metric is not None and metric.better == "higher"
    known = [(value, -row.epoch) for row in rows if (value := row.figures.get(monitor)) is not None]
    if not known:
        return None
    return -(max(known)[1] if higher else max((-value, epoch) for value, epoch in known)[1])


def axis_label(key: str, settings: Mapping[str, Any]) -> str:
    """What a figure is called on its axis, with the output it is about where there are several, and its unit."""
    section, output, figure = section_of(key, settings)
    measured = loss_of(section) if figure == "loss" else metrics_of(section).get(figure)
    label = f"loss: {measured.type}" if figure == "loss" and measured else figure
    unit: str = measured.unit if measured else ""
    if unit == "target":
        target = section.get("target")
        unit = f"units of {target}" if isinstance(target, str) else ""
    return (f"{output}, " if output else "") + (label + (f" ({unit})" if unit else "")).replace("_", " ")


def section_of(key: str, settings: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, str]:
    """Where target, loss and metrics of a figure stand, the output it is about, if that has a name, and its own key."""
    data = settings.get("data") or {}
    for name, section in (data.get("outputs") or {}).items():
        if key.startswith(f"{name}."):
            return section, name, key.removeprefix(f"{name}.")
    return {"target": data.get("target"), **settings}, "", key


def loss_of(section: Mapping[str, Any]) -> Loss | None:
    """The loss of an output."""
    loss: Loss | None = TypeAdapter(AnyLoss | None).validate_python(section.get("loss"), strict=False)
    return loss


def metrics_of(section: Mapping[str, Any]) -> dict[str, Metric]:
    """The metrics of an output, by their keys in metrics.jsonl."""
    metrics = TypeAdapter(tuple[AnyMetric, ...]).validate_python(section.get("metrics") or (), strict=False)
    return {metric.key: metric for metric in metrics}


def draw(curves: Curves, title: str, width: float) -> Figure:
    """A panel for the loss and each metric: the kept start in colour, others in grey behind it."""
    count = len(curves.axes)
    columns = min(count, 2 if width < 7.5 or count == 4 else 3)
    rows = -(-count // columns)
    figure = new_figure(width, 0.9 + rows * PANEL_HEIGHT, title)
    for i, (axes, (key, label)) in enumerate(zip(panels(figure, count, columns), curves.axes.items(), strict=True)):
        _panel(axes, curves, key)
        axes.set_ylabel(fill(label, LONGEST_LABEL))
        if i + columns >= count:
            axes.set_xlabel("epoch")
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names) if width >= 7.5 else 2)
    return figure


def _panel(axes: Axes, curves: Curves, key: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    kept = curves.restarts[curves.kept]
    for split, look in SPLITS.items():
        if any(f"{split}.{key}" in row.figures for row in kept):
            _line(axes, *_points(kept, f"{split}.{key}"), split, curves.best, look)
    if curves.best is not None:
        axes.axvline(
            curves.best, color=GREY, linewidth=1.2, linestyle=":", label=f"best epoch: {curves.best} ({curves.monitor})"
        )
    if curves.model is not None and curves.model != curves.best:
        axes.axvline(curves.model, color=GREY, linewidth=1.2, linestyle="-.", label=f"model from epoch {curves.model}")
    for i, rows in enumerate(rows for rows in curves.restarts if rows is not kept):
        split = "validation" if any(f"validation.{key}" in row.figures for row in rows) else "train"
        name = f"other starts, {split}" if i == 0 else None
        axes.plot(*_points(rows, f"{split}.{key}"), color=GREY, linewidth=0.9, alpha=0.6, zorder=1, label=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    lines = [_points(rows, f"{split}.{key}")[1] for rows in curves.restarts for split in SPLITS]
    shown = [y for line in lines for y in line if isfinite(y)]
    if key.rpartition(".")[2] == "loss" and shown and min(shown) > 0 and max(shown) > LOGARITHMIC * min(shown):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _line(axes: Axes, x: list[int], y: list[float], name: str, best: int | None, look: Mapping[str, Any]) -> None:
    """A curve, with a ring at the best epoch; dots where there are few epochs."""
    axes.plot(x, y, label=name, marker="o" if len(x) < 10 else None, markersize=4, **look)
    if best in x:
        at = y[x.index(best)]
        axes.plot(
            [best], [at], marker="o", markersize=8, markerfacecolor="white", markeredgewidth=2, color=look["color"]
        )


def _points(rows: Sequence[EpochRow], key: str) -> tuple[list[int], list[float]]:
    """Epochs and values; a figure that is missing or was not a number leaves a gap."""
    values = [row.figures.get(key) for row in rows]
    return [row.epoch for row in rows], [float("nan") if value is None else value for value in values]
