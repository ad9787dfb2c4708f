"""All metrics; a new one is its class and one line here."""

import re
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema

from nnctl.metrics.confusion import ClassRow, Confused
from nnctl.metrics.decisions import Accuracy, BalancedAccuracy, HammingAccuracy, Matthews, SubsetAccuracy, TopK
from nnctl.metrics.metric import Metric, Sums, evaluate
from nnctl.metrics.predictions import (
    ClassPredictions,
    LabelPredictions,
    NumberPredictions,
    Predictions,
    PredictionsKind,
    Task,
)
from nnctl.metrics.probabilities import Brier, LogLoss, RocAuc
from nnctl.metrics.regression import (
    R2,
    MaxError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    RootMeanSquaredError,
)
from nnctl.metrics.retrieval import F1, Precision, Recall
from nnctl.spec import ShortForm

__all__ = [
    "AnyMetric",
    "ClassPredictions",
    "ClassRow",
    "Confused",
    "LabelPredictions",
    "Metric",
    "NumberPredictions",
    "Predictions",
    "PredictionsKind",
    "Sums",
    "Task",
    "evaluate",
    "unique_keys",
    "usual_metrics",
]


class MetricShortForm(ShortForm):
    """Lets a metric be written as its key: `macro_f1` is read as `{type: f1, average: macro}`."""

    #: Keys that carry options, beside the type they belong to; each group is a field.
    keys = (
        (r"top_(?P<k>[1-9][0-9]*)_accuracy", "top_k"),
        *(
            (
                rf"((?P<average>binary|macro|micro|weighted)_)?{name}(_at_(?P<threshold>[0-9]*[.]?[0-9]+(e-[0-9]+)?))?",
                name,
            )
            for name in ("precision", "recall", "f1")
        ),
    )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        either = super().__get_pydantic_json_schema__(schema, handler)
        for pattern, _ in self.keys:
            either["anyOf"].append({"type": "string", "pattern": f"^{re.sub(r'[?]P<[a-z]+>', '', pattern)}$"})
        return either

    def expand(self, value: object) -> object:
        for pattern, name in self.keys:
            if isinstance(value, str) and (match := re.fullmatch(pattern, value)):
                options = {field: text for field, text in match.groupdict().items() if text is not None}
                return {"type": name} | {field: _READ.get(field, str)(text) for field, text in options.items()}
        return super().expand(value)


_READ = {"k": int, "threshold": float}

AnyMetric = Annotated[
    Accuracy
    | TopK
    | BalancedAccuracy
    | Matthews
    | HammingAccuracy
    | SubsetAccuracy
    | Precision
    | Recall
    | F1
    | RocAuc
    | LogLoss
    | Brier
    | MeanAbsoluteError
    | MeanSquaredError
    | RootMeanSquaredError
    | R2
    | MeanAbsolutePercentageError
    | MaxError,
    MetricShortForm(),
]


def unique_keys(metrics: tuple[Any, ...]) -> tuple[Any, ...]:
    """The metrics, where each is there once."""
    keys = [metric.key for metric in metrics]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is listed twice; list each metric once")
    return metrics


def usual_metrics(kind: type[Predictions]) -> tuple[Metric, ...]:
    """What is reported of a kind of predictions where the experiment file does not say."""
    adapter: TypeAdapter[Metric] = TypeAdapter(AnyMetric)
    return tuple(adapter.validate_python(key) for key in kind.usual_metrics)
