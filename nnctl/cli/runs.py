"""`nnctl runs`: what was trained, how it went, and what differed."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._console import Cell, console
from nnctl.cli.main import new_app

if TYPE_CHECKING:
    from nnctl.runs.directory import RunDirectory
    from nnctl.runs.facts import RunFacts
    from nnctl.runs.summary import Overview
    from nnctl.training.history import EpochRow

app = new_app(help="List, show and compare runs.")

Folder = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where the run directories are.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
WIDTH = 80
#: Longer values are cut in tables; --json has all of them.
LONGEST_CELL = 36

COLUMNS = ("name", "status", "epochs", "best", "monitored", "test", "created", "seconds")


@app.command("list")
def list_(runs: Folder = Path("runs"), as_json: Json = False) -> None:
    """List the runs of a folder."""
    rows = []
    for path in sorted(runs.iterdir()) if runs.is_dir() else []:
        if path.is_dir():
            rows += _overview(path)
    if as_json:
        console.json(rows)
    elif rows:
        console.table(COLUMNS, [_row(run) for run in rows])
    else:
        console.note(f"{runs}: no runs here; `nnctl train CONFIG` makes one, --runs DIR looks elsewhere")


def _overview(path: Path) -> "list[Overview]":
    """The facts of a run; none, and a word why, where it cannot be read."""
    from nnctl.errors import DataError
    from nnctl.runs.directory import RunDirectory
    from nnctl.runs.summary import overview

    try:
        return [overview(RunDirectory.open(path))]
    except DataError as error:
        console.warn(f"left out: {error}")
        return []


def _row(run: "Overview") -> list[Cell]:
    value = f"{run['monitor']} {run['value']:.4g}" if run["value"] is not None else None
    metrics = [f"{key} {figure:.4g}" for key, figure in (run["test"] or {}).items() if figure is not None]
    created = str(run["created"] or "").replace("T", " ")[:16] or None
    test = ", ".join(metrics[1:3] or metrics) or None
    return [
        run["name"],
        run["status"],
        run["epochs"],
        run["best_epoch"],
        value,
        test,
        created,
        round(run["seconds"], 1),
    ]


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's path, or its name in the folder of runs.")],
    runs: Folder = Path("runs"),
    as_json: Json = False,
) -> None:
    """Show a run: facts, settings, curves, figures, and what is wrong with its layers."""
    from nnctl.runs import summary

    directory = _open(run, runs)
    info, epochs = directory.info(), summary.rows(directory)
    settings, warnings = summary.settings(directory), summary.health(epochs)
    if as_json:
        console.json(
            {**info, "run": directory.path, "config": settings, "metrics": directory.rows(), "health": warnings}
        )
        return
    console.table(("run", directory.path.name), _facts(info, settings, len(epochs), summary.status(info)))
    _show_curves(epochs)
    _show_figures(info)
    for warning in warnings:
        console.result("\n" + fill(f"! {warning}", WIDTH, subsequent_indent="  "))


def _facts(info: "RunFacts", settings: dict[str, Any], epochs: int, status: str) -> list[list[Cell]]:
    model, data = settings.get("model") or {}, settings.get("data") or {}
    branches = [*(model.get("inputs") or {}).values(), *(model.get("outputs") or {}).values()]
    layers = sum(map(len, [model.get("layers") or (), *branches]))
    hidden = f"hidden {model.get('hidden')}, {_brief(model.get('activation'))}"
    network = f"{layers} layers" if model.get("layers") else hidden
    facts = {
        "status": ": ".join(filter(None, [status, info.get("stop_reason")])),
        "created": info.get("created"),
        "epochs": f"{info.get('epochs', epochs)}, the best is {info['best_epoch']}" if "best_epoch" in info else epochs,
        "monitored": f"{info['monitor']} {info['best_value']:.6g}" if info.get("best_value") is not None else None,
        "rows": _brief(info.get("rows")),
        "data": ", ".join(info.get("data") or {}) or None,
        "inputs": ", ".join(data.get("inputs") or {}) or None,
        "outputs": ", ".join(data.get("outputs") or {}) or None,
        "target": _brief(data.get("target")),
        "network": f"{network}; {info.get('parameters')} parameters",
        **{key: _brief(settings.get(key)) for key in ("loss", "optimizer", "schedule", "regularization")},
        "seed": settings.get("seed"),
        "ranks": info.get("ranks") if info.get("ranks", 1) > 1 else None,
        "versions": _brief(info.get("versions")),
    }
    return [[key, value] for key, value in facts.items() if value not in (None, "")]


def _brief(value: Any) -> Cell:
    """A setting in a few words: its type, and what is set to something."""
    match value:
        case dict():
            set_ = {k: v for k, v in value.items() if k != "type" and v not in (None, 0, False)}
            return " ".join(
                filter(None, [str(value.get("type", "")), ", ".join(f"{k} {_brief(v)}" for k, v in set_.items())])
            )
        case list():
            return ", ".join(map(str, value))
    return value if value is None or isinstance(value, float) else str(value)


def _show_curves(epochs: "Sequence[EpochRow]") -> None:
    from nnctl.cli._plot import plot

    keys = [
        f"{split}.loss" for split in ("train", "validation") if any(f"{split}.loss" in row.figures for row in epochs)
    ]
    lines = plot({key: [row.figures.get(key) for row in epochs] for key in keys})
    if lines:
        legend = ", ".join(f"{key[0]} is {key}" for key in keys)
        console.result("\n" + "\n".join([*lines, f"{'':>11}{legend}"]) + "\n")


def _show_figures(info: "RunFacts") -> None:
    """Metrics of each split, those of the baseline beside them."""
    evaluation, baseline = info.get("evaluation") or {}, info.get("baseline") or {}
    if not evaluation:
        return
    keys = list(dict.fromkeys(key for figures in evaluation.values() for key in figures))
    columns = [name for split in evaluation for name in (split, "baseline")]
    rows = [
        [key, *(side.get(split, {}).get(key) for split in evaluation for side in (evaluation, baseline))]
        for key in keys
    ]
    console.table(("", *columns), rows)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A run, by path or name.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The run to compare it with.")],
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same in both.")] = False,
    runs: Folder = Path("runs"),
    as_json: Json = False,
) -> None:
    """Compare two runs: configuration, data, environment and metrics.

    Only what differs; times are left out.
    """
    from nnctl.runs.compare import compare

    first, second = _open(a, runs), _open(b, runs)
    differing = compare(first, second, everything=everything)
    if as_json:
        console.json({section: {d.key: {"a": d.a, "b": d.b} for d in rows} for section, rows in differing.items()})
        return
    names = (first.path.name, second.path.name) if first.path.name != second.path.name else (a, b)
    for section, differences in differing.items():
        if differences:
            console.table((section, *names), [[d.key, _cell(d.a), _cell(d.b)] for d in differences])
            console.result("")
    if not any(differing.values()):
        console.note("the runs differ in nothing but times")


def _cell(value: Any) -> Cell:
    """A value in a table; floats with all their digits, so that what differs looks different."""
    import json

    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    half = LONGEST_CELL // 2
    return text if len(text) <= LONGEST_CELL else f"{text[: half - 3]}...{text[-half:]}"


def _open(run: str, runs: Path) -> "RunDirectory":
    """A run by its path, or by its name in the folder of runs."""
    from nnctl.errors import DataError
    from nnctl.names import unknown
    from nnctl.runs.directory import RunDirectory

    path = Path(run)
    if not path.exists() and (runs / run).exists():
        path = runs / run
    if not path.exists():
        folder = path.parent if path.parent != Path() else runs
        raise DataError(f"{folder} has {unknown('run', path.name, sorted(_names(folder)))}")
    return RunDirectory.open(path)


def _names(folder: Path) -> Sequence[str]:
    return [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
