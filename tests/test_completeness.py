"""Everything an experiment file can name is documented, has an example, and the example is valid."""

import re
from typing import Any, get_args

import pytest
import yaml
from pydantic import TypeAdapter

from nnctl.activations import AnyActivation
from nnctl.config.experiment import EarlyStopping, Experiment, Runtime, Training
from nnctl.config.model import Model
from nnctl.data.inputs import AnyInput
from nnctl.data.outputs import Output
from nnctl.data.spec import DataSpec, Preprocess, Split
from nnctl.initializers import AnyInitializer
from nnctl.layers import AnyLayer
from nnctl.losses import AnyLoss
from nnctl.metrics import AnyMetric
from nnctl.optimizers import AnyOptimizer
from nnctl.regularization import Regularization
from nnctl.schedules import AnySchedule

UNIONS = {
    "activation": AnyActivation,
    "init": AnyInitializer,
    "input": AnyInput,
    "layer": AnyLayer,
    "loss": AnyLoss,
    "metric": AnyMetric,
    "optimizer": AnyOptimizer,
    "schedule": AnySchedule,
}
MEMBERS = [(name, union, member) for name, union in UNIONS.items() for member in get_args(get_args(union)[0])]
SECTIONS = [Model, EarlyStopping, Training, Runtime, DataSpec, Output, Preprocess, Split, Regularization]
EXAMPLE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)

each_member = pytest.mark.parametrize(
    ("name", "union", "member"), MEMBERS, ids=[f"{n}-{m.__name__}" for n, _, m in MEMBERS]
)


def example(cls: type[Any]) -> Any:
    found = EXAMPLE.search(cls.__doc__ or "")
    assert found, f"{cls.__name__}: the docstring has no YAML example"
    return yaml.safe_load(re.sub(r"^    ", "", found[1], flags=re.MULTILINE))


@each_member
def test_the_example_in_the_docstring_is_valid(name: str, union: Any, member: type[Any]) -> None:
    value = example(member)
    if isinstance(value, dict) and "type" not in value and len(value) == 1:
        value = next(iter(value.values()))  # shown under the key it goes to
    spec = TypeAdapter(union).validate_python(value)
    assert isinstance(spec, member)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.__name__)
def test_the_example_of_a_section_is_valid(section: type[Any]) -> None:
    section.model_validate(example(section))


@each_member
def test_every_field_has_a_description(name: str, union: Any, member: type[Any]) -> None:
    missing = [key for key, field in member.model_fields.items() if key != "type" and not field.description]
    assert not missing


@pytest.mark.parametrize("section", [Experiment, *SECTIONS], ids=lambda s: s.__name__)
def test_every_key_of_a_section_has_a_description(section: type[Any]) -> None:
    assert not [key for key, field in section.model_fields.items() if not field.description]
