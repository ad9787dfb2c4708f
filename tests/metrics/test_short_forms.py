"""How metrics are written in an experiment file."""

import re
from typing import Annotated, Any, get_args

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from nnctl.errors import ConfigError
from nnctl.metrics import AnyMetric, usual_metrics
from nnctl.metrics.metric import Metric
from nnctl.metrics.predictions import Task
from nnctl.spec import Listed, Spec
from tests.metrics.made import OF

METRIC = TypeAdapter(AnyMetric)
MEMBERS = get_args(get_args(AnyMetric)[0])


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("accuracy", {"type": "accuracy"}),
        ("f1", {"type": "f1"}),
        ("macro_f1", {"type": "f1", "average": "macro"}),
        ("weighted_precision", {"type": "precision", "average": "weighted"}),
        ("binary_recall", {"type": "recall", "average": "binary"}),
        ("recall_at_0.3", {"type": "recall", "threshold": 0.3}),
        ("micro_f1_at_1e-05", {"type": "f1", "average": "micro", "threshold": 1e-5}),
        ("top_3_accuracy", {"type": "top_k", "k": 3}),
    ],
)
def test_short_form(short: str, long: dict[str, Any]) -> None:
    metric = METRIC.validate_python(short)
    assert metric == METRIC.validate_python(long)
    assert metric.key == short


@pytest.mark.parametrize("wrong", ["acuracy", "macro_accuracy", "top_0_accuracy", "recall_at_1.5", "recall_at_", 3])
def test_refused(wrong: str | int) -> None:
    with pytest.raises(ValidationError):
        METRIC.validate_python(wrong)


def test_in_a_list() -> None:
    class Root(Spec):
        metrics: Annotated[tuple[AnyMetric, ...], Listed]

    root = Root.model_validate({"metrics": ["accuracy", {"type": "top_k", "k": 2}, "macro_f1"]})
    assert [m.key for m in root.metrics] == ["accuracy", "top_2_accuracy", "macro_f1"]
    assert Root.model_validate(root.model_dump()) == root


def test_schema_accepts_the_short_forms() -> None:
    options = METRIC.json_schema()["anyOf"]
    patterns = [o["pattern"] for o in options if "pattern" in o]
    assert "accuracy" in options[0]["enum"]
    for key in ("macro_f1", "top_3_accuracy", "recall_at_0.3"):
        assert sum(bool(re.search(p, key)) for p in patterns) == 1
    assert not any(re.search(p, "macro_accuracy") or "?P" in p for p in patterns)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.__name__)
def test_documented(member: type[Metric]) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (member.__doc__ or ""), re.DOTALL)
    assert type(METRIC.validate_python(yaml.safe_load(example))) is member
    assert all(field.description for name, field in member.model_fields.items() if name != "type")


@pytest.mark.parametrize("task", ["classification", "multilabel", "regression"])
def test_defaults_fit_their_task(task: Task) -> None:
    for metric in usual_metrics(OF[task]):
        metric.check(OF[task].none(3))


@pytest.mark.parametrize(
    ("key", "task", "columns", "message"),
    [
        ("accuracy", "regression", 1, "is for classification, and the target is regression; use for example rmse"),
        ("accuracy", "multilabel", 3, "use for example hamming_accuracy"),
        ("rmse", "classification", 2, "rmse is for regression"),
        ("binary_f1", "classification", 3, "needs a target of two classes; macro_f1"),
        ("binary_f1", "multilabel", 2, "needs a target of two classes"),
        ("recall_at_0.3", "classification", 3, "this one has 3 classes"),
    ],
)  # fmt: skip
def test_check_says_what_fits(key: str, task: Task, columns: int, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        METRIC.validate_python(key).check(OF[task].none(columns))


@pytest.mark.parametrize(
    ("key", "task", "columns"),
    [
        ("binary_f1", "classification", 2),
        ("f1_at_0.2", "multilabel", 5),
        ("f1", "classification", 7),
        ("r2", "regression", 2),
    ],
)
def test_check_passes(key: str, task: Task, columns: int) -> None:
    METRIC.validate_python(key).check(OF[task].none(columns))
