"""Every metric against scikit-learn: see tests/reference/metrics/README.md."""

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from nnctl.metrics import AnyMetric, Predictions
from tests.metrics.made import OF, by_class, value

CASES = json.loads((Path(__file__).parents[1] / "reference" / "metrics" / "cases.json").read_text())
METRIC = TypeAdapter(AnyMetric)


def predictions(case: dict[str, Any]) -> Predictions:
    weights = None if case["weights"] is None else np.array(case["weights"])
    return OF[case["task"]](np.array(case["outputs"]), np.array(case["truth"]), weights)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['task']}-{len(c['truth'])}-{c['weights'] is not None}")
def test_scikit_learn(case: dict[str, Any]) -> None:
    p = predictions(case)
    for key, expected in case["values"].items():
        metric = METRIC.validate_python(key)
        assert value(metric, p) == pytest.approx(expected, rel=1e-12, abs=1e-14), key
        assert metric.key == key
    for key, expected in case["by_class"].items():
        np.testing.assert_allclose(by_class(METRIC.validate_python(key), p), expected, rtol=1e-12, err_msg=key)
    if "confusion" in case:
        np.testing.assert_allclose(np.asarray(p.confusion()), case["confusion"], rtol=1e-12, atol=1e-12)


def test_every_metric_has_reference_values() -> None:
    compared = {METRIC.validate_python(key).type for case in CASES for key in case["values"]}
    assert compared == {member.model_fields["type"].default for member in get_args(get_args(AnyMetric)[0])}
