"""Short forms mean their long forms, in validation, in the schema, and in messages."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import yaml
from pydantic import Field, TypeAdapter, ValidationError

from nnctl.config.loading import load_experiment
from nnctl.config.navigation import short_form
from nnctl.config.schema import json_schema
from nnctl.errors import ConfigError
from nnctl.layers import AnyLayer
from nnctl.spec import Listed, Spec
from tests.config.test_schema import accepts

LAYER = TypeAdapter(AnyLayer)
FORM = short_form(AnyLayer)


class Root(Spec):
    """The root."""

    layers: Annotated[tuple[AnyLayer, ...], Listed] = Field((), description="The layers.")


FORMS = [  # short, long
    ("relu", {"type": "activation", "function": "relu"}),
    ("flatten", {"type": "flatten"}),
    ("max_pool", {"type": "max_pool2d"}),
    ({"conv": 32}, {"type": "conv2d", "filters": 32}),
    ({"conv1d": 8}, {"type": "conv1d", "filters": 8}),
    ({"conv": 8, "kernel": 5, "activation": "relu"},
     {"type": "conv2d", "filters": 8, "kernel": 5, "activation": "relu"}),
    ({"conv": 4, "padding": [[1, 2], [0, 0]], "groups": "channels", "stride": [1, 2]},
     {"type": "conv2d", "filters": 4, "padding": [[1, 2], [0, 0]], "groups": "channels", "stride": [1, 2]}),
    ({"max_pool": 2}, {"type": "max_pool2d", "size": 2}),
    ({"dense": 64}, {"type": "dense", "units": 64}),
    ({"dropout": 0.5, "by": "channel"}, {"type": "dropout", "rate": 0.5, "by": "channel"}),
    ({"activation": {"type": "leaky_relu", "slope": 0.2}},
     {"type": "activation", "function": {"type": "leaky_relu", "slope": 0.2}}),
    ({"residual": [{"conv": 4}, "relu"], "shortcut": [{"conv": 4, "kernel": 1}]},
     {"type": "residual", "layers": [{"type": "conv2d", "filters": 4}, {"type": "activation", "function": "relu"}],
      "shortcut": [{"type": "conv2d", "filters": 4, "kernel": 1}]}),
    ({"parallel": [[], [{"dense": 2}]], "merge": "add"},
     {"type": "parallel", "branches": [[], [{"type": "dense", "units": 2}]], "merge": "add"}),
]  # fmt: skip
WRONG = [
    "rleu", {"cnov": 3}, {"conv": "x"}, {"conv": 3, "kernl": 5}, {"conv": 3, "filters": 4},
    {"conv": 3, "type": "dense"}, {}, {"residual": ["rleu"]}, {"dropout": 2}, {"kernel": 3}, "conv",
]  # fmt: skip


@pytest.mark.parametrize(("short", "long"), FORMS, ids=[json.dumps(short) for short, _ in FORMS])
def test_short_is_long(short: str | dict[str, Any], long: dict[str, Any]) -> None:
    before = json.dumps(short)
    assert LAYER.validate_python(short) == LAYER.validate_python(long)
    assert json.dumps(short) == before, "what the user wrote is not changed"


def test_the_schema_accepts_what_validation_accepts() -> None:
    schema = json_schema(Root)
    for value in [*(form for pair in FORMS for form in pair), *WRONG]:
        try:
            LAYER.validate_python(value)
            valid = True
        except ValidationError:
            valid = False
        if value != "conv":  # its name alone is a layer without the key it has to have
            assert accepts(schema, {"layers": [value]}, schema) is valid, value
        assert valid is (value not in WRONG)


def test_every_head_is_a_type_and_a_key_of_it() -> None:
    for kind, key in FORM.heads.values():
        assert kind in {member.model_fields["type"].default for member in get_args(get_args(AnyLayer)[0])}
        with pytest.raises(ValidationError) as caught:
            LAYER.validate_python({"type": kind, key: object()})
        assert all(error["type"] != "extra_forbidden" for error in caught.value.errors())


PROBLEMS = [
    ("- conv: x", 'f.yaml:2: layers.0.filters: found the text "x"; allowed: a whole number'),
    ("- {conv: 3, kernl: 5}", "f.yaml:2: layers.0.kernl: is not a key here; allowed: .*; did you mean `kernel`\\?"),
    ("- relu\n- rleu", 'f.yaml:3: layers.1: found the text "rleu"; did you mean `relu`\\?$'),
    ("- Relu", 'f.yaml:2: layers.0: found the text "Relu"; did you mean `relu`\\?$'),
    ("- cnov: 3", "f.yaml:2: layers.0: found the key `cnov`, which is no layer; did you mean `conv`\\?$"),
    ("- Conv: 3", "f.yaml:2: layers.0: found the key `Conv`, which is no layer; did you mean `conv`\\?$"),
    ("- kernel: 3\n  maxpool: 2", "f.yaml:2: layers.0: .* `maxpool`, which is no layer; did you mean `max_pool`\\?$"),
    ("- boltzmann: 3", "f.yaml:2: layers.0: found no `type` in the mapping; allowed: dense, .*, conv, .*, relu, "),
    ("- filters: 8\n  type: conv", 'f.yaml:3: layers.0.type: found the text "conv"; did you mean `conv2d`\\?$'),
    ("- {type: Dense}", 'f.yaml:2: layers.0.type: found the text "Dense"; did you mean `dense`\\?$'),
    ("- {type: boltzmann}", 'f.yaml:2: layers.0.type: found the text "boltzmann"; allowed: dense, .*, use$'),
    ("- {type: relu}", 'f.yaml:2: layers.0.type: found the text "relu"; activations are written `- relu`$'),
    ("- {type: elu, alpha: 2}", "f.yaml:2: .* are written `- activation: {type: elu, alpha: 2}`$"),
    (
        "- {conv: 8, filters: 8}",
        "f.yaml:2: layers.0: `filters` is given twice, by `conv:` and by `filters:`; leave one of the two out$",
    ),
    (
        "- batch_normalization: 0.9",
        "f.yaml:2: layers.0: `batch_normalization` takes no value .* `- {type: batch_normalization, momentum: 0.9}`$",
    ),
    (
        "- batch_normalization: {epsilon: 0.1, affine: false}",
        "f.yaml:2: .*, or with keys `- {type: batch_normalization, epsilon: 0.1, affine: false}`$",
    ),
    ("- batch_normalization: big", "f.yaml:2: layers.0: .* write `- batch_normalization`$"),
    ("- layer_normalization: true", "f.yaml:2: .*, or with keys `- {type: layer_normalization, affine: true}`$"),
    ("- leaky_relu: 0.2", "f.yaml:2: .* `- leaky_relu`, or with keys `- activation: {type: leaky_relu, slope: 0.2}`$"),
    ("- flatten:", "f.yaml:2: layers.0: `flatten` takes no value of its own; write `- flatten`$"),
    ("- residual: [relu, {batch_normalization: 2}]", "f.yaml:2: layers.0.layers.1: .* takes no value of its own"),
    ("- residual:\n  - conv:\n      3.5", "f.yaml:3: layers.0.layers.0.filters: found 3.5; allowed: a whole number"),
    ("- parallel:\n  - []\n  - - dense: -1", "f.yaml:4: layers.0.branches.1.0.units: found -1; allowed: .* than 0"),
]


def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *overrides: str) -> Root:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.yaml").write_text(f"layers:\n{text}\n")
    return load_experiment("f.yaml", overrides, Root).spec


@pytest.mark.parametrize(("text", "says"), PROBLEMS)
def test_problems_are_told_where_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{says}"):
        load(tmp_path, monkeypatch, text)


def test_overrides_reach_into_short_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "- conv: 3\n- residual: [{dense: 4}]"
    layers = load(
        tmp_path, monkeypatch, text,
        "layers.0.kernel=5", "layers.0.filters=7", "layers.1.layers.0.units=6", "layers.1.shortcut=[{dense: 6}]",
    ).layers  # fmt: skip
    assert (layers[0].kernel, layers[0].filters, layers[1].layers[0].units) == (5, 7, 6)
    assert layers[1].shortcut[0].units == 6
    with pytest.raises(ConfigError, match=r"^--set layers.0=\{conv: a\}: layers.0.filters: found the text"):
        load(tmp_path, monkeypatch, text, "layers.0={conv: a}")


def test_the_guide_has_every_short_form() -> None:
    guide = (Path(__file__).parents[2] / "docs/layers.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(.+)` \| `(.+)` \|$", guide, re.MULTILINE))
    for short, long in rows.items():
        assert LAYER.validate_python(yaml.safe_load(f"{{{short}}}")) == LAYER.validate_python(yaml.safe_load(long))
    assert {short.partition(":")[0] for short in rows} == set(FORM.heads)
    (example,) = re.findall(r"```yaml\nlayers:\n(.*?)```", guide, re.DOTALL)
    assert len([LAYER.validate_python(value) for value in yaml.safe_load(example)]) == 10
