"""`nnctl eval`: how good a trained network is on data it has not seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nnctl.cli._console import Cell, cell_text, console
from nnctl.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    import polars as pl

    from nnctl.data.dataset import Dataset
    from nnctl.data.targets import Target
    from nnctl.metrics import Confused, Predictions
    from nnctl.use.evaluation import Evaluation, Measured
    from nnctl.use.limits import Limit

WIDTH = 80
#: A column takes a digit and two spaces: with more classes no confusion matrix is narrow enough.
MOST_COLUMNS = WIDTH // 3
#: A longer name is cut where it heads a row of the confusion matrix.
LONGEST_NAME = 12
#: How many pairs of classes are named where the matrix is too wide, and below it.
MOST_PAIRS, PAIRS_BELOW = 12, 5


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, or a model.safetensors.")],
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Other examples with their target; - for standard input.")
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option(help="Of the run's own data; left out, test, else validation, else train."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Also this metric, such as roc_auc; repeatable.")
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=VALUE",
            help="Exit 4 where the metric is below VALUE; or above it, where lower is better (loss, rmse, log_loss); "
            "repeatable.",
        ),
    ] = None,
    worst: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Also the N examples with the largest loss.")
    ] = None,
    worst_output: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Write these to a .csv, .jsonl or .parquet, or as pictures to a .png or .svg; repeatable.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Measure a trained network on data it has not seen.

    Prints the loss and every metric beside those of the baseline, which looks at no feature; then figures for each
    class and the confusion matrix, or figures for each of several numbers predicted.
    """
    from nnctl.cli import _worst
    from nnctl.runs.trained import model_file, open_trained
    from nnctl.use.evaluation import file_data, measure, own_data
    from nnctl.use.limits import limit_of, metric_of
    from nnctl.use.remarks import remarks

    if data is not None and split is not None:
        raise ConfigError(f"--split {split}: is a part of the run's own data, and --data names others; use one of them")
    model = open_trained(run)
    targets = model.fitted.outputs
    limits = [limit_of(text, targets) for text in fail_under or ()]
    wanted = [metric_of(name, targets) for name in (*(metric or ()), *(limit.name for limit in limits if limit.needs))]
    _worst.check_outputs(model, worst, worst_output or ())
    metrics = {name: {m.key: m for m in own} for name, own in model.metrics.items()}
    for name, also in wanted:
        metrics[name][also.key] = also
    if data is None:
        split, examples = own_data(model, model_file(run).parent, split, console.warn)
    else:
        examples = file_data(model, data, console.warn)
        check_left_out(data, targets, examples, limits, [name for name, _ in wanted])
    measured = measure(model, examples, {name: tuple(own.values()) for name, own in metrics.items()})
    frame, shown = worst_of(examples, measured, worst) if worst else (None, examples)
    if as_json:
        rows = {} if frame is None else {"worst": frame.to_dicts()}
        console.json({"run": run, "data": data, "split": split, "rows": len(examples), **document(measured), **rows})
    else:
        console.result(f"{run}: {data or f'{split} split'}, {len(examples):,} rows")
        show(measured)
        if frame is not None and not worst_output:
            _worst.show(frame)
    if frame is not None:
        _worst.write(
            worst_output or (), frame, model, shown, f"{run.name}: the worst of {data or f'the {split} split'}"
        )
    for remark in remarks(measured, held_out=split != "train"):
        console.warn(remark)
    figures = measured.figures
    missed = [limit.missed(figures[limit.name]) for limit in limits if not limit.holds(figures[limit.name])]
    if missed:
        raise CheckFailed("; ".join(missed))


def check_left_out(
    data: str,
    targets: "Mapping[str, Target]",
    examples: "Dataset",
    limits: "Sequence[Limit]",
    asked: Sequence[str],
) -> None:
    """Say which outputs a file has no target of; what is asked of one of them is refused."""
    left_out = {name: target for name, target in targets.items() if name not in examples.truths}
    for name, target in left_out.items():
        console.warn(f"{data}: has not all of {', '.join(target.columns)}, so the output {name} is left out")
    for limit in limits:
        if left_out and (limit.output is None or limit.output in left_out):
            names = ", ".join(left_out)
            reason = "sums all outputs" if limit.output is None else "is of an output that is left out"
            raise ConfigError(
                f"--fail-under {limit.name}: {reason}, and {data} has no target of {names}; take another file"
            )
    for name in asked:
        if name in left_out:
            raise ConfigError(f"--metric: is of {name}, and {data} has no target of it; take another file")


