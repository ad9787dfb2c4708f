"""What figures say in words: that a model is worse than no model, or too good to be believed."""

from collections.abc import Iterator

from nnctl.metrics import evaluate
from nnctl.use.evaluation import Evaluation, Measured

#: Of fewer examples even a perfect figure says little.
FEWEST_EXAMPLES = 20
#: Losses are no more different than this by rounding.
ROUNDING = 1e-6


def remarks(measured: Measured, *, held_out: bool) -> Iterator[str]:
    """A sentence for each output that is worse than its baseline, or nearly perfect where it was not trained."""
    for name, evaluation in measured.outputs.items():
        prefix = f"{name}: " if measured.several else ""
        if worse := [_beside(evaluation, key) for key in _worse(evaluation)]:
            yield (
                f"{prefix}the network is worse than the baseline, which looks at no feature ({evaluation.answer}): "
                f"{', '.join(worse)}"
            )
        elif held_out and (perfect := _nearly_perfect(evaluation)):
            yield (
                f"{prefix}{perfect}, which is rare on examples that were not trained on; look for a column that gives "
                "the answer away, such as one that was filled in when the answer was known"
            )


def _worse(evaluation: Evaluation) -> Iterator[str]:
    """Which of the loss and the first metric are worse than the baseline's; what is not a number is not."""
    model, baseline = evaluation.figures, evaluation.baseline
    if "loss" in baseline and model["loss"] - baseline["loss"] > ROUNDING * abs(baseline["loss"]):
        yield "loss"
    for metric in evaluation.metrics[:1]:
        ahead = model[metric.key] - baseline[metric.key]
        if ahead < -ROUNDING if metric.better == "higher" else ahead > ROUNDING * abs(baseline[metric.key]):
            yield metric.key


def _beside(evaluation: Evaluation, key: str) -> str:
    return f"{key} {evaluation.figures[key]:.4g} against {evaluation.baseline[key]:.4g}"


def _nearly_perfect(evaluation: Evaluation) -> str | None:
    """The first figure that is too good to be usual, in words."""
    if len(evaluation.losses) < FEWEST_EXAMPLES:
        return None
    for metric in (*evaluation.metrics, *evaluation.target.suited_metrics):
        rare, figures = metric.rarely_reached, evaluate([metric], evaluation.predictions)
        if rare is not None and figures[metric.key] >= rare > evaluation.baseline.get(metric.key, 0.0):
            return f"{metric.key} is {figures[metric.key]:.6g}"
    return None
