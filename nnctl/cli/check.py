"""`nnctl check`: what can be said of an experiment before it is trained."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from nnctl.cli._console import console

#: The kinds of more columns are counted.
MOST_LISTED = 40
WIDEST_NAME = 40


def check(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="The experiment file; - for standard input.")],
    overfit: Annotated[bool, typer.Option("--overfit", help="Also try to memorise one batch.")] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the file; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Look for mistakes before training: shapes, data, loss.

    Warnings alone exit 0. With --overfit, exits 4 where the network cannot memorise one batch.
    """
    from dataclasses import asdict

    import numpy as np

    from nnctl.config.experiment import Experiment
    from nnctl.config.loading import load_experiment
    from nnctl.engine.workers import Workers
    from nnctl.errors import CheckFailed
    from nnctl.schedules import preview
    from nnctl.training import checks
    from nnctl.training.assemble import job_of

    loaded = load_experiment(config, overrides or (), Experiment)
    with np.errstate(all="ignore"):
        job = job_of(loaded)
        rows, used = checks.layer_rows(job.network), checks.memory(job)
        initial = checks.initial_loss(job)
        learned = checks.overfit(job, Workers()) if overfit else None
        lopsided = list(checks.share_warnings(job)) if len(job.heads) > 1 else []
    optimizer, epochs = job.experiment.optimizer, job.experiment.training.epochs
    rates = preview(job.experiment.schedule, optimizer.learning_rate, epochs, 1)
    warnings = [
        *checks.model_warnings(job),
        *checks.training_warnings(job),
        *(
            [message]
            if (message := checks.loss_warning(initial, scaled=job.experiment.data.preprocess.numeric != "none"))
            else []
        ),
        *lopsided,
        *(problem.message for problem in job.data.report.problems),
    ]
    sizes = {split: len(data) for split, data in job.splits()}
    several, classes = len(job.heads) > 1, job.data.report.classes
    targets = {
        name: {"task": target.task, "target": target.columns, "classes": target.class_names}
        for name, target in job.data.targets.items()
    }
    known = {name: job.data.report.known.get(name, {}) for name in targets}
    kinds = checks.column_kinds(job)
    parts = {"train": used.parameters + used.gradients + used.optimizer + used.activations, "data": used.data}

    if as_json:
        console.json(
            {
                **({"outputs": targets} if several else only(targets)),
                "rows": sizes,
                **({"spans": job.data.report.spans} if job.data.report.spans else {}),
                **({"known": known} if several else {}),
                "class_counts": classes if several else only(classes),
                "columns": kinds,
                "missing": job.data.report.missing,
                "malformed": job.data.report.malformed,
                "dropped": job.data.report.dropped,
                "layers": [asdict(row) for row in rows],
                "parameters": job.network.layout.size,
                "memory": asdict(used),
                "learning_rate": {"first": rates[0], "largest": max(rates), "last": rates[-1]},
                "initial_loss": initial.loss,
                "chance_loss": initial.chance,
                "overfit": None if learned is None else {**asdict(learned), "learned": learned.learned},
                "warnings": warnings,
            }
        )
    else:
        signals = {name: each.per_example for name, each in job.network.signals.items()}
        shapes = {name: " x ".join(map(str, shape)) for name, shape in signals.items()}
        shown = [(row.name, row.type, shapes[row.name], row.parameters) for row in rows]
        first = [(name, "", shapes[name], 0) for name in job.network.inputs]
        console.table(["layer", "type", "output shape", "parameters"], [*first, *shown])
        console.result(
            f"{job.network.layout.size:,} parameters, {job.network.layout.trained.stop:,} of them trained; "
            f"{megabytes(parts['train'])} to train, {megabytes(parts['data'])} of data"
        )
        if several:
            console.result(f"rows: {counts(sizes)}")
        for name, target in job.data.targets.items():
            what = f"{target.task} of {', '.join(target.columns)}"
            loss = f"loss: {job.heads[name].loss.type}"
            if several:
                console.result(f"{name}: {what}; {loss}, weight {job.heads[name].weight:g}")
            else:
                console.result(f"{what}; rows: {counts(sizes)}; {loss}")
            if known[name]:
                console.result(f"{name} is known of: {counts(known[name])}")
            for split, by_class in classes.get(name, {}).items():
                console.result(f"{split} classes{f' of {name}' if several else ''}: {counts(by_class)}")
        if len(kinds) > MOST_LISTED:
            by_kind = Counter(kind.partition(",")[0] for kind in kinds.values())
            console.result(f"{len(kinds)} columns: {counts(by_kind)}")
        elif kinds:
            console.table(["column", "kind"], [(shortened(name), kind) for name, kind in kinds.items()])
        if job.data.report.spans:
            how = job.data.resolved.split
            spans = "; ".join(f"{split} {span}" for split, span in job.data.report.spans.items())
            console.result(f"split by {how.by}, column {how.column}: {spans}")
        if job.data.report.missing:
            console.result(f"missing values: {counts(job.data.report.missing)}")
        console.result(f"learning rate {rates[0]:.3g} at first, {max(rates):.3g} at most, {rates[-1]:.3g} at last")
        console.result(f"initial loss {initial.loss:.4f}; chance gives {initial.chance:.4f}")
        if learned is not None:
            verdict = "memorised" if learned.learned else "NOT memorised"
            console.result(
                f"one batch of {learned.examples}: {verdict}, loss {learned.before:.4g} to {learned.after:.4g} "
                f"in {learned.steps} steps"
            )
        for message in warnings:
            console.warn(message)
        if not warnings:
            console.result("nothing looks wrong")
    if learned is not None and not learned.learned:
        raise CheckFailed(
            f"the network cannot memorise {learned.examples} examples: the loss went from {learned.before:.4g} "
            f"to {learned.after:.4g} in {learned.steps} steps; look at the learning rate, the loss and the targets"
        )


def only(by_output: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """What is said of the one output there is."""
    return next(iter(by_output.values()), {})


def shortened(name: str) -> str:
    """A column's name in a table of 80 columns."""
    return name if len(name) <= WIDEST_NAME else f"{name[: WIDEST_NAME - 3]}..."


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def counts(numbers: Mapping[str, int]) -> str:
    """Names with their numbers."""
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())