def worst_of(examples: "Dataset", measured: "Measured", count: int) -> tuple["pl.DataFrame", "Dataset"]:
    """The examples with the largest loss, as a table and as they are; rows are those of the source."""
    from nnctl.use.worst import worst, worst_frame

    indices = worst(measured, count)
    return worst_frame(measured, examples, indices), examples.subset(indices)


def document(measured: "Measured") -> dict[str, Any]:
    """Everything that was found, for JSON."""
    outputs = {name: output_document(each) for name, each in measured.outputs.items()}
    if measured.several:
        return {"loss": measured.loss, "outputs": outputs}
    return next(iter(outputs.values()))


def output_document(evaluation: "Evaluation") -> dict[str, Any]:
    """Everything that was found of one output."""
    of_model, of_baseline = (
        {"loss": figures.get("loss"), "metrics": {key: value for key, value in figures.items() if key != "loss"}}
        for figures in (evaluation.figures, evaluation.baseline)
    )
    return {
        **of_model,
        "baseline": {"answer": evaluation.answer, **of_baseline},
        "classes": [row._asdict() for row in evaluation.predictions.class_report()],
        "confusion_matrix": evaluation.predictions.confusion(),
        "confused": [pair._asdict() for pair in evaluation.predictions.confused()],
        "targets": evaluation.targets(),
    }


def show(measured: "Measured") -> None:
    """Everything that was found, as tables: one of the figures, and more, for each output."""
    if measured.several:
        console.result(f"loss {measured.loss:.6g}, the weighted sum of the outputs' losses")
    for name, output in measured.outputs.items():
        if measured.several:
            console.result(
                f"\n{name}: {output.target.task} of {', '.join(output.target.columns)}, "
                f"known of {len(output.losses):,} rows"
            )
        show_output(output)


def show_output(evaluation: "Evaluation") -> None:
    """Everything that was found of one output."""
    console.table(
        ("", "model", "baseline"), [[key, v, evaluation.baseline.get(key)] for key, v in evaluation.figures.items()]
    )
    console.result(f"the baseline: {evaluation.answer}")
    if classes := evaluation.predictions.class_report():
        console.result("")
        console.table(("class", "precision", "recall", "F1", "support"), classes)
    targets = evaluation.targets()
    if len(targets) > 1:  # of a single one the figures stand above
        console.result("")
        heads = ("target", *next(iter(targets.values())))
        console.table(heads, [[name, *figures.values()] for name, figures in targets.items()])
    if evaluation.predictions.exclusive:
        console.result("")
        show_confusion(evaluation.predictions)


def show_confusion(p: "Predictions") -> None:
    """The matrix with a row for each true class, or where that is too wide the pairs most often confused."""
    pairs = p.confused()
    matrix = p.confusion() if p.columns <= MOST_COLUMNS else None
    if matrix is not None and show_matrix(p.names, matrix.tolist()):
        if p.columns > 2:
            show_pairs(pairs[:PAIRS_BELOW], "\nconfused most")
        return
    show_pairs(pairs[:MOST_PAIRS])
    if len(pairs) > MOST_PAIRS:
        console.result(f"the {MOST_PAIRS} of {len(pairs)} pairs that are confused most; --json has the whole matrix")


def show_matrix(names: tuple[str, ...], matrix: list[list[Cell]]) -> bool:
    """A confusion matrix, its columns by name or else by number; whether it is narrow enough to be shown."""
    short = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..." for name in names]
    numbers = [str(i) for i in range(1, len(names) + 1)]
    numbered = [f"{number} {name}" for number, name in zip(numbers, short, strict=True)]
    for heads, labels in ((names, short), (numbers, numbered)):
        columns = ["true", *heads]
        rows: list[list[Cell]] = [[label, *row] for label, row in zip(labels, matrix, strict=True)]
        if table_width(columns, rows) <= WIDTH:
            console.result("rows are true classes, columns predicted ones")
            console.table(columns, rows)
            return True
    return False


def show_pairs(pairs: "Sequence[Confused]", title: str | None = None) -> None:
    """Classes that are taken for each other, and how many examples are."""
    if pairs:
        console.table(("true", "predicted", "count"), pairs, title)


def table_width(columns: list[str], rows: list[list[Cell]]) -> int:
    """The width of a table, in a pipe and on a terminal."""
    cells = [columns, *([cell_text(cell) for cell in row] for row in rows)]
    return sum(max(map(len, column)) + 2 for column in zip(*cells, strict=True))
